"""DenseNet: G. Huang et al., Densely connected convolutional networks, 2017. Each layer sees the outputs of all before it."""

from collections import OrderedDict

from ... import cat, flatten, nn
from ...utils.checkpoint import checkpoint
from ._build import normalization_ones, untrained

__all__ = ["DenseNet", "densenet121", "densenet161", "densenet169", "densenet201"]


class _DenseLayer(nn.Module):
    """growth_rate new channels: a bottleneck of bn_size times as many, then a 3x3 convolution.

    Args:
        num_input_features: channels of all that goes in together.
        drop_rate: probability of a dropout of what comes out.
        memory_efficient: the joined input and the bottleneck are computed again backward instead of kept.
    """

    def __init__(self, num_input_features, growth_rate, bn_size, drop_rate, memory_efficient=False):
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, width, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop_rate, self.memory_efficient = float(drop_rate), memory_efficient

    def bn_function(self, inputs):
        """The bottleneck of a list of inputs."""
        return self.conv1(self.relu1(self.norm1(cat(inputs, 1))))

    def forward(self, input):
        inputs = list(input) if isinstance(input, (list, tuple)) else [input]
        if self.memory_efficient and any(one.requires_grad for one in inputs):
            narrow = checkpoint(lambda *given: self.bn_function(given), *inputs, use_reentrant=False)
        else:
            narrow = self.bn_function(inputs)
        new = self.conv2(self.relu2(self.norm2(narrow)))
        return nn.functional.dropout(new, p=self.drop_rate, training=self.training) if self.drop_rate > 0 else new


class _DenseBlock(nn.ModuleDict):
    """num_layers dense layers; gives the input and all their outputs, joined."""

    def __init__(self, num_layers, num_input_features, bn_size, growth_rate, drop_rate, memory_efficient=False):
        super().__init__()
        for i in range(num_layers):
            layer = _DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size, drop_rate, memory_efficient)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, init_features):
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return cat(features, 1)


class _Transition(nn.Sequential):
    """Fewer channels and a quarter of the places, between two blocks."""

    def __init__(self, num_input_features, num_output_features):
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, kernel_size=1, stride=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """Blocks of dense layers, a transition between two of them.

    Args:
        growth_rate: channels each layer adds.
        block_config: layers of each block.
        num_init_features: channels of the first convolution.
        bn_size: width of the bottlenecks in growth rates.
        drop_rate: probability of a dropout after each dense layer.
        num_classes: scores that come out.
        memory_efficient: see _DenseLayer.
    """

    def __init__(self, growth_rate=32, block_config=(6, 12, 24, 16), num_init_features=64, bn_size=4, drop_rate=0, num_classes=1000,
                 memory_efficient=False):
        super().__init__()
        self.features = nn.Sequential(OrderedDict([
            ("conv0", nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False)),
            ("norm0", nn.BatchNorm2d(num_init_features)),
            ("relu0", nn.ReLU(inplace=True)),
            ("pool0", nn.MaxPool2d(kernel_size=3, stride=2, padding=1)),
        ]))
        channels = num_init_features
        for i, layers in enumerate(block_config, 1):
            self.features.add_module(f"denseblock{i}", _DenseBlock(layers, channels, bn_size, growth_rate, drop_rate, memory_efficient))
            channels += layers * growth_rate
            if i < len(block_config):
                self.features.add_module(f"transition{i}", _Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
            else:
                normalization_ones(module)

    def forward(self, x):
        x = nn.functional.relu(self.features(x), inplace=True)
        return self.classifier(flatten(nn.functional.adaptive_avg_pool2d(x, (1, 1)), 1))


def _builder(name, growth_rate, block_config, num_init_features):
    def build(*, weights=None, progress=True, **kwargs):
        return DenseNet(growth_rate, block_config, num_init_features, **untrained(name, weights, kwargs))

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"DenseNet with blocks of {block_config} layers, untrained; keywords as of the class."
    return build


densenet121 = _builder("densenet121", 32, (6, 12, 24, 16), 64)
densenet161 = _builder("densenet161", 48, (6, 12, 36, 24), 96)
densenet169 = _builder("densenet169", 32, (6, 12, 32, 32), 64)
densenet201 = _builder("densenet201", 32, (6, 12, 48, 32), 64)
