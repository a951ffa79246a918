# Random numbers: PyTorch's CPU recipes, that turn a generator's words into samples.
#
# A tensor is filled in the order of its memory, whatever order its dimensions have; gaps and overlaps go through a dense copy of
# that order.  Source: Matsumoto and Nishimura, Mersenne Twister, 1998; Box and Muller, 1958.
from libc.math cimport fma as c_fma, log as c_log, log1p as c_log1p, cos as c_cos, sin as c_sin, tan as c_tan, exp as c_exp, ceil as c_ceil

ctypedef double (*draw_t)(Generator g, double a, double b) noexcept

cdef inline float uniform_f32(Generator g) noexcept nogil:
    """24 random bits in [0, 1)."""
    return <float>(random_word(g) & 0xFFFFFF) * <float>(1.0 / 16777216.0)


cdef inline double uniform_f64(Generator g) noexcept nogil:
    """53 random bits in [0, 1)."""
    return <double>(random_words(g) & ((<uint64_t>1 << 53) - 1)) * (1.0 / 9007199254740992.0)


cdef double normal_sample(Generator g) noexcept nogil:
    """Box and Muller's pair, one at a time."""
    cdef double u1, u2, radius, angle
    if g.has_spare:
        g.has_spare = False
        return g.spare
    u1 = uniform_f64(g)
    u2 = uniform_f64(g)
    radius = c_sqrt(-2 * c_log1p(-u2))
    angle = 2 * 3.14159265358979323846 * u1
    g.spare = radius * c_sin(angle)
    g.has_spare = True
    return radius * c_cos(angle)


cdef void uniforms(Generator g, real* x, int64_t n) noexcept nogil:
    """Numbers in [0, 1); those of float32 a block of words at a time."""
    cdef int64_t i, k
    cdef uint32_t y
    cdef uint32_t* w
    if real is f64:
        for i in range(n):
            x[i] = uniform_f64(g)
    else:
        while n > 0:
            if g.next_word == MT_WORDS:
                refill(g)
            k = min(n, <int64_t>(MT_WORDS - g.next_word))
            w = g.word + g.next_word
            for i in range(k):
                y = w[i]
                y ^= y >> 11
                y ^= (y << 7) & <uint32_t>0x9D2C5680
                y ^= (y << 15) & <uint32_t>0xEFC60000
                x[i] = <real>(<int32_t>((y ^ (y >> 18)) & 0xFFFFFF)) * <real>(1.0 / 16777216.0)
            g.next_word += <int>k
            x += k
            n -= k


cdef int normal_many(Generator g, real* x, int64_t n, int64_t first, double mean, double std) except -1:
    """At least 16 normals, from `first` uniforms; the last, incomplete group is drawn again as the last 16."""
    cdef Launch l
    uniforms(g, x, first)
    l.kernel, l.dtype = K_NORMAL_SIXTEENS, FLOAT32 if real is f32 else FLOAT64
    l.core, l.ndim, l.noperands = 1, 1, 1
    l.attr[0].f, l.attr[1].f = mean, std
    l.stride[0][0] = sizeof(real)
    l.ptr[0], l.shape[0] = <char*>x, n
    run_holding(&l)
    if n % 16:
        x += n - 16
        uniforms(g, x, 16)
        l.ptr[0], l.shape[0] = <char*>x, 16
        run_holding(&l)
    return 0


ctypedef int (*sampler_t)(Generator g, Tensor t, double a, double b) except -1


cdef Tensor like_layout(int dt, Tensor t):
    """Uninitialised, with t's shape and its dimensions in t's order of memory, and dense."""
    cdef int8_t perm[MAX_DIMS]
    cdef Array* operand[1]
    operand[0] = &t.a
    order_dims(operand, 1, &t.a, perm)
    return empty_in_order(dt, &t.a, perm)


cdef int check_drawn(Tensor t) except -1:
    return check_inplace(t, is_floating(t.a.dtype) and wants(t))


