"""fastgrad.testing against torch.testing: what passes, what is refused, and the words of the messages."""

import numpy as np
import pytest
import torch

import fastgrad as fg
from fastgrad.testing import assert_close, make_tensor

CASES = [
    (lambda m: (m.tensor([1.0, 2.0, 3.0]), m.tensor([1.0, 2.0, 4.0])), {}), (lambda m: (m.tensor([1.0, 2.0]), m.tensor([1.0, 2.0 + 1e-6])), {}),
    (lambda m: (m.tensor(1.0), m.tensor(2.0)), {}), (lambda m: (m.ones(2), m.ones(3)), {}), (lambda m: (m.ones(2), m.ones(2, dtype=m.float64)), {}),
    (lambda m: (m.ones(2), m.ones(2, dtype=m.float64)), {"check_dtype": False}), (lambda m: (m.tensor([[1, 2], [3, 5]]), m.tensor([[1, 2], [3, 4]])), {}),
    (lambda m: ([m.ones(2), m.ones(2)], [m.ones(2), m.zeros(2)]), {}), (lambda m: ({"a": m.ones(2)}, {"a": m.ones(2) * 2}), {}),
    (lambda m: ({"a": 1}, {"b": 1}), {}), (lambda m: ([1.0], [1.0, 2.0]), {}), (lambda m: (1.0, 1.5), {}), (lambda m: (1, 1.0), {}),
    (lambda m: (1, 2), {}), (lambda m: (m.tensor([float("nan")]), m.tensor([float("nan")])), {}),
    (lambda m: (m.tensor([float("nan")]), m.tensor([float("nan")])), {"equal_nan": True}), (lambda m: (m.ones(2), m.ones(2) * 1.1), {"rtol": 0, "atol": 0.2}),
    (lambda m: (m.ones(2), m.zeros(2)), {"rtol": 0.0, "atol": 0.0}), (lambda m: (m.ones(2, 3).t(), m.ones(3, 2)), {"check_stride": True}),
    (lambda m: (m.ones(2), m.zeros(2)), {"msg": "mine"}), (lambda m: (m.ones(2), m.zeros(2)), {"msg": lambda x: "before: " + x[:9]}),
    (lambda m: (m.ones(2), 1.0), {}), (lambda m: ("a", "b"), {}), (lambda m: (m.ones(2), m.ones(2)), {"rtol": 1.0}), (lambda m: (None, None), {}),
    (lambda m: (np.ones(2), np.ones(2)), {}), (lambda m: (np.ones(2), np.zeros(2)), {}), (lambda m: (m.tensor([True]), m.tensor([False])), {}),
]


@pytest.mark.parametrize("pair, options", CASES)
def test_assert_close(pair, options):
    try:
        torch.testing.assert_close(*pair(torch), **options)
    except (AssertionError, TypeError, ValueError) as error:
        with pytest.raises(type(error)) as caught:
            assert_close(*pair(fg), **options)
        if not isinstance(error, TypeError):
            assert str(caught.value) == str(error)
    else:
        assert_close(*pair(fg), **options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("options", [{}, {"noncontiguous": True}, {"exclude_zero": True}, {"low": 1, "high": 5}])
def test_make_tensor(dtype, options):
    options = {} if dtype == "bool" and "low" in options else options
    for shape in ((500, 4), (3,), (), (0,)):
        x = make_tensor(shape, dtype=getattr(fg, dtype), **options)
        assert tuple(x.shape) == shape and str(x.dtype) == f"torch.{dtype}"
        if x.numel() > 1:
            assert x.is_contiguous() != bool(options.get("noncontiguous"))
        if x.numel() > 1000:
            values = x.numpy().astype(float)
            low, high = (1, 5) if "low" in options else (0, 2) if dtype == "bool" else (0, 10) if dtype == "uint8" else (-9, 10)
            assert values.min() >= low and values.max() <= high and (dtype == "bool" or values.max() - values.min() > 0.7 * (high - low) - 1)
            assert not options.get("exclude_zero") or values.all()


@pytest.mark.parametrize("options", [{"low": 2, "high": 1}, {"low": float("nan")}])
def test_make_tensor_refuses(options):
    with pytest.raises(ValueError):
        torch.testing.make_tensor((2,), dtype=torch.float32, device="cpu", **options)
    with pytest.raises(ValueError):
        make_tensor((2,), dtype=fg.float32, **options)
