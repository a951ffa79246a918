"""Lazy layers and the rest of torch.nn that module_db has no samples of: against PyTorch."""

import copy
import gc
import pickle

import pytest
import torch

import fastgrad
from tests.nn.both import assert_same, assert_same_error

LAZY = {
    "LazyLinear": (lambda n: n.LazyLinear(3), (2, 5)),
    "LazyLinear(bias=False)": (lambda n: n.LazyLinear(3, bias=False), (5,)),
    "LazyConv2d": (lambda n: n.LazyConv2d(4, 3, groups=2), (1, 6, 5, 5)),
    "LazyConvTranspose1d": (lambda n: n.LazyConvTranspose1d(4, 3, stride=2), (2, 3, 5)),
    "LazyBatchNorm1d": (lambda n: n.LazyBatchNorm1d(), (4, 3)),
    "LazyBatchNorm2d": (lambda n: n.LazyBatchNorm2d(affine=False), (2, 3, 4, 4)),
    "LazyInstanceNorm3d": (lambda n: n.LazyInstanceNorm3d(), (2, 3, 2, 2, 2)),
}


@pytest.mark.parametrize(("make", "shape"), LAZY.values(), ids=LAZY)
def test_lazy(make, shape):
    def observe(lib):
        lib.manual_seed(0)
        layer = make(lib.nn)
        before = repr(layer), [repr(v) for k, v in layer.state_dict().items() if k != "num_batches_tracked"], layer.has_uninitialized_params()
        x = lib.linspace(-1, 1, lib.ones(shape).numel()).reshape(shape)
        y = layer(x)
        y.square().sum().backward()
        return before, repr(layer), type(layer).__name__, y, layer.state_dict(), [p.grad for p in layer.parameters()]

    assert_same(observe, rtol=2e-5, atol=2e-5)


def test_states_of_lazy_layers():
    def observe(lib):
        lib.manual_seed(0)
        layer = lib.nn.LazyLinear(3)
        loaded = repr(layer.load_state_dict(lib.nn.Linear(4, 3).state_dict()))
        shape = tuple(layer.weight.shape)
        return loaded, shape, repr(layer), layer(lib.ones(1, 4)), repr(layer)

    assert_same(observe, rtol=1e-6)
    other = fastgrad.nn.LazyLinear(3)
    assert repr(copy.deepcopy(other)) == repr(pickle.loads(pickle.dumps(other))) == repr(other)
    assert repr(other.load_state_dict(fastgrad.nn.LazyLinear(3).state_dict())) == "<All keys matched successfully>"


ERRORS = {
    "shape": lambda lib: lib.nn.LazyLinear(3).weight.shape,
    "load": lambda lib: lib.nn.Linear(4, 3).load_state_dict(lib.nn.LazyLinear(3).state_dict()),
    "share": lambda lib: lib.nn.LazyLinear(3).weight.share_memory_(),
    "dimensions": lambda lib: lib.nn.LazyConv2d(3, 2)(lib.ones(1, 2)),
    "groups": lambda lib: lib.nn.LazyConv1d(4, 2, groups=2)(lib.ones(3, 5)),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors(call):
    assert_same_error(call)


def test_own_lazy_module():
    class Own(fastgrad.nn.modules.lazy.LazyModuleMixin, fastgrad.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = fastgrad.nn.UninitializedParameter()

        def forward(self, x):
            return x * self.scale

    with pytest.raises(NotImplementedError, match="initialize_parameters"):
        Own()(fastgrad.ones(2))
    Own.initialize_parameters = lambda self, x: None
    with pytest.raises(RuntimeError, match="not been fully initialized"):
        Own()(fastgrad.ones(2))


OTHERS = {
    "SyncBatchNorm": (lambda n: n.SyncBatchNorm(4), (3, 4, 2)),
    "PixelShuffle": (lambda n: n.PixelShuffle(2), (1, 8, 2, 3)),
    "PixelUnshuffle": (lambda n: n.PixelUnshuffle(2), (1, 2, 4, 6)),
    "ChannelShuffle": (lambda n: n.ChannelShuffle(2), (1, 4, 2, 2)),
    "Unfold": (lambda n: n.Unfold(2, padding=1, stride=2), (1, 2, 4, 4)),
    "Fold": (lambda n: n.Fold((4, 4), 2, stride=2), (1, 8, 4)),
    "Upsample": (lambda n: n.Upsample(scale_factor=2), (1, 2, 3, 3)),
    "Upsample(size)": (lambda n: n.Upsample(size=(5, 4), mode="bilinear"), (1, 2, 3, 3)),
    "UpsamplingBilinear2d": (lambda n: n.UpsamplingBilinear2d(scale_factor=2), (1, 2, 3, 3)),
    "UpsamplingNearest2d": (lambda n: n.UpsamplingNearest2d(size=4), (1, 2, 3, 3)),
    "RReLU in eval": (lambda n: n.RReLU().eval(), (2, 3)),
    "RReLU": (lambda n: n.RReLU(0.1, 0.9), (4, 5)),
    "Identity": (lambda n: n.Identity(), (2, 3)),
}


@pytest.mark.parametrize(("make", "shape"), OTHERS.values(), ids=OTHERS)
def test_layers_without_samples(make, shape):
    def observe(lib):
        lib.manual_seed(0)
        layer = make(lib.nn)
        x = lib.linspace(-1, 2, lib.ones(shape).numel()).reshape(shape).requires_grad_()
        y = layer(x)
        y.square().sum().backward()
        return repr(layer), y, x.grad

    assert_same(observe, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("size", [3, 5])
def test_cross_map_lrn(size):
    """Against PyTorch's LocalResponseNorm, the same formula: its CrossMapLRN2d leaves the first channel in the window of later ones."""

    def observe(lib):
        name = "CrossMapLRN2d" if lib is not torch else "LocalResponseNorm"
        x = lib.linspace(-1, 2, 144).reshape(2, 8, 3, 3).requires_grad_()
        y = getattr(lib.nn, name)(size, alpha=0.5, k=2)(x)
        y.square().sum().backward()
        return y, x.grad

    assert_same(observe, rtol=2e-5, atol=2e-5)


def test_adaptive_log_softmax():
    def observe(lib):
        lib.manual_seed(0)
        layer = lib.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0, head_bias=True)
        x = lib.randn(6, 8, requires_grad=True)
        output, loss = layer(x, lib.tensor([0, 6, 12, 19, 4, 9]))
        loss.backward()
        single = layer(x[0], lib.tensor(3))
        return repr(layer), output, loss, x.grad, [p.grad for p in layer.parameters()], list(single), layer.log_prob(x), layer.predict(x)

    assert_same(observe, rtol=1e-5, atol=1e-6)


CUTOFFS = [[], [5, 3], [0, 5], [5, 20], [5.5]]


@pytest.mark.parametrize("cutoffs", CUTOFFS, ids=str)
def test_cutoffs(cutoffs):
    assert_same_error(lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs))


@pytest.mark.parametrize("target", [[0, 6, 12], [0, 6, 12, 25], [[0, 6]], 3], ids=str)
def test_targets(target):
    assert_same_error(lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])(lib.ones(4, 8), lib.tensor(target)))