cdef object drawn(Tensor t):
    """t, which was filled with draws: it does not depend on what it was any more."""
    cdef Node node
    bump(t)
    if is_floating(t.a.dtype) and wants(t):
        node = new_node(op_zero.row, 1, 1)
        set_edge(node, 0, t)
        rebase_written(t, node)
    return t


cdef object sample_into(str name, Tensor t, sampler_t sampler, object generator, double a, double b):
    """Fill t in place, in the order of its memory."""
    cdef Generator g = generator_argument(generator)
    cdef Tensor whole = t
    check_drawn(t)
    if not dense(&t.a):
        refuse_shared_elements(&t.a)
        whole = like_layout(t.a.dtype, t)
    sampler(g, whole, a, b)
    if whole is not t:
        copy_array(&t.a, &whole.a)
    return drawn(t)


cdef int require_floating(str name, Tensor t) except -1:
    if t.a.dtype != FLOAT32 and t.a.dtype != FLOAT64 and t.a.dtype != FLOAT16 and t.a.dtype != BFLOAT16:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(t.a.dtype)}'")
    return 0


cdef int sample_draws(Generator g, Tensor t, draw_t draw, double a, double b) except -1:
    """One draw in double for each element, rounded to the dtype."""
    cdef int64_t i
    cdef Tensor wide
    if t.a.dtype == FLOAT32:
        for i in range(t.a.numel):
            (<f32*>t.a.data)[i] = <f32>draw(g, a, b)
        return 0
    wide = t if t.a.dtype == FLOAT64 else like_layout(FLOAT64, t)
    for i in range(t.a.numel):
        (<f64*>wide.a.data)[i] = draw(g, a, b)
    return copy_array(&t.a, &wide.a) if wide is not t else 0


cdef int sample_uniform(Generator g, Tensor t, double low, double high) except -1:
    cdef int64_t i, n = t.a.numel
    cdef f32 narrow_low = <f32>low, span_ = <f32>high - <f32>low
    cdef f32* x = <f32*>t.a.data
    if t.a.dtype == FLOAT32:
        uniforms[f32](g, x, n)
        if low != 0 or high != 1:
            for i in range(n):                    # in double and rounded once, as PyTorch has it
                x[i] = <f32>(<double>x[i] * <double>span_ + <double>narrow_low)
                if x[i] == <f32>high:
                    x[i] = narrow_low
    elif t.a.dtype == FLOAT64:
        for i in range(n):
            (<f64*>t.a.data)[i] = c_fma(uniform_f64(g), high - low, low)
            if (<f64*>t.a.data)[i] == high:
                (<f64*>t.a.data)[i] = low
    else:
        sample_uniform_half(g, t, low, high)
    return 0


cdef int sample_uniform_half(Generator g, Tensor t, double low, double high) except -1:
    """In float32, then rounded; what rounds to `high`, which is not in the range, becomes `low`."""
    cdef Tensor wide = like_layout(FLOAT32, t)
    cdef int64_t i, bits = 0
    cdef f32 bound
    store_number(t.a.dtype, high, &bits)
    bound = load_number(t.a.dtype, &bits)
    sample_uniform(g, wide, low, high)
    copy_array(&t.a, &wide.a)
    copy_array(&wide.a, &t.a)
    for i in range(t.a.numel):
        if (<f32*>wide.a.data)[i] == bound:
            (<f32*>wide.a.data)[i] = <f32>low
    return copy_array(&t.a, &wide.a)


cdef double draw_normal(Generator g, double mean, double std) noexcept:
    return c_fma(normal_sample(g), std, mean)


cdef double draw_exponential(Generator g, double rate, double unused) noexcept:
    return -1 / rate * c_log1p(-uniform_f64(g))


cdef double draw_cauchy(Generator g, double median, double sigma) noexcept:
    cdef double eps = 2.220446049250313e-16, u = min(max(uniform_f64(g), eps), 1 - eps)
    return median + sigma * c_tan(3.14159265358979323846 * (u - 0.5))


cdef double draw_log_normal(Generator g, double mean, double std) noexcept:
    return c_exp(c_fma(normal_sample(g), std, mean))


