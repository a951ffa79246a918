# Random numbers: the Mersenne Twister, and PyTorch's CPU recipes that turn its words into samples.
#
# A generator is sequential by nature: samples are drawn in row-major order of the tensor, one thread, under the GIL.
# Source: Matsumoto and Nishimura, Mersenne Twister, 1998.
from libc.math cimport fma as c_fma, log as c_log, log1p as c_log1p, cos as c_cos, sin as c_sin

cdef enum:
    MT_WORDS = 624
    MT_SHIFT = 397


cdef class Generator:
    """A source of random numbers with a state of its own.

    Invariants: `word[next_word:]` are still to be handed out; `spare` is the second value of the last pair of normals, if `has_spare`.
    Thread-safety: draws happen under the GIL.
    """
    cdef uint32_t word[MT_WORDS]
    cdef int next_word
    cdef bint has_spare
    cdef double spare
    cdef uint64_t seed_

    def __cinit__(self, device="cpu"):
        check_device(device)
        seed_generator(self, 67280421310721)

    def manual_seed(self, seed):
        """Start over from a seed; negative ones count from 2**64."""
        seed_generator(self, <uint64_t>(int(seed) & 0xFFFFFFFFFFFFFFFF))
        return self

    def initial_seed(self):
        return self.seed_

    def seed(self):
        """Start over from a seed that the system gives; returns it."""
        import os
        seed_generator(self, <uint64_t>int.from_bytes(os.urandom(8), "little"))
        return self.seed_

    @property
    def device(self):
        import fastgrad
        return fastgrad.device("cpu")


cdef void seed_generator(Generator g, uint64_t seed) noexcept:
    cdef int i
    g.seed_ = seed
    g.word[0] = <uint32_t>seed
    for i in range(1, MT_WORDS):
        g.word[i] = <uint32_t>1812433253 * (g.word[i - 1] ^ (g.word[i - 1] >> 30)) + <uint32_t>i
    g.next_word = MT_WORDS
    g.has_spare = False


cdef void refill(Generator g) noexcept nogil:
    cdef int i
    cdef uint32_t y
    for i in range(MT_WORDS):
        y = (g.word[i] & <uint32_t>0x80000000) | (g.word[(i + 1) % MT_WORDS] & <uint32_t>0x7FFFFFFF)
        g.word[i] = g.word[(i + MT_SHIFT) % MT_WORDS] ^ (y >> 1) ^ (<uint32_t>0x9908B0DF if y & 1 else <uint32_t>0)
    g.next_word = 0


cdef inline uint32_t random_word(Generator g) noexcept nogil:
    cdef uint32_t y
    if g.next_word == MT_WORDS:
        refill(g)
    y = g.word[g.next_word]
    g.next_word += 1
    y ^= y >> 11
    y ^= (y << 7) & <uint32_t>0x9D2C5680
    y ^= (y << 15) & <uint32_t>0xEFC60000
    return y ^ (y >> 18)


cdef inline uint64_t random_words(Generator g) noexcept nogil:
    cdef uint64_t high = random_word(g)
    return high << 32 | random_word(g)


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


cdef void normal_sixteen(real* x, double mean, double std) noexcept nogil:
    """Turn 16 uniforms into 16 normals: PyTorch's layout, the first eight with the cosine."""
    cdef int i
    cdef real u1, u2, radius, angle
    for i in range(8):
        u1 = 1 - x[i]
        u2 = x[i + 8]
        radius = <real>c_sqrt(<real>-2 * <real>c_log(u1))
        angle = <real>(2 * 3.14159265358979323846) * u2
        x[i] = <real>c_fma(radius * <real>c_cos(angle), <real>std, <real>mean)
        x[i + 8] = <real>c_fma(radius * <real>c_sin(angle), <real>std, <real>mean)


cdef void normal_many(Generator g, real* x, int64_t n, double mean, double std) noexcept nogil:
    """At least 16 normals; the last, incomplete group is drawn again as the last 16."""
    cdef int64_t i
    for i in range(n):
        x[i] = uniform_f32(g) if real is f32 else uniform_f64(g)
    i = 0
    while i + 16 <= n:
        normal_sixteen(x + i, mean, std)
        i += 16
    if n % 16:
        x += n - 16
        for i in range(16):
            x[i] = uniform_f32(g) if real is f32 else uniform_f64(g)
        normal_sixteen(x, mean, std)


