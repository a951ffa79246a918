"""Calls at the edge of what functions take: PyTorch's value, dtype, shape and strides, or its class of error."""

import math

import numpy as np
import pytest
import torch

import fastgrad as fg

SETUP = """
L, F = lib.tensor, lib.nn.functional
def rn(*shape, seed=0, dtype=None):
    return L(np.random.default_rng(seed).standard_normal(shape), dtype=dtype or lib.float64)
def cn(*shape, seed=0, dtype=None):
    r = np.random.default_rng(seed)
    return L(r.standard_normal(shape) + 1j * r.standard_normal(shape), dtype=dtype or lib.complex128)
def grads(f, *xs):
    xs = [x.clone().requires_grad_() for x in xs]
    out = f(*xs)
    (out.abs() if out.is_complex() else out).sum().backward()
    return [out] + [x.grad for x in xs]
"""


def plain(value):
    if isinstance(value, (torch.Tensor, fg.Tensor)):
        return str(value.dtype).rpartition(".")[2], tuple(value.shape), tuple(value.stride()), value.requires_grad, np.array(value.tolist())
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def outcome(call, lib):
    names = {"lib": lib, "np": np, "inf": math.inf, "nan": math.nan}
    exec(SETUP, names)
    lib.manual_seed(0)
    *before, last = call.split("; ")
    try:
        exec("\n".join(before), names)
        return plain(eval(last, names))
    except (NameError, SyntaxError):            # the test's own
        raise
    except Exception as error:
        return type(error).__name__


def assert_equal(found, expected, call):
    if isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), f"{call}: {found} instead of {expected}"
        for pair in zip(found, expected):
            assert_equal(*pair, call)
    elif isinstance(expected, tuple):
        assert isinstance(found, tuple) and found[:4] == expected[:4], f"{call}: {found} instead of {expected}"
        np.testing.assert_allclose(found[4], expected[4], rtol=1e-5, atol=1e-6, err_msg=call)
    else:
        assert found == expected, f"{call}: {found} instead of {expected}"


def check(call):
    expected = outcome(call, torch)
    assert_equal(outcome(call, fg), expected, call)


EMPTY = [f"lib.linalg.{call.format(shape)}" for shape in ("(0, 0)", "(0, 3)", "(3, 0)", "(2, 0, 0)", "(0, 2, 2)") for call in (
    *(f"cond(lib.ones({{}}), {p})" for p in ("None", "2", "-2", "inf", "1", "'fro'")), *(f"matrix_norm(lib.ones({{}}), {p})" for p in ("2", "-2", "inf", "1", "'nuc'")),
    "norm(lib.ones({}), 2, (-2, -1))", "norm(lib.ones({}), inf)")]