cdef double draw_geometric(Generator g, double p, double unused) noexcept:
    return c_ceil(c_log(uniform_f64(g)) / c_log1p(-p))


cdef double draw_bernoulli(Generator g, double p, double unused) noexcept:
    return 1 if uniform_f64(g) < p else 0


cdef int sample_normals_singly(Generator g, Tensor t, double mean, double std) except -1:
    return sample_draws(g, t, draw_normal, mean, std)


cdef int sample_exponential(Generator g, Tensor t, double rate, double unused) except -1:
    return sample_draws(g, t, draw_exponential, rate, 0)


cdef int sample_cauchy(Generator g, Tensor t, double median, double sigma) except -1:
    return sample_draws(g, t, draw_cauchy, median, sigma)


cdef int sample_log_normal(Generator g, Tensor t, double mean, double std) except -1:
    return sample_draws(g, t, draw_log_normal, mean, std)


cdef int sample_geometric(Generator g, Tensor t, double p, double unused) except -1:
    return sample_draws(g, t, draw_geometric, p, 0)


cdef int sample_bernoulli(Generator g, Tensor t, double p, double unused) except -1:
    return sample_draws(g, t, draw_bernoulli, p, 0)


cdef int sample_normal(Generator g, Tensor t, double mean, double std) except -1:
    """From 16 contiguous numbers on in groups, otherwise one by one."""
    if t.a.numel < 16:
        return sample_normals_singly(g, t, mean, std)
    if t.a.dtype == FLOAT32:
        return normal_many[f32](g, <f32*>t.a.data, t.a.numel, t.a.numel, mean, std)
    if t.a.dtype == FLOAT64:
        return normal_many[f64](g, <f64*>t.a.data, t.a.numel, t.a.numel, mean, std)
    cdef Tensor wide = like_layout(FLOAT32, t)          # float16 and bfloat16 draw for the whole groups alone before the last 16
    normal_many[f32](g, <f32*>wide.a.data, t.a.numel, t.a.numel - t.a.numel % 16, mean, std)
    return copy_array(&t.a, &wide.a)


cdef object draw_integers(Tensor t, object low, object high, object generator):
    """Integers in [low, high), each the remainder of one word, of two where the range reaches 2**28."""
    cdef Generator g = generator_argument(generator)
    cdef int64_t i, base = low
    cdef uint64_t span_ = <uint64_t>((high.__index__() - low.__index__()) & 0xFFFFFFFFFFFFFFFF)     # 0: all of 64 bits
    cdef int64_t* x
    check_drawn(t)
    refuse_shared_elements(&t.a)
    cdef Tensor wide = t if t.a.dtype == INT64 and dense(&t.a) else like_layout(INT64, t)
    x = <int64_t*>wide.a.data
    if span_ == 0:
        for i in range(t.a.numel):
            x[i] = <int64_t>random_words(g)
    elif span_ >= (<uint64_t>1 << 28):
        for i in range(t.a.numel):
            x[i] = <int64_t>(random_words(g) % span_ + <uint64_t>base)
    else:
        for i in range(t.a.numel):
            x[i] = <int64_t>(random_word(g) % <uint32_t>span_) + base
    if wide is not t:
        copy_array(&t.a, &wide.a)
    return drawn(t)


cdef dict _INTEGER_LIMITS = {UINT8: (0, 255, "unsigned char"), INT8: (-128, 127, "signed char"), INT16: (-(1 << 15), (1 << 15) - 1, "short"),
                             INT32: (-(1 << 31), (1 << 31) - 1, "int"), BOOL: (0, 1, "bool"), FLOAT16: (-65504, 65504, "c10::Half")}

cdef dict _EXACT = {FLOAT16: (1 << 11) + 1, BFLOAT16: (1 << 8) + 1, FLOAT32: (1 << 24) + 1, FLOAT64: (1 << 53) + 1}     # so many whole numbers from 0 on