def test_conversion_to_sync_batch_norm():
    def observe(lib):
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4))
        model(lib.randn(5, 3))
        converted = lib.nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return repr(converted), converted.state_dict(), converted(lib.randn(5, 3))

    assert_same(observe, rtol=1e-5, atol=1e-6)


ARGUMENTS = {
    "Softmax2d": lambda n, lib: n.Softmax2d()(lib.ones(2, 3)),
    "FractionalMaxPool2d": lambda n, lib: n.FractionalMaxPool2d(2),
    "FractionalMaxPool2d twice": lambda n, lib: n.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5),
    "FractionalMaxPool3d ratio": lambda n, lib: n.FractionalMaxPool3d(2, output_ratio=1.5),
    "MultiMarginLoss": lambda n, lib: n.MultiMarginLoss(p=3),
    "MultiMarginLoss weight": lambda n, lib: n.MultiMarginLoss(weight=lib.ones(2, 2)),
    "CrossMapLRN2d": lambda n, lib: n.CrossMapLRN2d(3)(lib.ones(2, 3)),
    "Bilinear": lambda n, lib: n.Bilinear(0, 1, 2),
    "SyncBatchNorm": lambda n, lib: n.SyncBatchNorm(3)(lib.ones(3)),
}


@pytest.mark.parametrize("call", ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(call):
    assert_same_error(lambda lib: call(lib.nn, lib))


def test_old_names():
    assert_same(lambda lib: repr(lib.nn.Container(a=lib.nn.Linear(1, 2))))
    assert_same(lambda lib: repr(lib.nn.NLLLoss2d(ignore_index=3)))


@pytest.mark.parametrize("use", ["p + 1", "2 * p", "lib.sin(p)", "p.exp()", "p[0]", "p == p", "p.zero_()", "p.detach()", "lib.nn.init.ones_(p)", "p.shape"])
@pytest.mark.parametrize("kind", ["UninitializedParameter", "UninitializedBuffer"])
def test_without_a_shape_is_refused(kind, use):
    errors = []
    for lib in (fastgrad, torch):
        with pytest.raises(Exception) as error:
            eval(use, {"lib": lib, "p": getattr(lib.nn.parameter, kind)()})
        errors.append((error.type, "uninitialized parameter" in str(error.value)))
    assert errors[0] == errors[1]


def test_converted_before_it_has_a_shape():
    def observe(lib):
        layers = lib.nn.Sequential(lib.nn.LazyLinear(3), lib.nn.LazyBatchNorm1d()).double()
        pickle.loads(pickle.dumps(layers)).to("cpu").state_dict()
        y = layers(lib.ones(4, 2, dtype=lib.float64))
        return [str(layers[0].weight.dtype).split(".")[1], str(layers[1].running_mean.dtype).split(".")[1], tuple(y.shape)]

    assert observe(fastgrad) == observe(torch)


def test_elements_cannot_be_counted_before_there_is_a_shape():
    for lib in (torch, fastgrad):
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            sum(p.numel() for p in lib.nn.LazyLinear(3).parameters())


def test_operations_are_plain_again_afterwards():
    from fastgrad import _engine

    gc.collect()
    before = _engine._interposers()
    layer = fastgrad.nn.LazyLinear(3)
    assert _engine._interposers() == before + 2
    layer(fastgrad.ones(1, 2))
    fastgrad.nn.LazyLinear(3)
    fastgrad.nn.parameter.UninitializedBuffer()
    gc.collect()
    assert _engine._interposers() == before
