# The nuclear norm: the sum of a matrix's singular values, which NumPy finds.
#
# Its gradient is the polar factor Q = U V^H, an operation of its own, whose derivative is linear and symmetric: with D = U^H G V,
#     dQ = U ((D - D^H) / (s_i + s_j)) V^H + (1 - U U^H) G V / s V^H + U / s U^H G (1 - V V^H).

cdef object singular(Tensor t):
    """U, s and V^H of the matrices in the last two dimensions, as NumPy arrays."""
    import numpy
    return numpy.linalg.svd(op_detach(t).numpy(), full_matrices=False)


cdef Tensor from_singular(object array, int dt):
    import numpy
    return converted(from_numpy_rule(numpy.array(array, order="C")), dt)


cdef Tensor _nuclear_rule(Tensor input):
    return from_singular(singular(input)[1].sum(-1), real_of(input.a.dtype))


cdef Tensor _polar_rule(Tensor input):
    u, s, vt = singular(input)
    return from_singular(u @ vt, input.a.dtype)


cdef Tensor _polar_step_rule(Tensor input, Tensor at):
    """The derivative of `at`'s polar factor in the direction `input`; 0 between directions whose singular values are 0."""
    import numpy
    u, s, vt = singular(at)
    g, ut, v = op_detach(input).numpy(), u.conj().swapaxes(-1, -2), vt.conj().swapaxes(-1, -2)
    d = ut @ g @ v
    pairs = s[..., :, None] + s[..., None, :]
    with numpy.errstate(divide="ignore"):
        inner = numpy.where(pairs > 0, 1 / pairs, 0) * (d - d.conj().swapaxes(-1, -2))
        outer = numpy.where(s > 0, 1 / s, 0)
    left, right = g @ v, ut @ g
    left, right = left - u @ d, right - d @ vt
    return from_singular(u @ inner @ vt + (left * outer[..., None, :]) @ vt + (u * outer[..., None, :]) @ right, at.a.dtype)


cdef object polar_twice(object grad):
    raise NotImplementedError("norm: the third derivative of the nuclear norm is not supported")


cdef object nuclear_norm(object input, object dim, bint keepdim):
    cdef Tensor x = <Tensor>input
    cdef int i, j
    if not is_floating(x.a.dtype):
        raise RuntimeError(f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {scalar_name(x.a.dtype)}")
    if x.a.dtype == FLOAT16 or x.a.dtype == BFLOAT16:
        raise NotImplementedError(f'"svd" not implemented for \'{scalar_name(x.a.dtype)}\'')
    dims = list(range(x.a.ndim)) if dim is None else list(dim) if isinstance(dim, (tuple, list)) else [dim]
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join([str(d) for d in dims])}")
    i, j = wrapped_dim("norm", dims[0], x.a.ndim), wrapped_dim("norm", dims[1], x.a.ndim)
    if i == j:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})")
    out = op__nuclear(op_movedim(input, (i, j), (-2, -1)))
    if keepdim:
        out = op_unsqueeze(op_unsqueeze(out, min(i, j)), max(i, j))
    return out