cdef int check_bounds(Tensor t, object low, object high) except -1:
    if is_complex(t.a.dtype):
        raise RuntimeError(f"check_random_bounds handles only integral, floating-point and boolean types, got {dtype_object(t.a.dtype)}")
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if t.a.dtype in _INTEGER_LIMITS:
        least, most, name = _INTEGER_LIMITS[t.a.dtype]
        if not least <= low <= most:
            raise RuntimeError(f"from is out of bounds for {name}")
        if not least <= high - 1 <= most:
            raise RuntimeError(f"to - 1 is out of bounds for {name}")
    return 0


# methods that fill a tensor

cdef object uniform__rule(Tensor input, object low, object high, object generator):
    if is_complex(input.a.dtype):
        uniform__rule(op_view_as_real(op_detach(input)), low, high, generator)
        return input
    require_floating("uniform_", input)
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
    return sample_into("uniform_", input, sample_uniform, generator, low, high)


cdef object normal__rule(Tensor input, object mean, object std, object generator):
    if not is_complex(input.a.dtype):
        require_floating("normal_", input)
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if is_complex(input.a.dtype):                       # half of the variance in each part, all of the mean
        normal__rule(op_view_as_real(op_detach(input)), mean, std * 0.7071067811865476, generator)
        return input
    return sample_into("normal_", input, sample_normal if input.a.contiguous else sample_normals_singly, generator, mean, std)


cdef object exponential__rule(Tensor input, object lambd, object generator):
    require_drawn("Exponential distribution is a continuous probability distribution.", input)
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return sample_into("exponential_", input, sample_exponential, generator, lambd, 0)


cdef object cauchy__rule(Tensor input, object median, object sigma, object generator):
    require_drawn("Cauchy distribution is a continuous probability distribution.", input)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    return sample_into("cauchy_", input, sample_cauchy, generator, median, sigma)


cdef int require_drawn(str what, Tensor t) except -1:
    if not is_floating(t.a.dtype):
        raise RuntimeError(f"{what} dtype must be a floating point but you specified {dtype_object(t.a.dtype)}")
    return 0


cdef object log_normal__rule(Tensor input, object mean, object std, object generator):
    require_floating("log_normal_cpu", input)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    return sample_into("log_normal_", input, sample_log_normal, generator, mean, std)


cdef object geometric__rule(Tensor input, object p, object generator):
    if input.a.dtype == BOOL:
        raise NotImplementedError("\"geometric_cpu\" not implemented for 'Bool'")
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    return sample_into("geometric_", input, sample_geometric, generator, p, 0)


cdef object bernoulli__rule(Tensor input, object p, object generator):
    if is_tensor(<PyObject*>p):
        return fill_bernoulli(input, <Tensor>p, generator)
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    return sample_into("bernoulli_", input, sample_bernoulli, generator, p, 0)


cdef object fill_bernoulli(Tensor input, Tensor p, object generator):
    """Ones with the probabilities in p, in the order of input's memory; 24 bits decide, or 53 where p is in double."""
    cdef Generator g = generator_argument(generator)
    cdef Tensor odds = like_layout(FLOAT64, input), out
    cdef int64_t i
    cdef double* x
    cdef double u
    require_floating("bernoulli_tensor_cpu_p_", p)
    check_drawn(input)
    refuse_shared_elements(&input.a)
    out = <Tensor>op_expand(converted(p, FLOAT64), shape_tuple(&input.a))
    copy_array(&odds.a, &out.a)
    x = <double*>odds.a.data
    for i in range(odds.a.numel):
        if not 0 <= x[i] <= 1:
            raise RuntimeError(f"Expected p_in >= 0 && p_in <= 1 to be true, but got {x[i]}")
    for i in range(odds.a.numel):
        u = uniform_f64(g) if p.a.dtype == FLOAT64 else <double>uniform_f32(g)
        x[i] = 1 if u < x[i] else 0
    copy_array(&input.a, &odds.a)
    return drawn(input)


