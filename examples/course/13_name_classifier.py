"""Which language is a name from? A bidirectional GRU reads packed sequences of letters of different lengths."""

import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

torch.manual_seed(8)
quick = "--quick" in sys.argv
NAMES = {
    "Italian": "Rossi Bianchi Ferrari Esposito Romano Colombo Ricci Marino Greco Conti Gallo Costa Fontana Moretti Barbieri Rinaldi "
    "Lombardi Santoro Caruso Martini Leone Longo Gentile Vitale Lombardo Serra Coppola Marchetti Parisi Villa",
    "Japanese": "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada Sasaki Yamaguchi Matsumoto "
    "Inoue Kimura Hayashi Shimizu Saito Yamazaki Mori Abe Ikeda Hashimoto Ishikawa Ogawa Okada Hasegawa Fujita",
    "Polish": "Nowak Kowalski Wisniewski Wojcik Kowalczyk Kaminski Lewandowski Zielinski Szymanski Wozniak Dabrowski Kozlowski "
    "Jankowski Mazur Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zajac Pawlowski Michalski Krol Wieczorek",
    "Scottish": "Campbell MacDonald Stewart Robertson Thomson Murray Ross Morrison MacKenzie Fraser MacLeod Cameron Grant Sinclair "
    "Buchanan MacKay Gordon Munro MacIntyre Drummond Wallace Bruce Douglas Forbes",
}
languages = list(NAMES)
pairs = [(name, languages.index(language)) for language in languages for name in NAMES[language].split()]


def collate(batch):
    """Letters as numbers, padded to the longest name, longest first."""
    batch = sorted(batch, key=lambda pair: len(pair[0]), reverse=True)
    rows = [torch.tensor([ord(letter) for letter in name]) for name, _ in batch]
    return pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows]), torch.tensor([target for _, target in batch])


class Classifier(nn.Module):
    def __init__(self, hidden=32, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(128, hidden)
        self.gru = nn.GRU(hidden, hidden, layers, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, len(languages))

    def forward(self, letters, lengths):
        packed = pack_padded_sequence(self.embedding(letters.t()), lengths)
        _, hidden = self.gru(packed)
        return self.fc(torch.cat([hidden[-1], hidden[-2]], dim=1))


loader = DataLoader(pairs, batch_size=20, shuffle=True, collate_fn=collate)
model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(1, 5 if quick else 21):
    total = 0.0
    for letters, lengths, target in loader:
        loss = nn.functional.cross_entropy(model(letters, lengths), target)
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(target)
    print(f"epoch {epoch}  loss {total / len(pairs):.4f}")

model.eval()
with torch.no_grad():
    letters, lengths, target = collate(pairs)
    print(f"right {(model(letters, lengths).argmax(1) == target).sum().item()} of {len(pairs)}")
    for name in ("Kowalewski", "Yamashita", "Morelli", "MacArthur"):
        letters, lengths, _ = collate([(name, 0)])
        chances = model(letters, lengths).softmax(1)[0]
        print(f"{name}: {languages[chances.argmax()]} ({chances.max():.3f})")
