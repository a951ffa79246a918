"""Sums of products over named dimensions, distances, choices: einsum, tensordot, block_diag, cdist, combinations.

einsum contracts two operands at a time, in the order NumPy's einsum_path finds; a pair is permuted and reshaped into one matrix product.
Inside it a dimension is an integer label: 0..51 for A-Za-z, negative for what an ellipsis stands for (-1 is the last).
"""

import itertools
from array import array
from math import comb, prod

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def refuse(message):
    raise RuntimeError(f"einsum(): {message}")


def parsed(equation):
    """The labels of each input, and of the output or None; Ellipsis for one."""
    sides = equation.replace(" ", "").split("->")
    if len(sides) > 2:
        refuse(f"found more than one '->' in the equation {equation!r}")

    def terms(side):
        for term in side.split(","):
            before, dots, after = term.partition("...")
            for letter in before + after:
                if letter not in LETTERS:
                    refuse(f"invalid subscript given at index {equation.find(letter)} in the equation string, subscripts must be in [a-zA-Z]")
            yield [LETTERS.index(x) for x in before] + [Ellipsis] * bool(dots) + [LETTERS.index(x) for x in after]

    output = None
    if len(sides) == 2:
        if "," in sides[1]:
            refuse("the output of the equation must have one term, got " + repr(sides[1]))
        output = next(terms(sides[1]))
    return list(terms(sides[0])), output


def from_sublists(arguments):
    """Operands and labels of einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    output = arguments.pop() if len(arguments) % 2 else None
    for sublist in [*arguments[1::2], output or ()]:
        for label in sublist:
            if label is not Ellipsis and not 0 <= label < len(LETTERS):
                refuse(f"subscripts must be in the range [0, 52), got {label}")
    return arguments[::2], [list(s) for s in arguments[1::2]], None if output is None else list(output)


def spread(labels, ndim, operand):
    """`labels` with the ellipsis written out: it stands for the dimensions that no label names."""
    named = len(labels) - (Ellipsis in labels)
    if Ellipsis not in labels and named != ndim:
        refuse(f"the number of subscripts in the equation ({named}) does not match the number of dimensions ({ndim}) "
               f"for operand {operand} and no ellipsis was given")
    if named > ndim:
        refuse(f"the number of subscripts in the equation ({named}) is more than the number of dimensions ({ndim}) for operand {operand}")
    return with_ellipsis(labels, ndim - named)


def with_ellipsis(labels, covered):
    return [x for label in labels for x in (range(-covered, 0) if label is Ellipsis else (label,))]


def with_diagonals(x, labels):
    """One dimension for each label: a repeated one takes the diagonal."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            if x.shape[i] != x.shape[j]:
                refuse(f"subscript {LETTERS[label]} is repeated with sizes that do not match, got {x.shape[i]} and {x.shape[j]}")
            x = _ops.movedim(_ops.diagonal(x, 0, i, j), -1, i)
            del labels[j]
    return x, labels


def sizes_of(operands):
    sizes = {}
    for i, (x, labels) in enumerate(operands):
        for label, n in zip(labels, x.shape):
            seen = sizes.get(label, 1)
            if n != seen and 1 not in (n, seen):
                name = LETTERS[label] if label >= 0 else "..."
                refuse(f"subscript {name} has size {n} for operand {i} which does not broadcast with previously seen size {seen}")
            sizes[label] = n if seen == 1 else seen
    return sizes


def summed(x, labels, keep):
    """`x` without the dimensions whose label is not in `keep`."""
    gone = [d for d, label in enumerate(labels) if label not in keep]
    return (_ops.sum(x, gone) if gone else x), [label for label in labels if label in keep]


def arranged(x, labels, *groups):
    """`x` with one dimension for each group of labels; a label it lacks counts one."""
    order = [labels.index(label) for group in groups for label in group]
    x = x if order == sorted(order) else _ops.permute(x, order)
    sizes = iter(x.shape)
    return _ops.reshape(x, [prod(next(sizes) for _ in group) for group in groups])


def contract(a, b, keep, sizes):
    """The product of two labelled tensors, summed over the labels that are not in `keep`."""
    shared = set(a[1]) & set(b[1])
    (x, x_labels), (y, y_labels) = summed(*a, keep | shared), summed(*b, keep | shared)
    batch = [label for label in x_labels if label in shared and label in keep]
    inner = [label for label in x_labels if label in shared and label not in keep]
    left, right = [label for label in x_labels if label not in shared], [label for label in y_labels if label not in shared]
    labels = batch + left + right
    if not inner:
        x = _ops.permute(x, [x_labels.index(label) for label in batch + left])
        y = _ops.permute(y, [y_labels.index(label) for label in batch + right])
        return _ops.reshape(x, (*x.shape, *[1] * len(right))) * _ops.reshape(y, (*y.shape[:len(batch)], *[1] * len(left), *y.shape[len(batch):])), labels
    if batch:
        product = _ops.bmm(arranged(x, x_labels, batch, left, inner), arranged(y, y_labels, batch, inner, right))
    else:
        product = _ops.mm(arranged(x, x_labels, left, inner), arranged(y, y_labels, inner, right))
    return _ops.reshape(product, [sizes[label] for label in labels]), labels


