"""Embedding and bags of embeddings against PyTorch: values, gradients, second gradients, errors."""

import fastgrad
import numpy as np
import pytest
import torch

TABLE = np.random.RandomState(0).randn(6, 3) * 2


def same(observe, rtol=1e-12):
    for a, b in zip(observe(torch), observe(fastgrad), strict=True):
        np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("padding", [None, 1, -2])
@pytest.mark.parametrize("frequency", [False, True])
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_embedding(padding, frequency, dtype):
    def observe(lib):
        table = lib.from_numpy(TABLE.copy()).requires_grad_()
        index = lib.tensor([[1, 0, 4], [4, 1, 5]], dtype=getattr(lib, dtype))
        y = lib.nn.functional.embedding(index, table, padding, scale_grad_by_freq=frequency)
        (first,) = lib.autograd.grad((y**3).sum(), table, create_graph=True)
        results = [y, first]
        if not frequency:
            results += lib.autograd.grad((first**2).sum(), table)
        return results

    same(observe)


@pytest.mark.parametrize("norm", [1.0, 2.0, float("inf")])
def test_rows_are_scaled_down_to_max_norm(norm):
    def observe(lib):
        table = lib.from_numpy(TABLE.copy()).requires_grad_()
        y = lib.nn.functional.embedding(lib.tensor([1, 3, 3]), table, max_norm=1.5, norm_type=norm)
        y.sum().backward()
        return y, table, table.grad

    same(observe)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 1])
@pytest.mark.parametrize("last", [False, True])
def test_bags(mode, padding, last):
    def observe(lib):
        table = lib.from_numpy(TABLE.copy()).requires_grad_()
        offsets = lib.tensor([0, 0, 3, 4, *([6] if last else [])])
        y = lib.nn.functional.embedding_bag(lib.tensor([1, 2, 4, 5, 1, 3]), table, offsets, mode=mode, padding_idx=padding,
                                            include_last_offset=last)
        z = lib.nn.functional.embedding_bag(lib.tensor([[1, 2], [4, 4]]), table, mode=mode)
        ((y**2).sum() + (z**2).sum()).backward()
        return y, z, table.grad

    same(observe)


def test_weighted_bags():
    def observe(lib):
        table = lib.from_numpy(TABLE.copy()).requires_grad_()
        factors = lib.tensor([0.5, -1.0, 2.0], dtype=lib.float64, requires_grad=True)
        y = lib.nn.functional.embedding_bag(lib.tensor([1, 2, 1]), table, lib.tensor([0, 2]), mode="sum", per_sample_weights=factors)
        (y**2).sum().backward()
        return y, table.grad, factors.grad

    same(observe)


@pytest.mark.parametrize("make", [
    lambda n: n.Embedding(5, 3),
    lambda n: n.Embedding(5, 3, padding_idx=-1, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True),
    lambda n: n.EmbeddingBag(5, 3, mode="sum", padding_idx=2),
])
def test_layers_start_alike(make):
    def observe(lib):
        lib.manual_seed(3)
        layer = make(lib.nn)
        return repr(layer), layer.weight.detach().numpy().tolist(), layer.weight.requires_grad

    assert observe(torch) == observe(fastgrad)


def test_a_given_table_is_frozen():
    given = fastgrad.ones(2, 3)
    layer = fastgrad.nn.Embedding.from_pretrained(given)
    assert not layer.weight.requires_grad and layer.weight.data_ptr() == given.data_ptr()


@pytest.mark.parametrize(("call", "words"), [
    (lambda lib: lib.nn.functional.embedding(lib.tensor([6]), lib.ones(6, 2)), "index out of range"),
    (lambda lib: lib.nn.functional.embedding(lib.tensor([-1]), lib.ones(6, 2)), "index out of range"),
    (lambda lib: lib.nn.functional.embedding(lib.tensor([1.0]), lib.ones(6, 2)), "indices"),
    (lambda lib: lib.nn.functional.embedding(lib.tensor([1]), lib.ones(6)), "must be 2-D"),
    (lambda lib: lib.nn.functional.embedding(lib.tensor([1]), lib.ones(6, 2), 6), "num_embeddings"),
    (lambda lib: lib.nn.functional.embedding_bag(lib.tensor([1]), lib.ones(6, 2)), "offsets"),
    (lambda lib: lib.nn.functional.embedding_bag(lib.tensor([1]), lib.ones(6, 2), lib.tensor([1])), r"offsets\[0\]"),
    (lambda lib: lib.nn.functional.embedding_bag(lib.tensor([1]), lib.ones(6, 2), lib.tensor([0]), mode="x"), "mode"),
])
def test_errors(call, words):
    with pytest.raises(Exception, match=words) as expected:
        call(torch)
    with pytest.raises(expected.type, match=words):
        call(fastgrad)


def test_sparse_gradients_are_refused():
    with pytest.raises(NotImplementedError, match="sparse"):
        fastgrad.nn.Embedding(3, 2, sparse=True)(fastgrad.tensor([1]))