cdef object random__rule(Tensor input, object low, object high, object generator):
    """No bounds: all of an integer dtype's non-negative range, or a float's exact integers."""
    if low is not None and high is None:
        low, high = 0, low
    if low is None:
        if is_complex(input.a.dtype):
            raise NotImplementedError(f"\"random_from_to\" not implemented for '{scalar_name(input.a.dtype)}'")
        high = _EXACT.get(input.a.dtype) or _INTEGER_LIMITS.get(input.a.dtype, (0, (1 << 63) - 1))[1] + 1
        return fill_whole_range(input, high, generator)
    check_bounds(input, low, high)
    return draw_integers(input, low, high, generator)


cdef object fill_whole_range(Tensor t, object high, object generator):
    """As draw_integers from 0, but one word serves ranges up to 2**32 where no bounds are given."""
    cdef Generator g = generator_argument(generator)
    cdef uint64_t span_ = high
    cdef int64_t i
    check_drawn(t)
    refuse_shared_elements(&t.a)
    cdef Tensor wide = like_layout(INT64, t)
    for i in range(t.a.numel):
        (<int64_t*>wide.a.data)[i] = <int64_t>(<uint64_t>random_word(g) % span_ if span_ <= <uint64_t>1 << 32 else random_words(g) % span_)
    copy_array(&t.a, &wide.a)
    return drawn(t)


# functions that make one

cdef Tensor sample_place(str name, object size, object dtype_, int fallback, object layout_, object device_, object pin_memory):
    return finished(sized(name, size, option_dtype(dtype_, fallback)), layout_, device_, pin_memory, False)


cdef Tensor place_like(str name, Tensor input, object memory_format, object dtype_, object layout_, object device_, object pin_memory):
    return finished(shaped_like(name, input, memory_format, dtype_), layout_, device_, pin_memory, False)


cdef object with_grad_flag(Tensor t, object requires_grad):
    if requires_grad:
        t.requires_grad_(True)
    return t


cdef object rand_rule(object size, object generator, object dtype_, object layout_, object device_, object pin_memory, object requires_grad):
    cdef Tensor t = sample_place("rand", size, dtype_, default_dtype(), layout_, device_, pin_memory)
    return with_grad_flag(uniform__rule(t, 0.0, 1.0, generator), requires_grad)


cdef object randn_rule(object size, object generator, object dtype_, object layout_, object device_, object pin_memory, object requires_grad):
    cdef Tensor t = sample_place("randn", size, dtype_, default_dtype(), layout_, device_, pin_memory)
    return with_grad_flag(normal__rule(t, 0.0, 1.0, generator), requires_grad)


cdef object rand_like_rule(Tensor input, object generator, object memory_format, object dtype_, object layout_, object device_,
                           object pin_memory, object requires_grad):
    cdef Tensor t = place_like("rand_like", input, memory_format, dtype_, layout_, device_, pin_memory)
    return with_grad_flag(uniform__rule(t, 0.0, 1.0, generator), requires_grad)


cdef object randn_like_rule(Tensor input, object generator, object memory_format, object dtype_, object layout_, object device_,
                            object pin_memory, object requires_grad):
    cdef Tensor t = place_like("randn_like", input, memory_format, dtype_, layout_, device_, pin_memory)
    return with_grad_flag(normal__rule(t, 0.0, 1.0, generator), requires_grad)


cdef object drawn_between(str name, Tensor t, object low, object high, object generator, object requires_grad):
    for bound in (low, high):
        if not hasattr(bound, "__index__"):
            raise TypeError(f"{name}(): argument 'high' must be int, not {type(bound).__name__}")
        if not -(1 << 63) <= bound.__index__() < 1 << 63:
            raise ValueError(f"Overflow when unpacking long long: {name}: bounds must fit in 64 bits, got {bound}")
    low, high = low.__index__(), high.__index__()
    check_bounds(t, low, high)
    return with_grad_flag(draw_integers(t, low, high, generator), requires_grad)


cdef object randint_rule(object low, object high, object size, object generator, object dtype_, object layout_, object device_,
                         object pin_memory, object requires_grad):
    if size is None or isinstance(high, (tuple, list)):
        low, high, size = 0, low, high if size is None else size
    elif high is None:
        low, high = 0, low
    elif low is None:
        low = 0
    if high is None or size is None:
        raise TypeError("randint() received an invalid combination of arguments: it needs a high bound and a size")
    if isinstance(size, int):
        raise TypeError("randint(): argument 'size' must be tuple of ints, not int")
    cdef Tensor t = sample_place("randint", size, dtype_, INT64, layout_, device_, pin_memory)
    return drawn_between("randint", t, low, high, generator, requires_grad)