cdef Generator default_generator_ = Generator()
default_generator = default_generator_


def manual_seed(seed):
    """Seed the default generator; the same seed gives PyTorch's numbers.  Returns the generator."""
    return default_generator_.manual_seed(seed)


def seed():
    return default_generator_.seed()


def initial_seed():
    return default_generator_.initial_seed()


cdef Generator generator_argument(object generator):
    if generator is None:
        return default_generator_
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be a Generator, not {type(generator).__name__}")
    return <Generator>generator


ctypedef int (*sampler_t)(Generator g, Tensor t, double a, double b) except -1


cdef object sample_into(str name, Tensor t, sampler_t sampler, object generator, double a, double b):
    """Fill t in place by a sampler over contiguous memory."""
    cdef Generator g = generator_argument(generator)
    cdef Tensor whole = t
    check_inplace(t, False)
    if not t.a.contiguous:
        whole = empty_as(t.a.dtype, &t.a)
    sampler(g, whole, a, b)
    if whole is not t:
        copy_array(&t.a, &whole.a)
    bump(t)
    return t


cdef int require_floating(str name, Tensor t) except -1:
    if t.a.dtype != FLOAT32 and t.a.dtype != FLOAT64 and t.a.dtype != FLOAT16 and t.a.dtype != BFLOAT16:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(t.a.dtype)}'")
    return 0


cdef int sample_half(Generator g, Tensor t, sampler_t sampler, double a, double b) except -1:
    """float16 and bfloat16: sampled in float32, then rounded."""
    cdef Tensor wide = empty_as(FLOAT32, &t.a)
    sampler(g, wide, a, b)
    return copy_array(&t.a, &wide.a)


cdef int sample_uniform(Generator g, Tensor t, double low, double high) except -1:
    cdef int64_t i
    cdef f32 narrow_low = <f32>low, span_ = <f32>high - <f32>low
    if t.a.dtype == FLOAT32:
        for i in range(t.a.numel):                # in double and rounded once, as PyTorch has it
            (<f32*>t.a.data)[i] = <f32>(<double>uniform_f32(g) * <double>span_ + <double>narrow_low)
    elif t.a.dtype == FLOAT64:
        for i in range(t.a.numel):
            (<f64*>t.a.data)[i] = c_fma(uniform_f64(g), high - low, low)
    else:
        sample_half(g, t, sample_uniform, low, high)
    return 0


cdef int sample_normal(Generator g, Tensor t, double mean, double std) except -1:
    cdef int64_t i, n = t.a.numel
    if t.a.dtype == FLOAT32:
        if n >= 16:
            normal_many[f32](g, <f32*>t.a.data, n, mean, std)
        else:
            for i in range(n):
                (<f32*>t.a.data)[i] = <f32>(normal_sample(g) * std + mean)
    elif t.a.dtype == FLOAT64:
        if n >= 16:
            normal_many[f64](g, <f64*>t.a.data, n, mean, std)
        else:
            for i in range(n):
                (<f64*>t.a.data)[i] = normal_sample(g) * std + mean
    else:
        sample_half(g, t, sample_normal, mean, std)
    return 0


cdef int sample_bernoulli(Generator g, Tensor t, double p, double unused) except -1:
    cdef int64_t i
    cdef Tensor wide = t if t.a.dtype == FLOAT32 else empty_as(FLOAT32, &t.a)
    for i in range(t.a.numel):
        (<f32*>wide.a.data)[i] = 1 if uniform_f64(g) < p else 0
    return copy_array(&t.a, &wide.a) if wide is not t else 0


cdef int sample_integers(Generator g, Tensor t, double low, double high) except -1:
    """Integers in [low, high), each by a remainder of one word (two where the range passes 2**32)."""
    cdef int64_t i, base = <int64_t>low
    cdef uint64_t span_ = <uint64_t>(<int64_t>high - base)
    cdef Tensor wide = t if t.a.dtype == INT64 else empty_as(INT64, &t.a)
    for i in range(t.a.numel):
        if span_ >= (<uint64_t>1 << 32):
            (<int64_t*>wide.a.data)[i] = <int64_t>(random_words(g) % span_) + base
        else:
            (<int64_t*>wide.a.data)[i] = <int64_t>(random_word(g) % span_) + base
    return copy_array(&t.a, &wide.a) if wide is not t else 0


