"""A variational autoencoder on handwritten digits: what the latent plane holds, and digits nobody wrote."""

import sys

import torch
from torch import nn
from torch.nn import functional as F

import digits

torch.manual_seed(2)
quick = "--quick" in sys.argv
images, labels = digits.load()
images = images.reshape(len(images), 64) / images.max()


class VAE(nn.Module):
    """64 pixels to the mean and the log variance of a few latent numbers, and from them back."""

    def __init__(self, latent=8, hidden=128):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def forward(self, x):
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(z), mean, log_variance


def losses(model, x):
    """Reconstruction and KL divergence from the standard normal, an image each."""
    logits, mean, log_variance = model(x)
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
    kl = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum(1).mean()
    return reconstruction, kl


def picture(pixels):
    """An 8x8 image in characters."""
    return "\n".join("".join(" .:*#"[min(int(5 * value), 4)] for value in row) for row in pixels.view(8, 8).tolist())


model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(1, 4 if quick else 61):
    for batch in torch.randperm(len(images)).split(64):
        reconstruction, kl = losses(model, images[batch])
        optimizer.zero_grad()
        (reconstruction + kl).backward()
        optimizer.step()
    if quick or epoch % 10 == 0:
        with torch.no_grad():
            reconstruction, kl = losses(model, images)
        print(f"epoch {epoch}  reconstruction {reconstruction:.3f}  divergence {kl:.3f}")

# Are digits of a kind near each other? Each image votes for the class of the nearest other mean.
with torch.no_grad():
    means = model.encoder(images)[:, :8]
    distance = torch.cdist(means[:300], means[300:900])
    right = (labels[300:900][distance.argmin(1)] == labels[:300]).float().mean()
    print(f"the nearest neighbour in the latent space is of the same class: {100 * right:.0f}%")
    if not quick:
        print(picture(torch.sigmoid(model.decoder(torch.randn(1, 8)))))
