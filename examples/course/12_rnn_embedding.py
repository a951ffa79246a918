"""Teaches a recurrent network to say "ihello" on reading "hihell": each letter is embedded, each output is a class."""

import sys

import torch
from torch import nn

torch.manual_seed(777)
epochs = 12 if "--quick" in sys.argv else 30
letters = ["h", "i", "e", "l", "o"]
x = torch.LongTensor([[0, 1, 0, 2, 3, 3]])  # hihell
y = torch.LongTensor([1, 0, 2, 3, 3, 4])  # ihello


class Model(nn.Module):
    def __init__(self, num_layers=1, hidden_size=5, embedding_size=10):
        super().__init__()
        self.num_layers, self.hidden_size = num_layers, hidden_size
        self.embedding = nn.Embedding(len(letters), embedding_size)
        self.rnn = nn.RNN(input_size=embedding_size, hidden_size=hidden_size, num_layers=num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, len(letters))

    def forward(self, x):
        h_0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size)
        emb = self.embedding(x).view(x.size(0), x.size(1), -1)
        out, _ = self.rnn(emb, h_0)
        return self.fc(out.contiguous().view(-1, self.hidden_size))


model = Model()
print(model)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for epoch in range(epochs):
    outputs = model(x)
    optimizer.zero_grad()
    loss = criterion(outputs, y)
    loss.backward()
    optimizer.step()
    _, index = outputs.max(1)
    print(f"epoch {epoch + 1}  loss {loss.item():.4f}  says", "".join(letters[c] for c in index.squeeze()))
print("says ihello:", "".join(letters[c] for c in index) == "ihello")
