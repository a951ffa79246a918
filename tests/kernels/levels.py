"""Every kernel against a plain reference at the CPU level that FASTGRAD_CPU names: `python -m tests.kernels.levels GROUP`.

Run in a process of its own, because the level is chosen on import.  Each group walks through lengths 0 to 70 with offsets and strides;
references are NumPy in float64 or loops, never the kernels themselves.
"""
import sys

import numpy as np

import fastgrad as fg
import fastgrad.nn.functional as F

LENGTHS = range(71)
LONGER = (79, 96, 100, 127, 130, 200, 255, 4100, 9001)      # whole blocks, and what is left over of them
FLOATS = [np.float32, np.float64]
rng = np.random.default_rng(0)


def strided(length, dtype, lead=(), low=-4, high=5, whole=False):
    """An array whose last dimension starts anywhere and has any step; whole numbers where sums must be exact."""
    start, step = length % 5, 1 + length % 3
    shape = (*lead, start + step * length + 3)
    values = rng.integers(max(low, 0) if np.dtype(dtype).kind in "ub" else low, high, shape)
    if np.dtype(dtype).kind == "f" and not whole:
        values = values + rng.random(shape)
    return values.astype(dtype)[..., start:start + step * length:step]


def t(array):
    return fg.from_numpy(array)


def close(found, expected, dtype, scale=1.0, what=""):
    """Equal within the rounding of a sum of up to 70 terms of magnitude `scale`."""
    found = found.numpy() if isinstance(found, fg.Tensor) else found
    assert found.shape == np.shape(expected), (what, found.shape, np.shape(expected))
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=16 * eps, atol=32 * eps * scale, err_msg=what)


def equal(found, expected, what=""):
    np.testing.assert_array_equal(found.numpy() if isinstance(found, fg.Tensor) else found, expected, err_msg=what)


def layouts(n, dtype, whole=False):
    """(array, axis): lines of length n along the last dimension, the first, the middle; contiguous or not."""
    yield strided(n, dtype, whole=whole), 0
    yield np.ascontiguousarray(strided(n, dtype, (3,), whole=whole)), 1
    yield np.ascontiguousarray(strided(n, dtype, (5,), whole=whole)).T, 0
    yield np.ascontiguousarray(strided(n, dtype, (2, 5), whole=whole).transpose(0, 2, 1)), 1
    yield np.ascontiguousarray(strided(n, dtype, (17,), whole=whole).T), 0
    yield strided(n, dtype, (4,), whole=whole), 1


def reductions():
    for n in LONGER:
        for dtype in FLOATS:
            x = strided(n, dtype, (3,), whole=True).copy()
            equal(t(x).sum(1), x.astype(np.float64).sum(1))
            equal(t(x).square().sum(1), (x.astype(np.float64) ** 2).sum(1))
            equal(fg.linalg.vecdot(t(x), t(x)), (x.astype(np.float64) ** 2).sum(1))
            close(fg.var(t(x), 1, correction=0), x.astype(np.float64).var(1), dtype, 32)
    for n in LENGTHS:
        for dtype in (np.float32, np.float64, np.int64, np.int16, np.uint8, np.bool_):
            for a, axis in layouts(n, dtype, whole=True):
                x = t(a)
                wide = a.astype(np.float64 if a.dtype.kind == "f" else np.int64)
                equal(x.sum(axis), wide.sum(axis), f"sum {n} {dtype}")
                equal(x.sum(), wide.sum())
                equal((x != 0).sum(axis), np.count_nonzero(a, axis))
                equal(fg.count_nonzero(x, axis), np.count_nonzero(a, axis))
                equal(x.all(axis), a.all(axis))
                equal(x.any(axis), a.any(axis))
                if dtype is not np.bool_:
                    small = np.sign(a) * (1 + (a % 3 == 0))
                    small = small.astype(dtype)
                    with np.errstate(all="ignore"):
                        expected = np.multiply.reduce(small.astype(np.float64 if a.dtype.kind == "f" else np.int64), axis)
                        equal(t(small).prod(axis), expected.astype(dtype if a.dtype.kind == "f" else np.int64), f"prod {n} {dtype}")
    for n in range(1, 71):
        for dtype in FLOATS:
            for a, axis in layouts(n, dtype):
                x, wide = t(a), a.astype(np.float64)
                close(x.mean(axis), wide.mean(axis), dtype, 4)
                close(x.logsumexp(axis), np.log(np.exp(wide).sum(axis)), dtype, 4)
                close(fg.var(x, axis, correction=0), wide.var(axis), dtype, 32)
                close(fg.linalg.norm(x, dim=axis) if hasattr(fg.linalg, "norm") else x.norm(dim=axis), np.sqrt((wide ** 2).sum(axis)), dtype, 8)