CALLS = EMPTY + """grads(lambda x: x.logcumsumexp(0), cn(5))
grads(lambda x: x.logcumsumexp(-2), cn(3, 5, 2))
grads(lambda x: x.logcumsumexp(0), cn())
(cn(3, 5) * 500).logcumsumexp(1)
L([1+1j, complex(-inf, 0), 2, complex(-inf, 1), 3]).logcumsumexp(0)
L([complex(-inf, 1), complex(-inf, 2)]).logcumsumexp(0)
L([complex(inf, 1), complex(inf, 2)]).logcumsumexp(0)
L([complex(1, 0), complex(1, nan)]).logcumsumexp(0)
cn(3, 5, dtype=lib.complex64).logcumsumexp(1)
grads(lib.logaddexp, cn(3, 1), cn(5, seed=1))
lib.logaddexp(cn(5) * 1000, cn(5, seed=1) * 1000)
lib.logaddexp(cn(5), lib.ones(5))
lib.logaddexp(L([complex(-inf, 1)]), L([complex(-inf, 2)]))
lib.logaddexp(L([complex(inf, 1)]), L([complex(1, 0)]))
lib.logaddexp2(cn(3), cn(3))
lib.logaddexp(L([complex(inf, 1)]), L([complex(inf, 2)]))
lib.logaddexp(L([complex(nan, 1)]), L([complex(1, 0)]))
lib.nan_to_num(L([complex(nan, inf)]))
lib.nan_to_num(L([complex(nan, -inf), 1j]), 1.5, 3.0, -4.0)
L([complex(nan, inf)]).nan_to_num_()
grads(lib.nan_to_num, cn(2))
grads(lambda x: lib.norm(x, "nuc"), cn(3, 4))
grads(lambda x: lib.norm(x, "nuc", dim=(0, 2)), cn(2, 3, 4))
lib.norm(cn(3, 4, dtype=lib.complex64), "nuc")
lib.fft.fftfreq(0)
lib.fft.rfftfreq(0)
lib.fft.fftfreq(-1)
lib.fft.fftfreq(5, 0.0)
lib.fft.rfftfreq(4, 0.0)
lib.fft.fftfreq(5, dtype=lib.int64)
lib.fft.fftfreq(5.0)
lib.fft.fftfreq(True)
lib.fft.fftfreq(np.int64(4))
lib.fft.rfftfreq(L(5))
lib.set_warn_always(1)
rn(2, 3, 4).swapaxes(axis0=0, axis1=-1)
rn(2, 3, 4).swapaxes_(axis0=0, axis1=-1)
rn(2, 3, 4).swapdims_(dim0=0, dim1=-1)
lib.vmap(lambda x: x.clone().swapaxes_(axis0=0, axis1=1))(rn(2, 3, 4))
lib.ones(3, 4).scatter_reduce_(0, lib.zeros(1, 4).long(), lib.ones(1, 4), "sum", False)
lib.ones(3).index_put_((L([0]),), L(3.0), 1)
lib.ones(3).scatter_(0.0, L([0]), 2.0)
lib.block_diag()
lib.block_diag(1)
lib.meshgrid()
lib.cartesian_prod()
lib.broadcast_tensors()
lib.atleast_2d()
lib.linalg.diagonal(rn(2, 3, 4))
lib.linalg.diagonal(rn(2, 3, 4), offset=1, dim1=0)
lib.histogram(L([1.0, 2.0, 4.0]))
lib.searchsorted(L([1, 3, 5, 7]), L([3.5, nan, 1.0]))
lib.searchsorted(L([1.0, 3, 5, 7]), L([3, 6, 9], dtype=lib.int32), right=True)
lib.searchsorted(L([[1.0, 3, 5], [2, 4, 6]]), L([[3, 6], [1, 2]]), side="right", right=False)
lib.searchsorted(L([1, 3, 5, 7]), L([3, 6]), sorter=L([0, 1, 2, 4]))
lib.searchsorted(L([1, 3, 5, 7]), L([3, 6]), sorter=L([0, 1, 2, 3]).int())
lib.searchsorted(L([1, 3, 5, 7]), L([3, 6]), side="left", right=True)
lib.searchsorted(L([1, 3, 5, 7]), L([3, 6]), side=1)
lib.searchsorted(L([1, 3]), "a")
lib.searchsorted(L([False, True]), L([True]))
lib.bucketize(L([[3, 6], [1, 2]]).t(), L([1.0, 3, 5, 7]), right=True, out_int32=True)
lib.bucketize(None, L([1.0]))
lib.zeros(True)
lib.zeros(2, True)
lib.zeros(2**70)
lib.zeros((2, 2**70))
lib.full(2, 1)
lib.full((2,), 2**63)
lib.full((2,), 2**63, dtype=lib.float32)
lib.full((2,), 2**70)
lib.arange(2**63)
lib.arange(2**63, 2**63 + 3)
lib.tensor(2.0, requires_grad=1)
lib.ones(2).requires_grad_(1)
lib.ones(2, requires_grad=1)
lib.nn.Parameter(lib.ones(2), 1).requires_grad
x = lib.zeros(2); x[0] = 2**63; x
x = lib.zeros(2); x[:] = 2**70; x
x = lib.zeros(2); x.fill_(2**63)
x = lib.zeros(2, dtype=lib.int64); x[0] = 2**63; x
x = lib.zeros(2, dtype=lib.int64); x.fill_(2**63)
lib.zeros(2, dtype=lib.int64) + 2**63
lib.zeros(2, dtype=lib.int64) + 2**64
lib.zeros(2, dtype=lib.int64) == 2**63
lib.zeros(3)[2**70]
lib.zeros(3)[:2**70]
lib.ones(2, 3).sum(True)
lib.ones(2, 3).sum((True,))
lib.ones(2, 3).sum(L(0))
lib.ones(2, 3).sum(0, keepdim=1)
lib.ones(2, 3).sum(0, keepdim=np.bool_(True))
lib.ones(2, 3).cumsum(True)
lib.ones(2, 3).cumsum(L(0, dtype=lib.uint8))
lib.ones(2, 3).cumsum(2**70)
lib.ones(2, 3).size(True)
lib.ones(2, 3).amax(L([0]) * 1.0)
lib.ones(2, 3).argmax(lib.ones(2))
lib.ones(2, 3).all(1.5)
lib.linalg.inv_ex(lib.eye(2), check_errors=1)
lib.cholesky(lib.eye(2), "a")
lib.renorm(lib.ones(2, 2), 2, 1.5, 1.0)
lib.group_norm(lib.ones(2, 2), lib.ones(2, 2))
lib.pixel_shuffle(lib.ones(1, 4, 2, 2), 2.0)
lib.combinations(L([1, 2]), True)
lib.channel_shuffle(lib.ones(1, 4, 2), None)
lib.alpha_dropout(lib.ones(2), 0.5, 1)
lib.diagonal_copy(lib.ones(2, 2), "a")
lib.quantile(lib.ones(3), 0.5, lib.ones(2))
lib.index_select(lib.ones(3), 0, L([5]))
lib.index_select(lib.ones(3, 2), 1, L([5]))
lib.index_select(lib.ones(3, 2), 0, L([-1]))
lib.take(lib.ones(3), L([0.0]))
F.cosine_similarity(rn(2, 3).float(), L([[1, 2, 3], [0, 1, 0]]))
F.max_pool1d(lib.ones(1, 1, 4).int(), 2)
F.max_pool1d(lib.ones(1, 1, 4).int(), 2, return_indices=True)
F.avg_pool1d(lib.ones(1, 1, 4).int(), 2)
F.avg_pool2d(lib.ones(1, 1, 4, 4).long(), 2)
F.avg_pool3d(lib.ones(1, 1, 4, 4, 4).bool(), 2)
F.rrelu(lib.ones(4).int())
F.glu(lib.ones(4).int())""".split("\n")