def path_of(operands, output, sizes):
    """Pairs of positions, in an order that keeps what is between small.  What a pair leaves goes to the end."""
    if len(operands) < 3:
        return [(0, 1)][:len(operands) - 1]
    import numpy

    names = {label: i for i, label in enumerate(sizes)}
    arguments = []
    for _, labels in operands:
        arguments += [numpy.broadcast_to(numpy.float32(0), [sizes[label] for label in labels]), [names[label] for label in labels]]
    path = numpy.einsum_path(*arguments, [names[label] for label in output], optimize="greedy")[0][1:]
    pairs = []
    for step in path:       # a step may take more than two at once
        step = sorted(step)
        count = len(operands) - len(pairs)
        while len(step) > 1:
            pairs.append((step[0], step[1]))
            step = [p - 2 for p in step[2:]] + [count - 2]
            count -= 1
    return pairs


@composite(variadic="operands", out=False)
def einsum(equation, operands=()):
    """Sums of products of tensors, over dimensions named by letters: einsum("bij,bjk->bik", a, b) is a batch of matrix products.

    Args:
        equation: a letter for each dimension, a term for each operand, then `->` and the output's letters; without it, the letters that
            occur once, in order.  `...` stands for the other dimensions, which broadcast.  A letter twice in a term takes the diagonal.
        operands: tensors; or everything as einsum(a, [0, 1], b, [1, 2], [0, 2]).
    Raises:
        RuntimeError: the letters do not fit the operands.
    Example:
        >>> fastgrad.einsum("ij,j->i", fastgrad.ones(2, 3), fastgrad.ones(3))
        tensor([3., 3.])
    """
    if isinstance(equation, Tensor):
        rest = [list(operands)] if operands and not isinstance(operands[0], (list, tuple, Tensor)) else list(operands)
        tensors, terms, output = from_sublists([equation, *rest])
    else:
        tensors = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
        if not tensors:
            raise ValueError("einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list")
        terms, output = parsed(equation)
    if len(terms) != len(tensors):
        refuse(f"{'fewer' if len(terms) > len(tensors) else 'more'} operands were provided than specified in the equation")
    covered = max((x.ndim - len(t) + 1 for x, t in zip(tensors, terms) if Ellipsis in t), default=0)
    operands = [with_diagonals(x, spread(t, x.ndim, i)) for i, (x, t) in enumerate(zip(tensors, terms))]
    if output is None:
        count = [label for t in terms for label in t]
        output = [Ellipsis] * (Ellipsis in count) + sorted(label for label in set(count) - {Ellipsis} if count.count(label) == 1)
    output = with_ellipsis(output, covered)
    sizes = sizes_of(operands)
    for label in output:
        if output.count(label) > 1:
            refuse(f"output subscript {LETTERS[label]} appears more than once in the output")
        if label not in sizes:
            refuse(f"output subscript {LETTERS[label]} does not appear in the equation for any input operand")
    # A dimension of size 1 where another operand has more is broadcast by leaving it out.
    operands = [(_ops.squeeze(x, [d for d, n in enumerate(x.shape) if n == 1 != sizes[labels[d]]]),
                 [label for label, n in zip(labels, x.shape) if not n == 1 != sizes[label]]) for x, labels in operands]
    for i, j in path_of(operands, output, sizes):
        b, a = operands.pop(j), operands.pop(i)
        keep = {label for _, labels in operands for label in labels} | set(output)
        operands.append(contract(a, b, keep, sizes))
    x, labels = summed(*operands[0], set(output))
    order = [labels.index(label) for label in output]
    return x if order == sorted(order) and len(tensors) > 1 else _ops.permute(x, order)


