"""What the builders and the networks share: the refusal of trained weights, initial weights by kind of layer."""

from ... import nn


def untrained(name, weights, options):
    """Checks that no trained weights are asked for, and takes the old word for them out of the options.

    Raises:
        NotImplementedError: they are: nothing is downloaded here.
    """
    if weights is not None or options.pop("pretrained", False):
        raise NotImplementedError(
            f"{name}: trained weights are not downloaded here; build it with weights=None, then load_state_dict(torch.load(FILE))"
        )
    return options


def normalization_ones(module):
    """Weights of a normalization layer that let everything through: scale 1, shift 0. True if `module` is one."""
    if not isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
        return False
    nn.init.ones_(module.weight)
    nn.init.zeros_(module.bias)
    return True


def he_normal(module):
    """He's normal weights of a convolution, by what goes out of it; bias 0. True if `module` is one.

    Source: K. He et al., Delving deep into rectifiers, 2015.
    """
    if not isinstance(module, nn.Conv2d):
        return False
    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    return True


def small_normal(module):
    """Normal weights of deviation 0.01 for a linear layer, bias 0. True if `module` is one."""
    if not isinstance(module, nn.Linear):
        return False
    nn.init.normal_(module.weight, 0, 0.01)
    nn.init.zeros_(module.bias)
    return True