@pytest.mark.parametrize("call", CALLS)
def test_outcome(call):
    check(call)


def test_the_second_gradient_of_the_nuclear_norm_of_complex_matrices():
    check("x = cn(3, 4).requires_grad_(); g = lib.autograd.grad(lib.norm(x, 'nuc'), x, create_graph=True)[0]; lib.autograd.grad((g * cn(3, 4, seed=1)).real.sum(), x)")


@pytest.mark.parametrize("call", [
    "x.add(2, y)", "x.add_(-0.5, y)", "lib.sub(x, 2, y)", "x.addcmul_(2, y, y)", "x.addcdiv(2, y, y)", "lib.addmm(2, m, m, m)", "lib.addmm(2, m, 3, m, m)",
    "m.addmm_(2, m + 1, m + 2)", "m.addmm(2, 3, m, m)", "lib.addmv(2, x, m, y)", "lib.addr(2, m, x, y)", "lib.baddbmm(2, m[None], m[None], m[None])", "x.add(y, 2)",
    "x.add(2, 3, y)", "x.add('a', y)", "lib.add(2, x, y)", "lib.addcmul(x, y, 2, y)", "x.addcmul_(y, 2, y)", "lib.addmm(2, 3, m, m, m)", "lib.addmm(2, m, m, 3, m)", "m.addmm_(m, 2, m)", "x.mul(2, y)", "x.add(2, y, alpha=3)"])
@pytest.mark.filterwarnings("ignore")
def test_numbers_before_tensors(call):
    """The order of before 2019, in which old optimizers are written."""
    check(f"x, y, m = rn(2), rn(2, seed=1), rn(2, 2); {call}")


CTC = """def ctc(lp, targets, inputs, lengths, **more):
    lp = lp.clone().requires_grad_()
    out = F.ctc_loss(lp, targets, inputs, lengths, **more)
    out.sum().backward()
    return out, lp.grad
def every(*args, **more):
    return [ctc(*args, **more, reduction=r, zero_infinity=z) for r in ("none", "mean", "sum") for z in (False, True)]
lp, labels = rn(5, 2, 4).log_softmax(2), L([[1, 2], [2, 2]])
certain = lp.clone()
certain[2, 0, 1] = -inf
never = lp.clone()
never[:, 0, 2] = -inf
"""


@pytest.mark.parametrize("call", [
    "every(lp, labels, (5, 5), (2, 2))", "every(lp, labels, (5, 0), (2, 2))", "every(lp, labels, (0, 0), (0, 0))", "every(lp, labels, (0, 5), (0, 0))",
    "every(lp, labels, (5, 2), (0, 2))", "every(lp, labels, (1, 2), (2, 2))", "every(lp, labels, (1, 5), (2, 2))", "every(lp, L([1, 2, 2, 2]), (1, 5), (2, 2))",
    "every(certain, labels, (5, 5), (2, 2))", "every(never, labels, (5, 5), (2, 2))", "every(lp * L(inf), labels, (5, 5), (2, 2))",
    "every(lp[:, 0], L([1, 2]), L(5), L(2))", "every(lp[:, 0], L([1, 2]), (5,), (2,))", "every(lp, labels.float(), L([5, 5]).int(), L([2, 2]))",
    "F.ctc_loss(lp, L([1, 2, 2, 2, 3]), (5, 5), (2, 2))", "F.ctc_loss(lp, L([1, 2, 2]), (5, 5), (2, 2))", "F.ctc_loss(lp, labels, (5, 6), (2, 2))",
    "F.ctc_loss(lp, labels, (5, -1), (2, 2))", "F.ctc_loss(lp, labels, (5, 5), (2, -1))", "F.ctc_loss(lp, labels, (5, 5), (2, 3))", "F.ctc_loss(lp, labels, (5,), (2, 2))",
    "F.ctc_loss(lp, labels, L([5.0, 5.0]), L([2, 2]))", "F.ctc_loss(lp, labels, L([5, 5]), (2, 2))", "F.ctc_loss(lp, labels, 5, 2)", "F.ctc_loss(lp.half(), labels, (5, 5), (2, 2))", "F.ctc_loss(lp.long(), labels, (5, 5), (2, 2))",
    "F.ctc_loss(lp[:0], labels, (0, 0), (2, 2))", "F.ctc_loss(lp[None], labels, (5, 5), (2, 2))", "F.ctc_loss(lp, labels[None], (5, 5), (2, 2))",
    "F.ctc_loss(lp, labels[:1], (5, 5), (2, 2))", "F.ctc_loss(lp, None, (5, 5), (2, 2))", "lib.ctc_loss(lp, labels, (5, 5), (2, 2))", "lib.ctc_loss(lp, labels, (5, 5), (2, 2), 0, 2)"])