# methods that fill a tensor

cdef object uniform__rule(Tensor input, object low, object high, object generator):
    require_floating("uniform_", input)
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
    return sample_into("uniform_", input, sample_uniform, generator, low, high)


cdef object normal__rule(Tensor input, object mean, object std, object generator):
    require_floating("normal_", input)
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    return sample_into("normal_", input, sample_normal, generator, mean, std)


cdef object bernoulli__rule(Tensor input, object p, object generator):
    if is_tensor(<PyObject*>p):
        return input.copy_(op_bernoulli(op_expand(p, shape_tuple(&input.a)), generator=generator))
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    return sample_into("bernoulli_", input, sample_bernoulli, generator, p, 0)


cdef object random__rule(Tensor input, object low, object high, object generator):
    """No bounds: all of an integer dtype's non-negative range, or a float's exact integers."""
    if low is not None and high is None:
        low, high = 0, low
    if low is None:
        low = 0
        high = {FLOAT32: 1 << 24, FLOAT64: 1 << 53, INT64: 1 << 62, INT32: 1 << 31, INT16: 1 << 15, INT8: 1 << 7, UINT8: 1 << 8,
                BOOL: 2, FLOAT16: 1 << 11, BFLOAT16: 1 << 8}[input.a.dtype]
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    return sample_into("random_", input, sample_integers, generator, low, high)


# functions that make one

cdef Tensor sample_place(str name, object size, object dtype_, object device, int fallback):
    cdef int64_t shape[MAX_DIMS]
    cdef int ndim = read_shape(name, size, shape)
    check_device(device)
    return empty(fallback if dtype_ is None else dtype_argument(dtype_).code, ndim, shape)


cdef object with_grad_flag(Tensor t, object requires_grad):
    if requires_grad:
        t.requires_grad_(True)
    return t


cdef object rand_rule(object size, object generator, object dtype_, object device, object requires_grad):
    return with_grad_flag(uniform__rule(sample_place("rand", size, dtype_, device, default_dtype()), 0.0, 1.0, generator), requires_grad)


cdef object randn_rule(object size, object generator, object dtype_, object device, object requires_grad):
    return with_grad_flag(normal__rule(sample_place("randn", size, dtype_, device, default_dtype()), 0.0, 1.0, generator), requires_grad)


cdef object rand_like_rule(Tensor input, object dtype_, object device, object requires_grad):
    return rand_rule(shape_tuple(&input.a), None, dtype_object(input.a.dtype) if dtype_ is None else dtype_, device, requires_grad)


cdef object randn_like_rule(Tensor input, object dtype_, object device, object requires_grad):
    return randn_rule(shape_tuple(&input.a), None, dtype_object(input.a.dtype) if dtype_ is None else dtype_, device, requires_grad)


