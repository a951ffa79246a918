"""MobileNetV2: M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, 2018."""

from ... import flatten, nn
from ._build import he_normal, normalization_ones, small_normal, untrained

__all__ = ["MobileNetV2", "mobilenet_v2"]

# expansion, channels, blocks, stride of the first block
SETTING = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def divisible(value, divisor=8):
    """The multiple of `divisor` next to `value`, at least nine tenths of it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class Conv2dNormActivation(nn.Sequential):
    """Convolution, normalization, ReLU that ends at 6."""

    def __init__(self, inputs, outputs, norm_layer, kernel=3, stride=1, groups=1):
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
        super().__init__(convolution, norm_layer(outputs), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    """1x1 to more channels, 3x3 on each channel alone, 1x1 to `oup`; beside the identity where sizes allow.

    Raises:
        ValueError: stride is neither 1 nor 2.
    """

    def __init__(self, inp, oup, stride, expand_ratio, norm_layer=None):
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm_layer = norm_layer or nn.BatchNorm2d
        hidden = int(round(inp * expand_ratio))
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        layers = [Conv2dNormActivation(inp, hidden, norm_layer, kernel=1)] if expand_ratio != 1 else []
        layers.append(Conv2dNormActivation(hidden, hidden, norm_layer, stride=stride, groups=hidden))
        layers += [nn.Conv2d(hidden, oup, 1, 1, 0, bias=False), norm_layer(oup)]
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """A convolution, seventeen inverted residual blocks, a convolution, one linear layer.

    Args:
        num_classes: scores that come out.
        width_mult: factor of the channels.
        inverted_residual_setting: rows of expansion, channels, blocks and stride.
        round_nearest: channels are multiples of it.
        block: class of the blocks.
        norm_layer: called with a number of channels; BatchNorm2d by default.
        dropout: probability before the linear layer.

    Raises:
        ValueError: the setting is empty, or its rows have not four entries.
    """

    def __init__(
        self, num_classes=1000, width_mult=1.0, inverted_residual_setting=None, round_nearest=8, block=None, norm_layer=None, dropout=0.2
    ):
        super().__init__()
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        setting = SETTING if inverted_residual_setting is None else inverted_residual_setting
        if not setting or len(setting[0]) != 4:
            raise ValueError(f"inverted_residual_setting should be non-empty or a 4-element list, got {setting}")
        channels = divisible(32 * width_mult, round_nearest)
        self.last_channel = divisible(1280 * max(1.0, width_mult), round_nearest)
        features = [Conv2dNormActivation(3, channels, norm_layer, stride=2)]
        for expansion, width, blocks, first_stride in setting:
            width = divisible(width * width_mult, round_nearest)
            for i in range(blocks):
                features.append(block(channels, width, first_stride if i == 0 else 1, expand_ratio=expansion, norm_layer=norm_layer))
                channels = width
        features.append(Conv2dNormActivation(channels, self.last_channel, norm_layer, kernel=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        for module in self.modules():
            he_normal(module) or normalization_ones(module) or small_normal(module)

    def forward(self, x):
        return self.classifier(flatten(nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1)), 1))


def mobilenet_v2(*, weights=None, progress=True, **kwargs):
    """MobileNetV2 without trained weights; keywords as of the class."""
    return MobileNetV2(**untrained("mobilenet_v2", weights, kwargs))