def test_ctc_loss(call, monkeypatch):
    monkeypatch.setitem(globals(), "SETUP", SETUP + CTC)
    check(call)


def test_ctc_loss_refuses_labels_that_pytorch_reads_out_of_bounds():
    with pytest.raises(RuntimeError, match="targets must be below the number of classes"):
        fg.nn.functional.ctc_loss(fg.zeros(5, 1, 4), fg.tensor([[4]]), (5,), (1,))


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample_at_places_that_are_no_numbers(mode, padding, aligned):
    for places in ("nan, 0.1", "0.1, nan", "nan, nan", "inf, 0.1", "0.1, -inf"):
        check(f"F.grid_sample(rn(2, 2, 4, 5), L([{places}]).double().expand(2, 3, 3, 2), '{mode}', '{padding}', {aligned})")
        if mode != "bicubic":
            check(f"F.grid_sample(rn(1, 2, 3, 4, 5), L([{places}, 0.2]).double().expand(1, 3, 3, 2, 3), '{mode}', '{padding}', {aligned})")
        if mode != "bicubic" and padding == "zeros":        # PyTorch's gradient ends the process elsewhere
            check(f"grads(lambda x, g: F.grid_sample(x, g, '{mode}', 'zeros', {aligned}), rn(1, 2, 3, 4, 5), L([{places}, 0.2]).double().repeat(1, 3, 3, 2, 1))")


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_interpolate_bytes(mode, antialias, aligned):
    for how in ("size=(5, 5)", "size=13", "size=(4, 9)", "size=(9, 3)", "scale_factor=0.6", "scale_factor=1.7", "scale_factor=1.7, recompute_scale_factor=True"):
        for order in ("contiguous", "channels_last"):
            x = f"L(np.random.default_rng(0).integers(0, 256, (2, 3, 9, 7)), dtype=lib.uint8).to(memory_format=lib.{order.replace('contiguous', 'contiguous_format')})"
            check(f"F.interpolate({x}, {how}, mode='{mode}', align_corners={aligned}, antialias={antialias})")


@pytest.mark.parametrize("call", [
    "F.interpolate(rn(1, 2, 5).int(), 3, mode='linear')", "F.interpolate(rn(1, 2, 5).abs().to(lib.uint8), 3, mode='linear')",
    "F.interpolate(rn(1, 2, 5, 5).half(), 3, mode='bilinear', antialias=True)", "F.interpolate(rn(1, 2, 5, 5).bool(), 3, mode='bilinear')",
    "F.scaled_dot_product_attention(rn(2, 3, 4), rn(2, 5, 4), rn(2, 5, 4), attn_mask=lib.ones(3, 5).tril().bool(), is_causal=True)",
    "grads(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=lib.ones(3, 5).tril(-1).bool()), rn(2, 3, 4), rn(2, 5, 4), rn(2, 5, 4))",
    "grads(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=lib.full((3, 5), -inf)), rn(2, 2, 3, 4), rn(2, 2, 5, 4), rn(2, 2, 5, 4))",
    "grads(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True), rn(2, 4, 3, 4), rn(2, 2, 5, 4), rn(2, 2, 5, 4))",
    "F.scaled_dot_product_attention(rn(2, 4, 3, 4), rn(2, 3, 5, 4), rn(2, 3, 5, 4), enable_gqa=True)", "F.scaled_dot_product_attention(rn(2, 3, 4), None, rn(2, 5, 4))",
    "F.scaled_dot_product_attention(rn(2, 3, 4), rn(2, 5, 4), rn(2, 5, 4), attn_mask=lib.ones(3, 5).int())", "F.alpha_dropout(None)"])
def test_images_and_attention(call):
    check(call)