def extremes():
    for n in range(1, 71):
        for dtype in (np.float32, np.float64, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_):
            for a, axis in layouts(n, dtype, whole=True):
                x = t(a)
                equal(x.amax(axis), a.max(axis), f"amax {n} {dtype}")
                equal(x.amin(axis), a.min(axis))
                if dtype is not np.bool_:
                    equal(x.argmax(axis), a.argmax(axis), f"argmax {n} {dtype} {a.tolist()}")
                    equal(x.argmin(axis), a.argmin(axis))
                    for name, reference in (("max", np.max), ("min", np.min)):
                        values, places = getattr(x, name)(axis)
                        equal(values, reference(a, axis))
                        equal(np.take_along_axis(a, np.expand_dims(places.numpy(), axis), axis).squeeze(axis), values.numpy())
        for dtype in FLOATS:
            a = strided(n, dtype, (2,)).copy()
            a[0, n // 2] = np.nan
            equal(t(a).amax(1), a.max(1))
            equal(t(a).argmin(1), a.argmin(1))


def scans():
    for n in LENGTHS:
        for dtype in (np.float32, np.float64, np.int64, np.uint8):
            for a, axis in layouts(n, dtype, whole=True):
                x = t(a)
                wide = a.astype(np.float64 if a.dtype.kind == "f" else np.int64)
                equal(x.cumsum(axis), wide.cumsum(axis))
                for name, ufunc in (("cummax", np.maximum), ("cummin", np.minimum)):
                    values, places = getattr(x, name)(axis)
                    equal(values, ufunc.accumulate(a, axis) if n else a)
                    equal(np.take_along_axis(a, places.numpy(), axis), values.numpy())
                for shift in (0, 1, -3, 40):
                    equal(x.roll(shift, axis), np.roll(a, shift, axis))
                equal(x.flip(axis), np.flip(a, axis))
        for dtype in FLOATS:
            for a, axis in layouts(n, dtype):
                near = (np.abs(a) / 8 + 0.6).astype(dtype)
                np.testing.assert_allclose(t(near).cumprod(axis).numpy(), near.astype(np.float64).cumprod(axis), rtol=80 * np.finfo(dtype).eps)
                close(t(a).logcumsumexp(axis), np.log(np.exp(a.astype(np.float64)).cumsum(axis)), dtype, 8)


def softmaxes():
    for n in (*LENGTHS, *LONGER):
        for dtype in FLOATS:
            for a, axis in layouts(n, dtype) if n < 71 else [(strided(n, dtype, (19,)).copy(), 1)]:
                x, wide = t(a.copy(order="K")).requires_grad_(), a.astype(np.float64)
                weight = rng.standard_normal(a.shape)
                e = np.exp(wide - wide.max(axis, keepdims=True)) if n else wide
                p = e / e.sum(axis, keepdims=True)
                close(x.softmax(axis).detach(), p, dtype)
                x.softmax(axis).backward(t(weight.astype(dtype)))
                close(x.grad, p * (weight - (p * weight).sum(axis, keepdims=True)), dtype, 8)
                x.grad = None
                close(x.log_softmax(axis).detach(), np.log(np.maximum(p, 1e-300)), dtype, 16)
                x.log_softmax(axis).backward(t(weight.astype(dtype)))
                close(x.grad, weight - p * weight.sum(axis, keepdims=True), dtype, 64)
                if n and axis == a.ndim - 1:
                    kept = rng.random(a.shape) < 0.5
                    kept[..., n // 2] = True
                    masked = np.where(kept, a, -np.inf).astype(dtype)
                    e = np.exp(masked.astype(np.float64) - masked.max(axis, keepdims=True))
                    found = t(masked).softmax(axis)
                    close(found, e / e.sum(axis, keepdims=True), dtype)
                    equal(found.numpy()[~kept], 0 * found.numpy()[~kept])
                    masked[..., n // 3] = np.nan
                    assert np.isnan(t(masked).softmax(axis).numpy()).all() and np.isnan(t(masked).log_softmax(axis).numpy()).all()


def norms():
    for n in (*range(1, 71), *LONGER):
        for dtype in FLOATS:
            a, weight, bias, given = (strided(n, dtype, lead).copy() for lead in ((19,), (), (), (19,)))
            x, w, b = (t(v).requires_grad_() for v in (a, weight, bias))
            y = F.layer_norm(x, (n,), w, b, 0.5)
            y.backward(t(given))
            mean = a.astype(np.float64).mean(1, keepdims=True)
            rstd = 1 / np.sqrt(((a - mean) ** 2).mean(1, keepdims=True) + 0.5)
            plain, gw = (a - mean) * rstd, given.astype(np.float64) * weight
            close(y.detach(), plain * weight + bias, dtype, 16, f"layer_norm {n}")
            close(x.grad, rstd * (gw - gw.mean(1, keepdims=True) - plain * (gw * plain).mean(1, keepdims=True)), dtype, 64)
            close(w.grad, (given * plain).sum(0), dtype, 64)
            close(b.grad, given.astype(np.float64).sum(0), dtype, 64)


def gelus():
    from math import erfc
    x = np.concatenate([np.linspace(-12, 7, 4001), rng.standard_normal(997)])
    for dtype in FLOATS:
        a = x.astype(dtype)
        y = t(a).requires_grad_()
        z = F.gelu(y)
        z.sum().backward()
        wide = a.astype(np.float64)
        cdf, density = np.vectorize(erfc)(-wide / np.sqrt(2)) / 2, np.exp(-wide ** 2 / 2) / np.sqrt(2 * np.pi)
        close(z.detach(), wide * cdf, dtype)
        close(y.grad, cdf + wide * density, dtype)
        assert np.abs(z.detach().numpy() - wide * cdf).max() < 5 * np.finfo(dtype).eps
        far = t(np.array([-1e30, 1e30, -20, 20], dtype))
        equal(F.gelu(far), np.maximum(far.numpy(), 0))


def sorts():
    for n in LENGTHS:
        for dtype in (np.float32, np.float64, np.int64, np.int16, np.int8, np.uint8, np.bool_):
            for a, axis in layouts(n, dtype, whole=True):
                x = t(a)
                values, places = fg.sort(x, axis, stable=True)
                equal(values, np.sort(a, axis))
                equal(places, np.argsort(a, axis, kind="stable"))
                values, places = fg.sort(x, axis, descending=True, stable=True)
                equal(values, np.flip(np.sort(a, axis), axis))
                equal(np.take_along_axis(a, places.numpy(), axis), values.numpy())
                if n and dtype is not np.bool_:
                    k = 1 + n // 3
                    values, places = x.topk(k, axis)
                    equal(values, np.flip(np.sort(a, axis), axis).take(range(k), axis), f"topk {n} {k}")
                    equal(np.take_along_axis(a, places.numpy(), axis), values.numpy())
                    values, places = x.kthvalue(k, axis)
                    equal(values, np.sort(a, axis).take(k - 1, axis))
                    equal(x.median(axis)[0], np.sort(a, axis).take((n - 1) // 2, axis))
                    equal(x.mode(axis)[0], np.apply_along_axis(lambda line: np.unique(line)[np.unique(line, return_counts=True)[1].argmax()],
                                                              axis, a), f"mode {n}")
        for dtype in (np.float32, np.int64, np.uint8):
            edges, points = np.sort(strided(n, dtype, whole=True)), strided(n, dtype, whole=True)
            equal(fg.searchsorted(t(edges.copy()), t(points)), np.searchsorted(edges, points))
            equal(fg.searchsorted(t(edges.copy()), t(points), right=True), np.searchsorted(edges, points, "right"))
            equal(fg.bucketize(t(points), t(edges.copy())), np.searchsorted(edges, points))
            values, inverse, counts = fg.unique(t(points), return_inverse=True, return_counts=True)
            expected = np.unique(points, return_inverse=True, return_counts=True)
            equal(values, expected[0])
            equal(inverse, expected[1].reshape(points.shape))
            equal(counts, expected[2])
            if dtype is not np.float32:
                equal(fg.bincount(t(np.abs(points))), np.bincount(np.abs(points)))


def gathers():
    for n in LENGTHS:
        for dtype in (np.float32, np.float64, np.int64, np.int16, np.int8, np.bool_):
            for a, axis in layouts(n, dtype, whole=True):
                x = t(a)
                if n:
                    line = rng.integers(-n, n, 1 + n // 2)
                    cut = (slice(None),) * axis + (line,)
                    equal(x[(slice(None),) * axis + (t(line),)], a[cut])
                    equal(x.index_select(axis, t(line % n)), a.take(line % n, axis))
                    full = rng.integers(0, n, a.shape)
                    equal(x.gather(axis, t(full)), np.take_along_axis(a, full, axis))
                    order = np.argsort(rng.random(a.shape), axis)
                    put = np.empty_like(a)
                    np.put_along_axis(put, order, a, axis)
                    equal(fg.zeros_like(x).scatter_(axis, t(order), x), put)
                    if dtype is not np.bool_:
                        added = np.zeros_like(a)
                        np.add.at(added, cut, a.take(range(line.size), axis))
                        equal(fg.zeros_like(x).index_add_(axis, t(line % n), x.narrow(axis, 0, line.size)), added)
                mask = rng.random(a.shape) < 0.4
                equal(x[t(mask)], a[mask])
                equal(x.masked_select(t(mask)), a[mask])
                equal(t(mask).nonzero(), np.argwhere(mask))
                equal(x.masked_fill(t(mask), 1), np.where(mask, np.array(1, dtype), a))
                if a.ndim == 2:
                    equal(x.tril(1), np.tril(a, 1))
                    equal(x.triu(-1), np.triu(a, -1))
            equal(fg.arange(n), np.arange(n))
            equal(fg.arange(3, 3 + 2 * n, 2, dtype=fg.float32), np.arange(3, 3 + 2 * n, 2, dtype=np.float32))
        close(fg.linspace(-1, 2, n, dtype=fg.float64), np.linspace(-1, 2, n), np.float64)


def products():
    for n in LENGTHS:
        for dtype in FLOATS:
            for m, k, p in ((n, 3, 5), (5, n, 4), (3, 6, n), (1, n, 9), (n, 33, 1), (n, n, 2)):
                a, b = strided(k, dtype, (m,)), strided(p, dtype, (k,))
                for left, right in ((a, b), (np.ascontiguousarray(a), np.ascontiguousarray(b)),
                                    (np.asfortranarray(a), np.ascontiguousarray(b)), (np.ascontiguousarray(a), np.asfortranarray(b)),
                                    (np.asfortranarray(a), np.asfortranarray(b))):
                    expected = left.astype(np.float64) @ right.astype(np.float64)
                    close(t(left) @ t(right), expected, dtype, 20 * (k + 1), f"{m} {k} {p}")
                bias = strided(p, dtype)
                close(F.linear(t(a), t(b).T, t(bias)), a.astype(np.float64) @ b.astype(np.float64) + bias, dtype, 20 * (k + 1))
            a, b = strided(n, dtype, (2, 3)), strided(4, dtype, (2, n))
            close(fg.bmm(t(a), t(b)), a.astype(np.float64) @ b.astype(np.float64), dtype, 20 * (n + 1))
            u, v = strided(n, dtype), strided(n, dtype)
            close(fg.dot(t(u), t(v)), u.astype(np.float64) @ v.astype(np.float64), dtype, 20 * (n + 1))
        a, b = strided(n, np.int64, (3,)), strided(2, np.int64, (n,))
        equal(t(a) @ t(b), a @ b)


def losses():
    for n in range(1, 71):
        for dtype in FLOATS:
            for rows in (1, 4):
                x = t(strided(n, dtype, (rows,)).copy()).requires_grad_()
                wide = x.detach().numpy().astype(np.float64)
                y = strided(n, dtype, (rows,))
                d = wide - y
                close(F.mse_loss(x, t(y)).detach(), (d ** 2).mean(), dtype, 64)
                F.mse_loss(x, t(y)).backward()
                close(x.grad, 2 * d / d.size, dtype, 16)
                x.grad = None
                for reduction, reduce in (("mean", np.mean), ("sum", np.sum)):
                    close(F.l1_loss(x, t(y), reduction=reduction).detach(), reduce(np.abs(d)), dtype, 700)
                target = rng.integers(0, n, rows)
                weight = (rng.random(n) + 0.5).astype(dtype)
                smoothing = 0.1 * (n % 2)
                logs = wide - wide.max(1, keepdims=True)
                logs = logs - np.log(np.exp(logs).sum(1, keepdims=True))
                at = (np.arange(rows), target)
                picked = -logs[at] * weight[target]
                smooth = -(logs * weight).sum(1)
                total = weight[target].astype(np.float64).sum()
                expected = (1 - smoothing) * picked.sum() / total + smoothing / n * smooth.sum() / total
                loss = F.cross_entropy(x, t(target), t(weight), label_smoothing=smoothing)
                close(loss.detach(), expected, dtype, 32)
                loss.backward()
                share = np.full((rows, n), smoothing / n) * weight
                share[at] += (1 - smoothing) * weight[target]
                share = share / total
                close(x.grad, np.exp(logs) * share.sum(1, keepdims=True) - share, dtype, 4)
                x.grad = None
                soft = rng.random((rows, n))
                soft = (soft / soft.sum(1, keepdims=True)).astype(dtype)
                loss = F.cross_entropy(x, t(soft))
                close(loss.detach(), -(logs * soft).sum(1).mean(), dtype, 32)
                loss.backward()
                close(x.grad, (np.exp(logs) * soft.astype(np.float64).sum(1, keepdims=True) - soft) / rows, dtype, 4)


def optimizers():
    for n in LENGTHS:
        for dtype in FLOATS:
            start, grads = strided(n, dtype), [strided(n, dtype) for _ in range(3)]

            def stepped(make):
                p = t(start.copy()).requires_grad_()
                optimizer = make([p])
                for g in grads:
                    p.grad = t(g)
                    optimizer.step()
                return p.detach()

            w = start.astype(np.float64)
            for g in grads:
                w = w - 0.1 * (g + 0.01 * w)
            close(stepped(lambda p: fg.optim.SGD(p, 0.1, weight_decay=0.01)), w, dtype, 8)
            for nesterov in (False, True):
                w, v = start.astype(np.float64), None
                for g in grads:
                    v = g.astype(np.float64) if v is None else 0.9 * v + g
                    w = w - 0.1 * (g + 0.9 * v if nesterov else v)
                close(stepped(lambda p: fg.optim.SGD(p, 0.1, momentum=0.9, nesterov=nesterov)), w, dtype, 8)
            for name, amsgrad in (("Adam", False), ("Adam", True), ("AdamW", False)):
                w, m, v, top = start.astype(np.float64), 0.0, 0.0, np.zeros(n)
                for i, g in enumerate(grads, 1):
                    g = g.astype(np.float64)
                    if name == "AdamW":
                        w = w * (1 - 0.1 * 0.01)
                    else:
                        g = g + 0.01 * w
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                    top = np.maximum(top, v)
                    w = w - 0.1 / (1 - 0.9 ** i) * m / (np.sqrt((top if amsgrad else v) / (1 - 0.999 ** i)) + 1e-8)
                found = stepped(lambda p: getattr(fg.optim, name)(p, 0.1, weight_decay=0.01, amsgrad=amsgrad))
                # a gradient near 0 is divided by its own root: a relative error of it stays one of the step
                np.testing.assert_allclose(found.numpy(), w, rtol=64 * np.finfo(dtype).eps, atol=256 * np.finfo(dtype).eps, err_msg=f"{name} {n}")


def elementwise():
    """The generated kernels: each public row at every length, offset and step, forward and gradient, against PyTorch."""
    import torch

    from tests.ops import rows

    for name, row in rows.PUBLIC.items():
        dtype = "float32" if row.dtypes in ("float", "number", "all") else "int32"
        arrays = rows.arrays_for(row, dtype, (300,), rng)
        reference = rows.torch_function(name)(*map(rows.theirs, arrays)).numpy()
        function = rows.callable_of(name)
        whole = function(*map(rows.ours, arrays)).numpy()
        if reference.dtype.kind == "f":
            np.testing.assert_allclose(whole, reference, rtol=2e-5 if name != "gelu" else 1e-3, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(whole, reference, err_msg=name)
        for n in LENGTHS:
            start, step = n % 9, 1 + n % 4
            cut = slice(start, start + step * n, step)
            np.testing.assert_array_equal(function(*(fg.from_numpy(a[cut]) for a in arrays)).numpy(), whole[cut], err_msg=f"{name} {n}")
        if not any(row.grads.values()):
            continue
        wanting = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
        tensors = [torch.from_numpy(a.copy()).requires_grad_(a.dtype.kind == "f") for a in arrays]
        try:
            theirs = torch.autograd.grad(rows.torch_function(name)(*tensors).sum(), [tensors[i] for i in wanting], allow_unused=True)
        except (RuntimeError, NotImplementedError):
            continue
        for n in LENGTHS:
            start, step = n % 9, 1 + n % 4
            cut = slice(start, start + step * n, step)
            tensors = [fg.from_numpy(a[cut]).requires_grad_(a.dtype.kind == "f") for a in arrays]
            found = fg.autograd.grad(function(*tensors).sum(), [tensors[i] for i in wanting], allow_unused=True)
            for f, w in zip(found, theirs):
                if w is not None:
                    np.testing.assert_allclose(f.numpy(), w.numpy()[cut], rtol=1e-4, atol=1e-4, err_msg=f"{name} {n}")


def past_caches():
    """Results larger than the caches, which are written past them: from any place in a line, at one thread and at two."""
    n = 3_300_007
    a, b = rng.standard_normal(n + 40, np.float32), rng.standard_normal(n + 40, np.float32)
    whole, rows = (np.abs(a[:n]) * 50).astype(np.int64), a[:3222 * 1024].reshape(-1, 1024)
    mask, small = a[:n] > 0, (np.abs(a[:n]) * 20).astype(np.uint8)
    for threads in (1, 2):
        fg.set_num_threads(threads)
        for i, j in ((0, 0), (3, 7), (16, 1)):
            x, y = a[i:i + n], b[j:j + n]
            equal(t(x) + t(y), x + y, "two operands")
            equal(t(x) + 1.5, x + np.float32(1.5), "a number")
            equal(t(x) * t(np.array(3, np.float32)), x * np.float32(3), "a single value")
            equal(fg.where(t(mask), t(x), t(y)), np.where(mask, x, y), "three operands of two widths")
            equal(fg.maximum(t(x), t(y)), np.maximum(x, y))
            equal(fg.addcmul(t(x), t(y), t(whole[:n].astype(np.float32)), value=2),
                  fg.cat([fg.addcmul(t(x[k:k + 1000]), t(y[k:k + 1000]), t(whole[k:k + 1000].astype(np.float32)), value=2)
                          for k in range(0, n, 1000)]).numpy(), "as in pieces")
            for function in (fg.sigmoid, fg.exp, F.gelu):
                equal(function(t(x)), np.concatenate([function(t(x[k:k + 1000])).numpy() for k in range(0, n, 1000)]), "as in pieces")
            out = fg.zeros(n + 40)[j:j + n]
            fg.sub(t(x), t(y), out=out)
            equal(out, x - y, "from any place in a line on")
        equal(t(whole) + t(whole), whole + whole)
        equal(t(whole) > 7, whole > 7, "a narrow result")
        equal(t(small).double(), small.astype(np.float64), "a wide result of a narrow operand")
        equal(t(whole).to(fg.complex128), whole.astype(np.complex128))
        equal(t(a[:n]).half(), a[:n].astype(np.float16))
        equal(t(rows) + t(rows[5]), rows + rows[5], "row by row")
        equal(t(a[::2]) + t(b[::2]), a[::2] + b[::2], "every other one")
        equal(fg.full((4 * n,), 2.5), np.full(4 * n, 2.5, np.float32), "filled")
    fg.set_num_threads(1)


def windows(x, taps, stride, padding, fill):
    """What each window of x (N, C, H, W) sees: (N, C, rows, columns, taps, taps), in float64."""
    x = np.pad(x.astype(np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(x, (taps, taps), (2, 3))[:, :, ::stride, ::stride]


def images():
    """Convolutions whose vectors run over places and over images, with both gradients, and max pooling."""
    for dtype in FLOATS:
        for batch, inputs, outputs, size, taps, stride, padding in ((3, 2, 5, 9, 3, 1, 1), (16, 5, 9, 8, 3, 1, 1), (37, 4, 7, 7, 2, 1, 1), (16, 4, 20, 30, 3, 1, 0),
                                                                    (64, 9, 3, 6, 3, 2, 2), (18, 40, 11, 8, 5, 1, 0)):
            x, w, b = (rng.integers(-4, 5, s).astype(dtype) for s in ((batch, inputs, size, size), (outputs, inputs, taps, taps), outputs))
            seen = windows(x, taps, stride, padding, 0)
            leaves = [t(x).requires_grad_(), t(w).requires_grad_()]
            out = F.conv2d(*leaves, t(b), stride=stride, padding=padding)
            equal(out.detach(), np.einsum("nchwij,ocij->nohw", seen, w) + b[:, None, None], f"conv2d {dtype} {batch}")
            given = rng.integers(-4, 5, tuple(out.shape)).astype(dtype)
            from_x, from_w = fg.autograd.grad(out, leaves, t(given))
            equal(from_w, np.einsum("nchwij,nohw->ocij", seen, given), f"weight's gradient {dtype} {batch}")
            expected = np.zeros((batch, inputs, size + 2 * padding, size + 2 * padding))
            for i, j in np.ndindex(taps, taps):
                rows, columns = (slice(k, k + stride * (n - 1) + 1, stride) for k, n in ((i, out.shape[2]), (j, out.shape[3])))
                expected[:, :, rows, columns] += np.einsum("nohw,oc->nchw", given, w[:, :, i, j])
            equal(from_x, expected[:, :, padding:padding + size, padding:padding + size], f"input's gradient {dtype} {batch}")
        for width in LENGTHS[3:]:
            x = rng.integers(-9, 9, (2, 3, 5, width)).astype(dtype)
            for taps, stride, padding in ((2, 2, 0), (3, 1, 1), (3, 2, 1), (3, 3, 0)):
                seen = windows(x, taps, stride, padding, -np.inf).reshape(2, 3, -1, (width + 2 * padding - taps) // stride + 1, taps * taps)
                out, places = F.max_pool2d(t(x), taps, stride, padding, return_indices=True)
                equal(out, seen.max(-1), f"max_pool2d {dtype} {width}")
                first, (row, column) = seen.argmax(-1), np.indices(out.shape[2:]) * stride - padding
                equal(places, (row + first // taps) * width + column + first % taps, f"places {dtype} {width}")


GROUPS = {f.__name__: f for f in (reductions, extremes, scans, softmaxes, norms, gelus, sorts, gathers, products, losses, optimizers, elementwise,
                                 past_caches, images)}

if __name__ == "__main__":
    for group in sys.argv[1:] or GROUPS:
        GROUPS[group]()
