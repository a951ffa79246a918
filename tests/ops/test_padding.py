"""F.pad in every mode against PyTorch: values, gradients twice, errors; the padding modules."""

import fastgrad
import pytest
import torch

from tests.gradients import check_gradients, inputs_for
from tests.nn.both import assert_same
from tests.ops.oracle import random_array

CONSTANT = [((4,), (1, 2)), ((3, 4), (1, 0)), ((3, 4), (-1, 2)), ((3, 4), (-1, -2)), ((3, 4), (2, -4, 1, 1)), ((2, 3, 4), (0, 0, 0, 1, 2, 0)),
            ((2, 3, 4), (5, -9)), ((2, 3, 4), (-5, 9)), ((2, 0, 4), (1, 1, 1, 1)), ((3, 4), ()), ((), ())]
SPATIAL = [((2, 5), (1, 2)), ((2, 3, 5), (4, 4)), ((2, 3, 4, 5), (1, 2, 3, 0)), ((3, 4, 5), (0, 4, 2, 1)), ((2, 2, 3, 4, 5), (1, 2, 0, 2, 2, 1)),
           ((2, 3, 4, 5), (-1, 2, 1, -2)), ((2, 3, 4, 5), (0, 0, 0, 0))]


@pytest.mark.parametrize("shape, pads", CONSTANT, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16"])
def test_constant(shape, pads, dtype):
    x = random_array(shape, "float32").astype(dtype)
    for value in (None, 0, 1, -2.5):
        assert_same(lambda m: m.nn.functional.pad(m.from_numpy(x), pads, "constant", value))
    if x.ndim > 1:
        assert_same(lambda m: m.nn.functional.pad(m.from_numpy(x).transpose(0, 1), pads, value=3))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("shape, pads", SPATIAL, ids=str)
def test_values(mode, shape, pads):
    for dtype in ("float32", "int64", "float16", "uint8"):
        x = random_array(shape, "float32").astype(dtype)
        assert_same(lambda m: m.nn.functional.pad(m.from_numpy(x), pads, mode=mode))
        assert_same(lambda m: m.nn.functional.pad(m.from_numpy(x.swapaxes(-1, -2).copy()).transpose(-1, -2), pads, mode=mode))


@pytest.mark.parametrize("mode, shape, pads", [*[("constant", *c) for c in CONSTANT if c[0] and 0 not in c[0] and min(c[1], default=0) > -3],
                                               *[(m, *c) for m in ("reflect", "replicate", "circular") for c in SPATIAL]])
def test_gradients(mode, shape, pads):
    check_gradients(lambda x: fastgrad.nn.functional.pad(x, pads, mode=mode) ** 2, inputs_for([shape]), name=f"pad {mode} {shape}")


def test_gradient_against_torch():
    x = random_array((2, 3, 6, 7), "float32")
    for mode in ("constant", "reflect", "replicate", "circular"):
        def gradient(m):
            t = m.tensor(x, requires_grad=True)
            out = m.nn.functional.pad(t, (3, 2, 1, 4), mode=mode)
            (out * out).sum().backward()
            return t.grad
        assert_same(gradient, rtol=1e-6)


@pytest.mark.parametrize("shape, pads, mode, value", [
    ((2, 3, 4, 5), (1,), "constant", None), ((2, 3), (1,) * 6, "constant", None), ((2, 3), (-3, -3), "constant", None),
    ((2, 3, 4, 5), (1, 1, 1, 1), "mirror", None), ((2, 3, 4, 5), (1, 1), "reflect", None), ((2, 3, 4, 5), (5, 1, 1, 1), "reflect", None),
    ((2, 3, 4, 5), (1, 1, 4, 1), "reflect", None), ((2, 3, 4, 5), (1, 1, 1, 1), "reflect", 1.0), ((2, 3, 4, 5), (6, 1, 1, 1), "circular", None),
    ((5,), (1, 1), "replicate", None), ((2, 0, 4, 5), (1, 1, 1, 1), "reflect", None), ((2, 3, 0, 5), (1, 1, 1, 1), "replicate", None),
    ((2, 3), (1, 1.5), "constant", None), ((2, 3), 1, "constant", None), ((2, 3, 4, 5), (1, 1, 1), "reflect", None)])
def test_errors(shape, pads, mode, value):
    found = []
    for m in (torch, fastgrad):
        with pytest.raises(Exception) as caught:
            m.nn.functional.pad(m.zeros(shape), pads, mode, value)
        found.append(caught)
    assert found[0].type is found[1].type
    assert str(found[0].value).split()[:2] == str(found[1].value).split()[:2] or str(found[0].value)[:30] == str(found[1].value)[:30]


@pytest.mark.parametrize("kind", ["Circular", "Constant", "Reflection", "Replication", "Zero"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_modules(kind, dims):
    value = (2.5,) if kind == "Constant" else ()
    x = random_array((2, 3, 4, 5, 6)[:2 + dims], "float32")
    for padding in (1, tuple(range(2 * dims)) if dims == 1 else (1, 0, 2, 1, 0, 2)[:2 * dims]):
        assert_same(lambda m: getattr(m.nn, f"{kind}Pad{dims}d")(padding, *value))
        assert_same(lambda m: getattr(m.nn, f"{kind}Pad{dims}d")(padding, *value)(m.from_numpy(x)))
        assert_same(lambda m: getattr(m.nn, f"{kind}Pad{dims}d")(padding, *value)(m.from_numpy(x[0])))


def test_circular_module_error():
    for m in (torch, fastgrad):
        with pytest.raises(ValueError, match="expected 3D or 4D input"):
            m.nn.CircularPad2d(1)(m.zeros(2, 3))


def test_result_is_fresh():
    x = fastgrad.zeros(2, 3, 4)
    for mode in ("constant", "reflect"):
        out = fastgrad.nn.functional.pad(x, (0, 0), mode=mode)
        assert out.data_ptr() != x.data_ptr()