NAMES = """lib.kl_div(rn(2, 3), rn(2, 3).abs())
lib.kl_div(rn(2, 3), rn(2, 3), 1, log_target=True)
lib.kl_div(rn(2, 3), rn(2, 3), "mean")
lib.poisson_nll_loss(rn(3), rn(3).abs(), True, False, 1e-8, 1)
lib.hinge_embedding_loss(rn(3), L([1.0, -1, 1]), 1.0, 2)
lib.cosine_embedding_loss(rn(2, 3), rn(2, 3, seed=1), L([1, -1]), 0.1)
lib.margin_ranking_loss(rn(3), rn(3, seed=1), L([1, -1, 1]), 0.5, 1)
lib.triplet_margin_loss(rn(2, 3), rn(2, 3, seed=1), rn(2, 3, seed=2), reduction=2)
lib.adaptive_max_pool1d(rn(1, 2, 6), 3)
lib.max_pool1d_with_indices(rn(1, 2, 6), 2)
F.max_pool2d_with_indices(rn(1, 2, 6, 4), 2)
F.adaptive_max_pool2d_with_indices(rn(1, 2, 6, 4), 2, False)
F.max_pool1d_with_indices(rn(1, 2, 6), 2, 2, 0, 1, False)
lib.affine_grid_generator(rn(1, 2, 3), (1, 1, 2, 2), False)
grads(lambda x, w, b: lib.conv_tbc(x, w, b, 1), rn(5, 2, 3), rn(2, 3, 4), rn(4))
F.conv_tbc(rn(5, 2, 3), rn(2, 2, 4), rn(4))
lib.native_dropout(rn(40).float(), 0.3, True)
lib.native_dropout(rn(40).float(), 0.3, None)
lib.native_dropout(rn(4), 0.3, False)
lib.native_dropout(rn(4), 1.0, True)
lib.native_dropout(rn(4), 1.5, True)
x = rn(40).float(); lib.dropout_(x, 0.5, True)
x = rn(40).float(); lib.alpha_dropout_(x, 0.5, True)
x = rn(4, 5, 2).float(); lib.feature_dropout_(x, 0.5, True)
lib.frobenius_norm(rn(2, 3, 4), (0, 1), True)
lib.nuclear_norm(rn(3, 4))
lib.nuclear_norm(cn(2, 3, 4), (0, 1))
lib.lstm(rn(5, 2, 3), (rn(2, 2, 4), rn(2, 2, 4)), [rn(16, 3), rn(16, 4), rn(16), rn(16)] * 2, True, 1, 0.0, False, True, False)
lib.gru(rn(2, 5, 3), rn(1, 2, 4), [rn(12, 3), rn(12, 4)], False, 1, 0.0, False, False, True)
lib.rnn_tanh(rn(5, 2, 3), rn(2, 2, 3), [rn(3, 3), rn(3, 3), rn(3), rn(3)] * 2, True, 2, 0.0, False, False, False)
lib.lstm_cell(rn(2, 3), (rn(2, 4), rn(2, 4)), rn(16, 3), rn(16, 4), rn(16), rn(16))
lib.gru_cell(rn(2, 3), rn(2, 4), rn(12, 3), rn(12, 4))
lib.rnn_relu_cell(rn(2, 3), rn(2, 4), rn(4, 3), rn(4, 4), rn(4), rn(4))
lib.slice_copy(rn(5, 2), 0, 1, None, 2)
lib.detach_copy(rn(2).requires_grad_())
lib.view_as_real_copy(cn(2))
lib.view_as_complex_copy(rn(2, 2))
lib.unsafe_split_with_sizes(rn(5), (2, 3))
lib.is_signed(L([1], dtype=lib.uint8))
lib.is_same_size(rn(2), rn(3))
lib.functional.norm(rn(2))
m = lib.nn.Sequential(lib.nn.BatchNorm1d(2), lib.nn.Linear(2, 2)); lib.func.replace_all_batch_norm_modules_(m); [m[0].running_mean, m[0].running_var, m[0].track_running_stats, m.state_dict().keys().__len__()]"""


@pytest.mark.parametrize("call", NAMES.split("\n"))
def test_functions_of_the_top_level(call):
    check(call)


LAYOUTS = ["rn(2, 4, 6, 4).to(memory_format=lib.channels_last)", "rn(2, 4, 2, 4, 2).to(memory_format=lib.channels_last_3d)", "rn(2, 3, 4).permute(2, 0, 1)",
           "rn(4, 6, 4)[1:, ::2].permute(2, 0, 1)", "rn(4, 6)[:, ::2]", "rn(4, 3).t()", "rn(1, 3, 1).expand(2, 3, 4)"]