cdef object randint_like_rule(Tensor input, object low, object high, object generator, object memory_format, object dtype_, object layout_,
                              object device_, object pin_memory, object requires_grad):
    if high is None or low is None:
        low, high = 0, low if high is None else high
    cdef Tensor t = place_like("randint_like", input, memory_format, dtype_, layout_, device_, pin_memory)
    return drawn_between("randint_like", t, low, high, generator, requires_grad)


cdef int check_permuted(int64_t count, int dt) except -1:
    """Whether a dtype has a number for each of so many elements."""
    if dt == BOOL or is_complex(dt):
        raise NotImplementedError(f"\"randperm\" not implemented for '{scalar_name(dt)}'")
    if dt in _EXACT and count > _EXACT[dt]:
        raise RuntimeError(f"n cannot be greater than {_EXACT[dt]} for {scalar_name(dt)} type.")
    if dt in _INTEGER_LIMITS and count > _INTEGER_LIMITS[dt][1]:
        raise RuntimeError(f"value cannot be converted to type {dtype_object(dt)} without overflow: randperm of {count}")
    return 0


cdef object randperm_rule(object n, object generator, object dtype_, object layout_, object device_, object pin_memory, object requires_grad):
    """Source: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P."""
    cdef Generator g = generator_argument(generator)
    cdef int64_t i, j, count = n
    cdef int dt = option_dtype(dtype_, INT64)
    if count < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    check_permuted(count, dt)
    cdef Tensor t = sample_place("randperm", (n,), None, INT64, layout_, device_, pin_memory)
    cdef int64_t* x = <int64_t*>t.a.data
    for i in range(count):
        x[i] = i
    for i in range(count - 1):
        j = i + <int64_t>(random_word(g) % <uint64_t>(count - i))
        x[i], x[j] = x[j], x[i]
    return with_grad_flag(cast_to(t, dt), requires_grad)


cdef object bernoulli_rule(Tensor input, object p, object generator):
    cdef Tensor out = empty_as(input.a.dtype, &input.a)
    return op__linked(bernoulli__rule(out, op_detach(input) if p is None else p, generator), input)


cdef object normal_rule(object mean, object std, object size, object generator, object dtype_, object layout_, object device, object pin_memory,
                        object requires_grad):
    """mean + std * standard normals, in the shape of whichever is a tensor, or `size` and `dtype`, which numbers take."""
    if not is_tensor(<PyObject*>mean) and not is_tensor(<PyObject*>std):
        if size is None:
            raise TypeError("normal(): a size is needed where mean and std are numbers")
        return with_grad_flag(normal__rule(sample_place("normal", size, dtype_, default_dtype(), layout_, device, pin_memory),
                                           mean, std, generator), requires_grad)
    if dtype_ is not None or requires_grad:
        raise TypeError("normal() received an invalid combination of arguments: dtype and requires_grad go with numbers and a size")
    if is_tensor(<PyObject*>std) and (<Tensor>std).a.numel and op_lt(op_detach(std), 0).any():
        raise RuntimeError("normal expects all elements of std >= 0.0")
    if not is_tensor(<PyObject*>std) and std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    given = [t for t in (mean, std) if is_tensor(<PyObject*>t)]
    mean = op_detach(mean) if is_tensor(<PyObject*>mean) else mean
    std = op_detach(std) if is_tensor(<PyObject*>std) else std
    whole = op_add(op_mul(mean, 0) if is_tensor(<PyObject*>mean) else 0, op_mul(std, 0) if is_tensor(<PyObject*>std) else 0)
    whole = empty((<Tensor>whole).a.dtype, (<Tensor>whole).a.ndim, (<Tensor>whole).a.shape)
    whole = op_add(op_mul(normal__rule(<Tensor>whole, 0.0, 1.0, generator), std), mean)
    for t in given:                      # as in PyTorch, the gradients are zero
        whole = op__linked(whole, t)
    return whole


