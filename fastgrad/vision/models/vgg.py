"""VGG: K. Simonyan, A. Zisserman, Very deep convolutional networks for large-scale image recognition, 2014."""

from ... import flatten, nn
from ._build import he_normal, normalization_ones, small_normal, untrained

__all__ = ["VGG", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]

WIDTHS = (64, 128, 256, 512, 512)
# convolutions before each of the five poolings
DEPTHS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def convolutions(depths, batch_norm):
    """The layers up to the last pooling."""
    layers, channels = [], 3
    for depth, width in zip(depths, WIDTHS):
        for _ in range(depth):
            layers.append(nn.Conv2d(channels, width, kernel_size=3, padding=1))
            layers += [nn.BatchNorm2d(width)] * batch_norm
            layers.append(nn.ReLU(inplace=True))
            channels = width
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """Three linear layers after `features`.

    Args:
        features: module that makes 512 channels of an image.
        num_classes: scores that come out.
        init_weights: He's normal weights; otherwise the layers' own.
        dropout: probability after the first two linear layers.
    """

    def __init__(self, features, num_classes=1000, init_weights=True, dropout=0.5):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            for module in self.modules():
                he_normal(module) or normalization_ones(module) or small_normal(module)

    def forward(self, x):
        return self.classifier(flatten(self.avgpool(self.features(x)), 1))


def builder(name):
    depths, batch_norm = DEPTHS[name.removesuffix("_bn")], name.endswith("_bn")

    def build(*, weights=None, progress=True, **kwargs):
        options = untrained(name, weights, kwargs)
        return VGG(convolutions(depths, batch_norm), **options)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"{name.upper()} without trained weights; keywords as of VGG."
    return build


globals().update({name: builder(name) for name in __all__[1:]})
