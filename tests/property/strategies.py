"""What the property tests draw from: shapes with empty dimensions, arrays of any dtype and layout, chains of views, indices.

Examples are the same in every run (`fixed`).  Every drawn thing is plain data or a NumPy array: the libraries under comparison get it
through `both`, so that strides arrive as they are.
"""
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import fastgrad

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]


def fixed(examples):
    """Run a test on so many examples, the same ones each time."""
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None,
                    suppress_health_check=list(HealthCheck))


def shapes(most=5, longest=4):
    """Shapes of 0 to `most` dimensions; one in a few is empty."""
    size = st.sampled_from([0] + [n for n in range(1, longest + 1) for _ in range(3)])
    return st.lists(size, min_size=0, max_size=most).map(tuple)


def numbers(shape, dtype, seed, low=-4, high=5):
    """Small whole numbers: sums and products of a few of them are exact in every dtype that can hold them."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    return rng.integers(0 if dtype == "uint8" else low, high, shape).astype(dtype)


@st.composite
def laid_out(draw, shape, dtype, seed=None, low=-4, high=5):
    """An array of this shape in any layout that a tensor can have: permuted, sliced with steps, expanded, at an offset."""
    seed = draw(st.integers(0, 2**16)) if seed is None else seed
    ndim = len(shape)
    order = draw(st.permutations(range(ndim)))
    steps = [draw(st.integers(1, 3)) for _ in shape]
    starts = [draw(st.integers(0, 2)) for _ in shape]
    expanded = [draw(st.integers(0, 5)) == 0 for _ in shape]
    stored = [1 if e else start + step * n for e, start, step, n in zip(expanded, starts, steps, shape)]
    whole = numbers([stored[d] for d in order], dtype, seed, low, high).transpose(np.argsort(order))
    cut = tuple(slice(0, 1) if e else slice(start, start + step * n, step)
                for e, start, step, n in zip(expanded, starts, steps, shape))
    array = np.broadcast_to(whole[cut], shape)
    array.setflags(write=True)
    assert array.shape == tuple(shape)
    return array


def broadcastable(shape):
    """A shape that broadcasts with `shape`: leading dimensions left off, others 1."""
    return st.tuples(st.integers(0, len(shape)), st.lists(st.booleans(), min_size=len(shape), max_size=len(shape))).map(
        lambda drawn: tuple(1 if one else n for n, one in zip(shape, drawn[1]))[drawn[0]:])


def ours(array):
    return fastgrad.from_numpy(array)


# ---- chains of views: each step is (name, arguments), drawn for the shape at hand

def take(array, step):
    """A step of a chain on a NumPy array.  The result is a view, except where `reshape` has to copy."""
    name, *arguments = step
    if name == "narrow":
        dim, start, length = arguments
        return array[(slice(None),) * (dim % array.ndim) + (slice(start, start + length),)]
    if name == "select":
        dim, index = arguments
        return array[(slice(None),) * (dim % array.ndim) + (index, ...)]
    if name == "step":
        dim, start, step = arguments
        return array[(slice(None),) * dim + (slice(start, None, step),)]
    if name in ("expand", "diagonal", "unfold"):
        if name == "expand":
            view = np.broadcast_to(array, arguments[0])
        elif name == "diagonal":
            view = np.diagonal(array, *arguments)
        else:
            dim, size, step = arguments
            view = np.lib.stride_tricks.sliding_window_view(array, size, dim, writeable=True)
            view = view[(slice(None),) * dim + (slice(None, None, step),)]
        if array.flags.writeable and not view.flags.writeable:
            view.setflags(write=True)
        return view
    if name == "transpose":
        return array.swapaxes(*arguments)
    if name == "permute":
        return array.transpose(arguments[0])
    if name == "unsqueeze":
        return np.expand_dims(array, arguments[0])
    if name == "squeeze":
        return array.squeeze(arguments[0]) if array.shape[arguments[0]] == 1 else array
    assert name == "reshape", name
    return array.reshape(arguments[0])


def take_ours(tensor, step):
    """The same step on a tensor (of either library)."""
    name, *arguments = step
    if name == "step":
        dim, start, step = arguments
        return tensor[(slice(None),) * dim + (slice(start, None, step),)]
    return getattr(tensor, name)(*arguments)


@st.composite
def view_step(draw, shape):
    ndim = len(shape)
    dims = st.integers(0, ndim - 1) if ndim else st.nothing()
    names = ["unsqueeze", "reshape", "expand"] if ndim < 5 else []
    if ndim:
        names += ["narrow", "narrow", "transpose", "permute", "step", "squeeze", "unfold"]
        names += ["select"] if any(shape) else []
    if ndim > 1:
        names += ["diagonal"]
    name = draw(st.sampled_from(names))
    if name == "unsqueeze":
        return name, draw(st.integers(-ndim - 1, ndim))
    if name == "reshape":
        return name, draw(st.sampled_from(reshapes(shape)))
    if name == "expand":
        lead = tuple(draw(st.lists(st.integers(0, 3), max_size=5 - ndim)))
        return name, lead + tuple(draw(st.integers(0, 3)) if n == 1 else n for n in shape)
    if name == "permute":
        return name, tuple(draw(st.permutations(range(ndim))))
    if name == "select":
        dim = draw(st.sampled_from([d for d in range(ndim) if shape[d]]))
        return name, dim - ndim * draw(st.integers(0, 1)), draw(st.integers(-shape[dim], shape[dim] - 1))
    dim = draw(dims)
    if name == "narrow":
        start = draw(st.integers(0, shape[dim]))
        return name, dim - ndim * draw(st.integers(0, 1)), start, draw(st.integers(0, shape[dim] - start))
    if name == "transpose":
        return name, dim, draw(st.integers(-ndim, ndim - 1))
    if name == "step":
        return name, dim, draw(st.integers(0, 2)), draw(st.integers(1, 3))
    if name == "squeeze":
        return name, dim
    if name == "unfold":
        return name, dim, draw(st.integers(1, max(shape[dim], 1))) if shape[dim] else 0, draw(st.integers(1, 3))
    other = draw(st.sampled_from([d for d in range(ndim) if d != dim]))
    return name, draw(st.integers(-2, 2)), dim, other


def reshapes(shape):
    """A few shapes with as many elements."""
    count = int(np.prod(shape, dtype=int))
    found = [(count,), tuple(shape), (1, count), (count, 1)]
    found += [tuple(shape[:d]) + (shape[d] * shape[d + 1],) + tuple(shape[d + 2:]) for d in range(len(shape) - 1)]
    found += [tuple(shape[:d]) + (k, shape[d] // k) + tuple(shape[d + 1:])
              for d in range(len(shape)) for k in (2, 3) if shape[d] and shape[d] % k == 0]
    if count == 1:
        found.append(())
    return [s for s in found if len(s) <= 5]


# ---- indices

@st.composite
def index(draw, shape, writing=False):
    """A tuple of mixed indices of an array, in the forms that PyTorch and NumPy agree on, as NumPy takes it."""
    items, dim, advanced = [], 0, draw(st.sampled_from([None, (), (1,), (2,), (2, 1), (2, 2)]))
    ellipsis = draw(st.booleans())
    while dim < len(shape):
        n = shape[dim]
        # beside an array NumPy takes an integer for an array too, PyTorch for a selection made before
        kind = draw(st.sampled_from(["slice", "slice", "none", "stop", *(["int", "int"] if advanced is None else ["array", "array", "mask"])]))
        if kind == "stop":
            break
        if kind == "none":
            if sum(i is None for i in items) < 2:
                items.append(None)
            continue
        if kind in ("int", "array") and n == 0:
            kind = "slice"
        if kind == "slice":
            bound = st.none() | st.integers(-n - 2, n + 2)
            items.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3]))))
        elif kind == "int":
            items.append(draw(st.integers(-n, n - 1)))
        elif kind == "array":
            count = int(np.prod(advanced, dtype=int))
            values = st.integers(0, n - 1) if writing else st.integers(-n, n - 1)
            drawn = draw(st.lists(values, min_size=count, max_size=count))
            items.append(np.array(drawn, "int64").reshape(advanced))
        else:
            # as many true places as the other index arrays can be broadcast with
            want = advanced[-1] if advanced else 1
            if n < want or advanced == ():
                items.append(slice(None))
            else:
                mask = np.zeros(n, bool)
                mask[draw(st.permutations(range(n)))[:want] if n else []] = True
                items.append(mask)
        dim += 1
        if advanced == () and kind == "array":
            advanced = (1,)                  # a second 0-d array would do what integers beside arrays do
            break
    if ellipsis:
        # between two arrays NumPy takes even an empty ellipsis for a separation
        items.insert(0 if dim == len(shape) and draw(st.booleans()) else len(items), Ellipsis)
    return tuple(items)