@composite()
def tensordot(a: Tensor, b: Tensor, dims=2):
    """The sum of products over pairs of dimensions, one of `a` with one of `b`.

    Args:
        dims: how many: the last of `a` with the first of `b`; or the two lists.
    Returns:
        The other dimensions of `a`, then those of `b`.
    Raises:
        RuntimeError: the lists differ in length, or the sizes do not match.
    Example:
        >>> fastgrad.tensordot(fastgrad.ones(2, 3), fastgrad.ones(3, 4), 1).shape
        Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.ndim else dims.item()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = range(-dims, 0), range(dims)
    elif not isinstance(dims, (list, tuple)):
        raise RuntimeError("tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, but got "
                           f"dims={dims}")
    ours, theirs = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(ours) != len(theirs):
        raise RuntimeError("both dimension lists should have same length")
    ours, theirs = [dimension(d, a.ndim) for d in ours], [dimension(d, b.ndim) for d in theirs]
    for i, j in zip(ours, theirs):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                               f"and second has size {b.shape[j]} in dim {j}")
    narrow, wide = [d for d, e in zip(ours, theirs) if b.shape[e] == 1], [e for d, e in zip(ours, theirs) if a.shape[d] == 1]
    a = _ops.sum(a, narrow, keepdim=True) if narrow else a
    b = _ops.sum(b, wide, keepdim=True) if wide else b
    left, right = [d for d in range(a.ndim) if d not in ours], [d for d in range(b.ndim) if d not in theirs]
    product = _ops.mm(arranged(a, range(a.ndim), left, ours), arranged(b, range(b.ndim), theirs, right))
    return _ops.reshape(product, [a.shape[d] for d in left] + [b.shape[d] for d in right])


def dimension(d, ndim):
    """d counted from the first dimension.  Raises IndexError."""
    if not -ndim <= d < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {d})")
    return d % ndim


@composite(variadic="tensors", out=False)
def block_diag(tensors=()):
    """The matrix that has `tensors` along its diagonal and zeros elsewhere.

    Args:
        tensors: matrices; a vector counts as a row, a number as (1, 1).
    Raises:
        RuntimeError: one has more than two dimensions.
    Example:
        >>> fastgrad.block_diag(fastgrad.ones(1, 2), fastgrad.tensor(3.))
        tensor([[1., 1., 0.],
                [0., 0., 3.]])
    """
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise TypeError(f"block_diag(): expected Tensor as element {i}, but got {type(x).__name__}")
        if x.ndim > 2:
            raise RuntimeError(f"block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {x.ndim} dimensions")
    blocks = [x if x.ndim == 2 else _ops.reshape(x, (1, -1) if x.numel() else (1, 0)) for x in tensors]
    if not blocks:
        return fastgrad.empty(1, 0)
    width, before, rows = sum(x.shape[1] for x in blocks), 0, []
    for x in blocks:
        height, n = x.shape
        rows.append(_ops.cat([x.new_zeros(height, before), x, x.new_zeros(height, width - before - n)], 1))
        before += n
    return _ops.cat(rows)


@composite(out=False)
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distance of each row of `x1` to each row of `x2`; the gradient of a distance of zero is zero.

    Args:
        x1: (..., p, m).
        x2: (..., r, m); the leading dimensions broadcast.
        compute_mode: whether distances for p = 2 come from a matrix product: "use_mm_for_euclid_dist_if_necessary" for more than 25 rows,
            "use_mm_for_euclid_dist" or "donot_use_mm_for_euclid_dist".
    Returns:
        (..., p, r).
    Raises:
        RuntimeError: a tensor has less than two dimensions or is of integers, m differs, or p is negative.
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.dtype.is_floating_point:
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {x.dtype}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    modes = {"use_mm_for_euclid_dist_if_necessary": x1.shape[-2] > 25 or x2.shape[-2] > 25,
             "use_mm_for_euclid_dist": True, "donot_use_mm_for_euclid_dist": False}
    if compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if p == 2 and modes[compute_mode] and x1.shape[-1]:
        squares = [_ops.sum(x * x, -1, keepdim=True) for x in (x1, x2)]
        square = squares[0] + squares[1].mT - 2 * (x1 @ x2.mT)
        apart = square > 0
        return _ops.where(apart, _ops.sqrt(_ops.where(apart, square, 1)), 0)
    difference = _ops.unsqueeze(x1, -2) - _ops.unsqueeze(x2, -3)
    if p == 0:      # counts, whose gradients are zeros
        return _ops.where(fastgrad.tensor(True), _ops.norm(difference.detach(), 0, -1), _ops.sum(difference, -1))
    return _ops.norm(difference, p, -1)


@composite(out=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False):
    """Every choice of `r` elements of a vector, in order: itertools.combinations of its elements.

    Args:
        with_replacement: whether an element may be chosen several times.
    Returns:
        (choices, r).
    Raises:
        RuntimeError: `input` is no vector, or r is negative.
    Example:
        >>> fastgrad.combinations(fastgrad.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    n = len(input)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    count = comb(n + r - 1 if with_replacement else n, r)
    if count * r >= 1 << 48:
        raise RuntimeError(f"combinations: {count} choices of {r} elements are more than memory can hold")
    places = fastgrad.tensor(array("q", itertools.chain.from_iterable(choose(range(n), r))), dtype=fastgrad.int64)
    return _ops.index_select(input, 0, places).reshape(count, r)