LAID_OUT = ["x.sort(0)", "x.sort(-1, descending=True)", "x.argsort(0)", "x.msort()", "x.masked_fill(x > 0.5, 1.0)", "x.masked_fill(L(True), 1.0)",
            "x.renorm(2, 0, 0.5)", "x.roll(1, 0)", "x.roll((1, 1), (0, 1))", "lib.stack([x, x])", "lib.stack([x, x], 1)", "lib.stack([x, x], -1)",
            "lib.stack([x, x.contiguous()])", "lib.stack([x, x.float()], x.ndim - 1)", "lib.cat([x, x], 1)", "x.clone()", "x.to(lib.float32)", "x.double()", "x.contiguous()",
            "x.clone(memory_format=lib.contiguous_format)", "lib.fft.fftshift(x)"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("call", LAID_OUT)
def test_memory_order(call, layout):
    check(f"x = {layout}; {call}")


@pytest.mark.parametrize("call", ["F.pixel_shuffle(x, 2)", "F.pixel_unshuffle(x, 2)", "F.channel_shuffle(x, 2)"])
def test_memory_order_of_rearranged_images(call):
    check(f"x = {LAYOUTS[0]}; {call}")
    check(f"x = rn(2, 4, 6, 4); {call}")


ARGUMENTS = """F.soft_margin_loss(rn(3), L([1.0, 1, 1]), size_average=0)
F.soft_margin_loss(rn(3), L([1.0, 1, 1]), reduce=0)
F.multilabel_soft_margin_loss(rn(2, 3), rn(2, 3, seed=1), size_average=0)
F.multilabel_soft_margin_loss(rn(3), rn(2, 3, seed=1))
F.multilabel_soft_margin_loss(rn(3), rn(2, 3, seed=1), reduction="none")
F.kl_div(rn(3), L([0, 1, 1]))
F.kl_div(cn(3), rn(3))
F.cosine_embedding_loss(rn(2, 3), rn(2, 3), lib.ones(2, 1))
F.cosine_embedding_loss(rn(3), rn(3), lib.ones(1))
F.cosine_embedding_loss(rn(3), rn(3, seed=1), lib.ones(()).double())
F.cosine_embedding_loss(rn(2, 3), rn(1, 3, seed=1), L([1, -1]))
F.cosine_embedding_loss(rn(2, 3), rn(2, 3), 1)
F.cosine_embedding_loss(1, rn(2, 3), L([1, -1]))
F.triplet_margin_loss(rn(2, 3), rn(3), rn(2, 3))
F.triplet_margin_loss(rn(2, 3), 1, rn(2, 3))
F.triplet_margin_with_distance_loss(rn(2, 3), rn(2, 3), rn(3))
F.multi_margin_loss(rn(2, 3), 1)
F.multi_margin_loss(1, rn(3))
F.binary_cross_entropy_with_logits(rn(3), L([0, 1, 1]))
F.binary_cross_entropy_with_logits(rn(3), rn(3) > 0)
F.binary_cross_entropy_with_logits(L([0, 1, 1]), rn(3))
F.binary_cross_entropy(rn(3).sigmoid(), L([0, 1, 1]))
F.binary_cross_entropy(rn(3).sigmoid(), rn(3).sigmoid().float())
F.cross_entropy(rn(2, 3, dtype=lib.float32), rn(2, 3, dtype=lib.float32).abs(), weight=rn(3, seed=2))
F.cross_entropy(rn(2, 3, dtype=lib.float32), L([0, 1]), weight=rn(3, seed=2))
F.celu(rn(3), alpha=0)
F.celu_(rn(3), 0)
lib.celu(rn(3), alpha=-1)
F.elu_(rn(3), 0.5, 2, 3)
grads(lambda x: F.elu_(x.clone(), 0.5, 2, 3), rn(3))
F.hardtanh_(rn(3), 1.5)
F.hardtanh(rn(3), 1.5)
F.fold(rn(1, 8, 4), (3, 3), (2, 2)).view(-1)
F.fold(rn(8, 4), (3, 3), (2, 2))
F.embedding_bag(L([0, 1, 0]), rn(2, 3, dtype=lib.float32), L([0, 2, 1]))
F.embedding_bag(L([0, 1, 0]), rn(2, 3, dtype=lib.float32), L([0, 2, 1, 3]), mode="sum", include_last_offset=True)
F.embedding_bag(L([0, 1, 0, 1]), rn(2, 3, dtype=lib.float32), L([0, 2, 3]), mode="sum", include_last_offset=True)
F.group_norm(lib.empty(2, 0), 0)
F.group_norm(rn(2, 4), -1)
F.group_norm(rn(2, 3), 1.0)
F.layer_norm(rn(2, 2), (2,), 1)
F.rms_norm(rn(2, 2), (2,), 1)
F.batch_norm(rn(2, 2), 2, rn(2))
F.batch_norm(rn(2, 2), rn(2), 2)
F.instance_norm(rn(2, 3, 4), 1)
lib.hann_window(7.5)
lib.hann_window(True)
lib.signal.windows.hann(3.5)
F.interpolate(rn(1, 1, 4), size=3.7)
F.interpolate(rn(1, 1, 4), size=(3.0,))
lib.repeat_interleave(rn(3), 0.5)
lib.randint(5, 3)
lib.aminmax(rn(2, 3), dim=(0, 1))
lib.finfo(None)
lib.finfo(float).bits
lib.finfo(type=lib.float32).eps
lib.finfo("float32")
lib.iinfo(None)
lib.iinfo(int).max
lib.var(rn(3), unbiased=True, correction=1)
rn(3).std(0, unbiased=True, correction=1)
lib.trapezoid(rn(3), 2)
lib.chain_matmul(1)
lib.chain_matmul(rn(2, 2), 1)
lib.take_along_dim(rn(3), L([0, 1], dtype=lib.int32))
lib.take_along_dim(rn(3), L([0, 1], dtype=lib.int32), 0)
lib.linalg.lstsq(rn(3, 2), rn(2, 3, 1))
lib.linalg.lstsq(rn(2, 3, 2), rn(3))
lib.linalg.lstsq(rn(2, 3, 2), rn(3, 2))
lib.linalg.lstsq(rn(2, 3, 2), rn(1, 3))
lib.linalg.lstsq(rn(3, 2), L(1.0).double())
lib.linalg.lstsq(rn(3, 2), rn(3)).residuals
lib.linalg.lstsq(rn(3, 2), rn(3), driver="gelsd").residuals
lib.linalg.lstsq(rn(2, 3, 2), rn(2, 3)).rank
F.rms_norm(cn(2, 3), (3,), cn(3, seed=1))
grads(lambda x, w: F.rms_norm(x, (2, 3), w, 0.1), cn(4, 2, 3), cn(2, 3, seed=1))
x = rn(3); [lib.func.jvp(lambda x: x.mul_(2).sin_() * x, (x,), (rn(3, seed=1),)), x]
lib.func.jacfwd(lambda x: x.mul_(2).exp_())(rn(3)).contiguous()
lib.func.linearize(lambda x: x.mul_(2), rn(3))[1](rn(3, seed=1))
lib.func.grad(lambda x: x.mul_(2).sum())(rn(3))
lib.float32.__module__ == lib.__name__"""


@pytest.mark.parametrize("call", ARGUMENTS.split("\n"))
def test_arguments_of_another_kind(call):
    check(call)


GRADIENTS = """lib.func.grad(lambda x: x.mean(0))(rn(3))
lib.func.grad(lambda x: x.mean((0, 1)))(rn(2, 3))
lib.func.grad(lambda x: x.sum())(rn(3))
lib.func.grad(lambda x: F.adaptive_avg_pool2d(x, 1).sum())(rn(1, 2, 3, 3))
x = rn(2, 3).requires_grad_(); lib.autograd.grad(x.mean(), x)[0].mul_(2)
x = rn(2, 3).requires_grad_(); lib.autograd.grad(x.mean(), x, create_graph=True)[0]
x = rn(2, 3).requires_grad_(); x.mean().backward(inputs=[x]); x.grad.add_(1).view(-1)
x = rn(2, 3).requires_grad_(); x.sum().backward(); x.grad.add_(1).view(-1)
x = rn(1, 3).requires_grad_(); x.expand(2, 3).sum().backward(); x.grad.add_(1).view(-1)
x = rn(2, 3).requires_grad_(); x.sum().backward(create_graph=True); x.grad.detach().add_(1).view(-1)"""


@pytest.mark.parametrize("call", GRADIENTS.split("\n"))
def test_gradients_as_they_lie_in_memory(call):
    check(call)


NORMS = ["F.batch_norm(x, m, v, w, b, True)", "F.batch_norm(x, m, v)", "F.layer_norm(x, (3,), w, b)", "F.layer_norm(x, (3,), None, b)", "F.group_norm(x, 1, w, b)",
         "F.instance_norm(x[..., None] * L([1, 2, 4]).to(x.dtype), m, v, w, b)[..., 0]", "F.instance_norm(x[..., None], m, v, w, b, False)"]


@pytest.mark.parametrize("dtypes", ["hhhh", "hfff", "hfhh", "hhff", "hdff", "ffff", "fddd", "ffdf", "fffd", "dfff", "dddf", "dddd"])
@pytest.mark.parametrize("call", NORMS)
def test_dtypes_of_norms(call, dtypes):
    """Of the input, the weight, the bias and the running statistics."""
    x, w, b, m = (f"lib.float{ {'h': 16, 'f': 32, 'd': 64}[letter]}" for letter in dtypes)
    found, expected = (outcome(f"x, w, b, m, v = rn(2, 3, dtype={x}), rn(3, dtype={w}), rn(3, dtype={b}), rn(3, dtype={m}), rn(3).abs().to({m}); {call}", lib)
                       for lib in (fg, torch))
    if isinstance(expected, str):
        assert found == expected
    else:
        assert found[:3] == expected[:3]
        np.testing.assert_allclose(found[4], expected[4], rtol=1e-2, atol=4e-3)


HALVES = [f"lib.nextafter(L({x}, dtype=lib.{dtype}), L({y}, dtype=lib.{dtype}))" for dtype in ("float16", "bfloat16") for x, y in (
    ("[1, 1, -1, -1.]", "[2, -2, 2, -2.]"), ("[0, -0., 0, -0.]", "[2, -2, -0., 0.]"), ("[nan, 1, inf, -inf]", "[1, nan, 0, 0]"),
    ("[65504, 3.3895e38, -65504, -3.3895e38]", "[inf, inf, -inf, -inf]"), ("[2 ** -14, -2 ** -14, 2 ** -126, 3 * 2 ** -24]", "[0, 0, 0, 0.]"),
    ("[2 ** -14, -2 ** -14, 2 ** -126, 3 * 2 ** -24]", "[1, -1, 1, 1.]"))]
EDGES = """F.local_response_norm(rn(1, 3, 4), 0)
[t.shape for t in lib.nn.MultiheadAttention(4, 2)(*[lib.ones(0, 2, 4)] * 3)]
[t.shape for t in lib.nn.MultiheadAttention(4, 2, batch_first=True)(*[lib.ones(0, 2, 4)] * 3)]
lib.nn.MultiheadAttention(4, 2)(*[lib.ones(0, 2, 4)] * 3, need_weights=False)[0].shape
x = L(3., requires_grad=True); v, i = x.topk(0); v.backward(); [v, i, x.grad]
L(3.).topk(2)
L(3.).kthvalue(0)
F.group_norm(rn(2, 4), 0.5)
F.group_norm(rn(2, 4), 0)
F.group_norm(rn(2, 4), -2)
F.group_norm(rn(2, 0), 2)
F.group_norm(rn(1, 1), 1)
lib.group_norm(rn(2, 4), 0.5)
lib.group_norm(rn(2, 4), 2.0)
lib.group_norm(rn(2, 4), 0)
lib.group_norm(rn(1, 1), 1)
lib.group_norm(rn(2, 0), 2)
rn(4).roll(0.5)
rn(4).repeat(0.5)
rn(4).tile((0.5,))
rn(4).repeat_interleave(0.5)
lib.zeros(3, dtype=lib.complex128).normal_(5, 2)
lib.zeros(40, dtype=lib.complex64).normal_(5, 2)
lib.normal(5., 1., (3,), dtype=lib.complex128)
lib.nn.init.normal_(lib.zeros(3, dtype=lib.complex64), 5., 2.)
lib.trapezoid(L([200, 200, 200], dtype=lib.uint8))
lib.trapezoid(L([[100, 90, 80]], dtype=lib.int8), dx=2., dim=1)
lib.trapezoid(L([inf, 1, 2]))
lib.trapezoid(rn(3, 4), dim=0)
lib.trapezoid(lib.empty(0, dtype=lib.int64))
lib.trapezoid(lib.empty(3, 0, dtype=lib.uint8))
lib.trapezoid(lib.empty(0, 3, dtype=lib.int16), lib.empty(0), dim=0)
grads(lambda x: lib.trapezoid(x, dx=3), rn(4))
rn(2).new_tensor(L([1, 2]))
L([1]).new_tensor(L([1.5, 2]))
L([1]).new_tensor(np.ones(2))
L([1]).new_tensor(L([1.5]), dtype=lib.float64)
lib.nextafter(L([1.], dtype=lib.float16), L([2.]))
L([1.], dtype=lib.bfloat16).nextafter_(L([2.], dtype=lib.bfloat16))
grads(lambda x: lib.nextafter(x, L([2., 1.], dtype=lib.float16)), L([1., 1.], dtype=lib.float16))"""

NANS = [f"grads(lambda x: {call}, L([[1, nan, 2, nan], [1, 4, 4, 2.]]))" for call in (
    "x.max()", "x.min()", "x.median()", "x.amax(1)", "x.amin()", "x.aminmax(dim=1)[0]", "x.aminmax()[1]", "x.logsumexp(1)", "lib.linalg.norm(x, 1)",
    "lib.linalg.vector_norm(x, inf, 1)", "lib.linalg.vector_norm(x, -inf)", "x.scatter_reduce(1, L([[0, 1, 1, 2], [0, 0, 0, 1]]), x * 2, 'amax')",
    "x.scatter_reduce(1, L([[0, 1, 1, 2], [0, 0, 0, 1]]), x * 3, 'amin', include_self=False)", "x.index_reduce(1, L([0, 0, 1, 2]), x * 2, 'amax')")]
PUTS = [f"x.index_put({call})" for call in ("(L(0),), L([1., 2, 3])", "(L(0), L(1)), L(5.)", "(L(2),), L(5.), accumulate=True", "(L(3),), L(5.)")]
PUTS = [f"x = lib.ones(3, 3); {call}" for call in PUTS] + [f"x = lib.ones(3, 3); {call.replace('put', 'put_')}" for call in PUTS] + [
    "grads(lambda x, v: x.index_put((L(0),), v), rn(3, 3), rn(3))"]


@pytest.mark.parametrize("call", HALVES + NANS + PUTS + EDGES.split("\n"))
def test_edges(call):
    check(call)