def randint(low, high=None, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Integers drawn uniformly from [low, high); `randint(high, size)` starts at 0.

    Raises:
        RuntimeError: the range is empty.
    Example:
        >>> fastgrad.randint(10, (2, 3)).shape
        torch.Size([2, 3])
    """
    if size is None:
        low, high, size = 0, low, high
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    cdef Tensor t = sample_place("randint", size, dtype, device, INT64)
    return with_grad_flag(sample_into("randint", t, sample_integers, generator, low, high), requires_grad)


def randint_like(input, low, high=None, *, dtype=None, device=None, requires_grad=False):
    """As randint, in the shape and dtype of a tensor."""
    return randint(0 if high is None else low, low if high is None else high, tuple(input.shape), dtype=dtype or input.dtype,
                   device=device, requires_grad=requires_grad)


def randperm(n, *, generator=None, dtype=None, device=None, requires_grad=False):
    """The integers 0 to n-1 in random order.  Source: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P."""
    cdef Generator g = generator_argument(generator)
    cdef int64_t i, j, count = n
    if count < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    cdef Tensor t = sample_place("randperm", (n,), None, device, INT64)
    cdef int64_t* x = <int64_t*>t.a.data
    for i in range(count):
        x[i] = i
    for i in range(count - 1):
        j = i + <int64_t>(random_word(g) % <uint64_t>(count - i))
        x[i], x[j] = x[j], x[i]
    return with_grad_flag(t if dtype is None else converted(t, dtype_argument(dtype).code), requires_grad)


cdef object bernoulli_rule(Tensor input, object p, object generator):
    cdef Generator g = generator_argument(generator)
    cdef Tensor odds, out
    cdef int64_t i
    if p is not None:
        out = empty_as(input.a.dtype, &input.a)
        return bernoulli__rule(out, p, generator)
    require_floating("bernoulli", input)
    odds = contiguous_copy(converted(input, FLOAT64))
    out = empty_as(FLOAT64, &input.a)
    for i in range(out.a.numel):
        if not 0 <= (<f64*>odds.a.data)[i] <= 1:
            raise RuntimeError(f"Expected p_in >= 0 && p_in <= 1 to be true, but got {(<f64*>odds.a.data)[i]}")
        (<f64*>out.a.data)[i] = 1 if uniform_f64(g) < (<f64*>odds.a.data)[i] else 0
    return converted(out, input.a.dtype)


cdef object normal_rule(object mean, object std, object size, object generator):
    """mean + std * standard normals, in the shape of whichever is a tensor, or `size`."""
    if not is_tensor(<PyObject*>mean) and not is_tensor(<PyObject*>std):
        if size is None:
            raise TypeError("normal(): a size is needed where mean and std are numbers")
        return normal__rule(sample_place("normal", size, None, None, default_dtype()), mean, std, generator)
    whole = op_add(op_mul(mean, 0) if is_tensor(<PyObject*>mean) else mean, op_mul(std, 0) if is_tensor(<PyObject*>std) else 0)
    return op_add(op_mul(normal__rule(<Tensor>whole, 0.0, 1.0, generator), std), mean)


cdef object multinomial_rule(Tensor input, object num_samples, object replacement, object generator):
    """Indices drawn in proportion to the rows of `input`."""
    cdef Generator g = generator_argument(generator)
    cdef int64_t rows, n, i, j, k, count = num_samples
    cdef double total, u, sum_
    cdef double* w
    require_floating("multinomial", input)
    if input.a.ndim != 1 and input.a.ndim != 2:
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got {shape_tuple(&input.a)}")
    n = input.a.shape[input.a.ndim - 1]
    rows = input.a.shape[0] if input.a.ndim == 2 else 1
    if count <= 0 or (not replacement and count > n):
        raise RuntimeError("cannot sample n_sample <= 0 samples" if count <= 0 else
                           "cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    cdef Tensor odds = contiguous_copy(converted(input, FLOAT64))
    cdef int64_t shape[2]
    shape[0], shape[1] = rows, count
    cdef Tensor out = empty(INT64, 2, shape) if input.a.ndim == 2 else empty(INT64, 1, shape + 1)
    for i in range(rows):
        w = <double*>odds.a.data + i * n
        total = 0
        for j in range(n):
            if not 0 <= w[j] < float("inf"):
                raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
            total += w[j]
        if total <= 0:
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        for k in range(count):
            u = uniform_f64(g) * total
            sum_ = 0
            j = 0
            while j < n - 1 and (sum_ + w[j] <= u or w[j] == 0):
                sum_ += w[j]
                j += 1
            while w[j] == 0 and j > 0:
                j -= 1
            (<int64_t*>out.a.data)[i * count + k] = j
            if not replacement:
                total -= w[j]
                w[j] = 0
    return out


cdef object dropout_rule(Tensor input, object p, object training, object inplace):
    """Zero each element with probability p and scale the others by 1 / (1 - p), in training only."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    mask = sample_into("dropout", empty_as(input.a.dtype, &input.a), sample_bernoulli, None, 1 - p, 0)
    if p < 1:
        mask /= 1 - p
    if not inplace:
        return op_mul(input, mask)
    input *= mask
    return input
