"""Networks: sizes as published, initial weights as PyTorch's own layers draw them, outputs as PyTorch's functions compute them."""

import pytest

import fastgrad
from fastgrad.vision import models

torch = pytest.importorskip("torch")
F = torch.nn.functional

# trainable numbers, as the tables of the papers and of torchvision's documentation give them
PARAMETERS = {
    "alexnet": 61100840,
    "densenet121": 7978856,
    "mobilenet_v2": 3504872,
    "resnet18": 11689512,
    "resnet34": 21797672,
    "resnet50": 25557032,
    "resnext50_32x4d": 25028904,
    "wide_resnet50_2": 68883240,
    "vgg11": 132863336,
    "vgg16_bn": 138365992,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_number_of_parameters(name, monkeypatch):
    skip_initialization(monkeypatch)
    assert sum(p.numel() for p in getattr(models, name)().parameters()) == PARAMETERS[name]


def skip_initialization(monkeypatch):
    """Weights stay as they are: drawing a hundred million takes its time."""
    for name in ("kaiming_uniform_", "kaiming_normal_", "normal_", "uniform_", "trunc_normal_"):
        monkeypatch.setattr(fastgrad.nn.init, name, lambda tensor, *args, **kwargs: tensor)


def test_number_of_parameters_of_googlenet(monkeypatch):
    skip_initialization(monkeypatch)
    assert sum(p.numel() for p in models.googlenet(init_weights=True).parameters()) == 13004888
    assert sum(p.numel() for p in models.googlenet(init_weights=False, aux_logits=False).parameters()) == 6624904


def twin(module):
    """PyTorch's layer of the same shape, freshly initialized; None for what has no weights."""
    if isinstance(module, fastgrad.nn.Conv2d):
        options = {name: getattr(module, name) for name in ("kernel_size", "stride", "padding", "dilation", "groups")}
        return torch.nn.Conv2d(module.in_channels, module.out_channels, bias=module.bias is not None, **options)
    if isinstance(module, fastgrad.nn.BatchNorm2d):
        return torch.nn.BatchNorm2d(module.num_features, eps=module.eps)
    if isinstance(module, fastgrad.nn.Linear):
        return torch.nn.Linear(module.in_features, module.out_features)
    return None


def he(layer):
    if isinstance(layer, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def small(layer):
    he(layer)
    if isinstance(layer, torch.nn.Linear):
        torch.nn.init.normal_(layer.weight, 0, 0.01)
    if getattr(layer, "bias", None) is not None:
        torch.nn.init.zeros_(layer.bias)


def dense(layer):
    if isinstance(layer, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(layer.weight)
    elif isinstance(layer, torch.nn.Linear):
        torch.nn.init.zeros_(layer.bias)


def truncated(layer):
    if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
        torch.nn.init.trunc_normal_(layer.weight, mean=0.0, std=0.01, a=-2, b=2)


@pytest.mark.parametrize(
    ("name", "options", "initialize"),
    [
        ("resnet18", {"num_classes": 7}, he),
        ("resnext50_32x4d", {"num_classes": 7}, he),
        ("densenet121", {"num_classes": 7}, dense),
        ("mobilenet_v2", {"num_classes": 7, "width_mult": 0.5}, small),
        ("googlenet", {"num_classes": 7, "init_weights": True}, truncated),
    ],
)
def test_initial_weights(name, options, initialize):
    """Layers are made in the order they run, and those that shorten the way of a block before it; then all are initialized."""
    fastgrad.manual_seed(3)
    model = getattr(models, name)(**options)
    layers = dict(model.named_modules())
    names = [n for n, module in layers.items() if twin(module) is not None]
    torch.manual_seed(3)
    twins = {n: twin(layers[n]) for n in sorted(names, key=lambda n: made_before(n, names))}
    for n in names:
        initialize(twins[n])
    for n in names:
        for parameter, expected in twins[n].named_parameters():
            assert torch.equal(torch.from_numpy(getattr(layers[n], parameter).detach().numpy()), expected), (n, parameter)


def made_before(name, names):
    """Sorts downsample layers before the block they belong to."""
    block = name.partition(".downsample")[0]
    first = min(i for i, other in enumerate(names) if other.startswith(block + ".") or other == name) if "downsample" in name else names.index(name)
    return first - 0.5 if "downsample" in name else first


def values(module, name):
    return torch.from_numpy(module.get_parameter(name).detach().numpy())


def convolved(model, name, x, stride=1, padding=1):
    return F.conv2d(x, values(model, f"{name}.weight"), stride=stride, padding=padding)


def normalized(model, name, x):
    return F.batch_norm(x, None, None, values(model, f"{name}.weight"), values(model, f"{name}.bias"), training=True)


def resnet18_by_hand(model, x):
    """The forward pass of the paper, in PyTorch's functions, with batch statistics."""
    x = F.max_pool2d(F.relu(normalized(model, "bn1", convolved(model, "conv1", x, 2, 3))), 3, 2, 1)
    for group in (1, 2, 3, 4):
        for block in (0, 1):
            name, stride = f"layer{group}.{block}", 2 if group > 1 and block == 0 else 1
            out = F.relu(normalized(model, f"{name}.bn1", convolved(model, f"{name}.conv1", x, stride)))
            out = normalized(model, f"{name}.bn2", convolved(model, f"{name}.conv2", out))
            if stride == 2:
                x = normalized(model, f"{name}.downsample.1", convolved(model, f"{name}.downsample.0", x, 2, 0))
            x = F.relu(x + out)
    return F.linear(x.mean((2, 3)), values(model, "fc.weight"), values(model, "fc.bias"))


def test_resnet18_computes_the_papers_function():
    fastgrad.manual_seed(0)
    model = models.resnet18(num_classes=5).double()
    x = fastgrad.randn(2, 3, 64, 64, dtype=fastgrad.float64)
    expected = resnet18_by_hand(model, torch.from_numpy(x.numpy()))
    torch.testing.assert_close(torch.from_numpy(model(x).detach().numpy()), expected, rtol=1e-8, atol=1e-9)


def densenet_by_hand(model, x, layers):
    """The forward pass of the paper, in PyTorch's functions, with batch statistics."""
    def step(name, number, x, padding):
        return convolved(model, f"{name}.conv{number}", F.relu(normalized(model, f"{name}.norm{number}", x)), padding=padding)

    x = F.max_pool2d(F.relu(normalized(model, "features.norm0", convolved(model, "features.conv0", x, 2, 3))), 3, 2, 1)
    for block, count in enumerate(layers, 1):
        for layer in range(1, count + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            x = torch.cat([x, step(name, 2, step(name, 1, x, 0), 1)], 1)
        if block < len(layers):
            x = F.avg_pool2d(step(f"features.transition{block}", "", x, 0), 2)
    x = F.relu(normalized(model, "features.norm5", x)).mean((2, 3))
    return F.linear(x, values(model, "classifier.weight"), values(model, "classifier.bias"))


@pytest.mark.parametrize("memory_efficient", [False, True])
def test_densenet_computes_the_papers_function(memory_efficient):
    fastgrad.manual_seed(0)
    layers = (2, 3, 2)
    model = models.DenseNet(4, layers, 8, num_classes=5, memory_efficient=memory_efficient).double()
    x = fastgrad.randn(2, 3, 64, 64, dtype=fastgrad.float64, requires_grad=True)
    out = model(x)
    expected_x = torch.from_numpy(x.detach().numpy()).requires_grad_()
    expected = densenet_by_hand(model, expected_x, layers)
    torch.testing.assert_close(torch.from_numpy(out.detach().numpy()), expected.detach(), rtol=1e-8, atol=1e-9)
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    torch.testing.assert_close(torch.from_numpy(x.grad.numpy()), expected_x.grad, rtol=1e-7, atol=1e-9)


def test_googlenet_gives_three_scores_while_training():
    model = models.googlenet(num_classes=4, init_weights=False)
    scores = model(fastgrad.randn(2, 3, 64, 64))
    assert type(scores).__name__ == "GoogLeNetOutputs" and [s.shape for s in scores] == [(2, 4)] * 3
    sum(s.sum() for s in scores).backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model.eval()(fastgrad.randn(1, 3, 64, 64)).shape == (1, 4)


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn"])
def test_shapes(name, monkeypatch):
    skip_initialization(monkeypatch)
    model = getattr(models, name)(num_classes=3).eval()
    assert model(fastgrad.zeros(1, 3, 64, 64)).shape == (1, 3)
    assert [n for n, _ in model.named_children()] == ["features", "avgpool", "classifier"]


def test_trained_weights_are_refused():
    for options in ({"weights": "DEFAULT"}, {"pretrained": True}):
        with pytest.raises(NotImplementedError, match="resnet18: trained weights"):
            models.resnet18(**options)


def test_models_by_name():
    assert "vgg19_bn" in models.list_models() and models.list_models(include="resnet?8") == ["resnet18"]
    assert models.get_model("resnet18", num_classes=2).fc.out_features == 2
    with pytest.raises(ValueError, match="Unknown model"):
        models.get_model("nonet")