cdef object multinomial_rule(Tensor input, object num_samples, object replacement, object generator):
    """Indices drawn in proportion to the rows of `input`.

    One of a row, or several that differ: the largest p / q, q exponential.  Source: Efraimidis and Spirakis, Weighted random sampling
    with a reservoir, 2006.
    """
    cdef int64_t n, count = num_samples
    if not is_floating(input.a.dtype):
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {scalar_name(input.a.dtype)}")
    if input.a.ndim != 1 and input.a.ndim != 2:
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got {shape_tuple(&input.a)}")
    n = input.a.shape[input.a.ndim - 1]
    if count <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and count > n:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    input = <Tensor>op_detach(input)
    if replacement and count > 1:
        return multinomial_search(input, count, generator)
    if not op_logical_and(op_ge(input, 0), op_lt(input, float("inf"))).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if op_eq(op_sum(input, -1), 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    keys = op_div(input, exponential__rule(like_layout(input.a.dtype, input), 1.0, generator))
    if count == 1:
        return op_argmax(keys, -1, True)
    return op_topk(keys, count)[1]


cdef object multinomial_search(Tensor input, int64_t count, object generator):
    """With replacement: a search in the row's sums, which are rounded in the input's dtype."""
    cdef Generator g = generator_argument(generator)
    cdef int64_t rows = input.a.shape[0] if input.a.ndim == 2 else 1, n = input.a.shape[input.a.ndim - 1]
    cdef int64_t shape[2]
    cdef Tensor odds = contiguous_copy(converted(input, FLOAT64 if input.a.dtype == FLOAT64 else FLOAT32)), sums
    shape[0], shape[1] = rows, count
    cdef Tensor out = empty(INT64, 2, shape) if input.a.ndim == 2 else empty(INT64, 1, shape + 1)
    cdef int fault
    sums = empty(odds.a.dtype, 1, &n)
    if odds.a.dtype == FLOAT64:
        fault = search_rows[f64](g, <f64*>odds.a.data, <f64*>sums.a.data, <int64_t*>out.a.data, rows, n, count)
    else:
        fault = search_rows[f32](g, <f32*>odds.a.data, <f32*>sums.a.data, <int64_t*>out.a.data, rows, n, count)
    if fault:
        raise RuntimeError("invalid multinomial distribution (" + (
            "encountering probability entry < 0)" if fault == 1 else
            "encountering probability entry = infinity or NaN)" if fault == 2 else "sum of probabilities <= 0)"))
    return out


cdef int search_rows(Generator g, real* odds, real* sums, int64_t* out, int64_t rows, int64_t n, int64_t count) noexcept nogil:
    """0, or what is wrong: 1 an entry < 0 or NaN, 2 an infinite one, 3 none > 0."""
    cdef int64_t i, j, k, low, high, middle
    cdef real total
    cdef double u
    for i in range(rows):
        total = 0
        for j in range(n):
            if not odds[j] >= 0:
                return 1
            if odds[j] - odds[j] != 0:
                return 2
            total += odds[j]
            sums[j] = total
        if not total > 0:
            return 3
        for j in range(n):
            sums[j] /= total
        sums[n - 1] = 1
        for k in range(count):
            u = uniform_f64(g)
            low, high = 0, n
            while low < high:
                middle = low + (high - low) // 2
                if sums[middle] < u:
                    low = middle + 1
                else:
                    high = middle
            out[k] = low
        odds += n
        out += count
    return 0


cdef object dropout_rule(Tensor input, object p, object training, object inplace):
    """Zero each element with probability p and scale the others by 1 / (1 - p), in training only."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else op_mul(input, 0)
    mask = sample_into("dropout", like_layout(input.a.dtype, input), sample_bernoulli, None, 1 - p, 0)
    mask /= 1 - p
    if not inplace:
        return op_mul(input, mask)
    input *= mask
    return input
