# Where random numbers come from: the Mersenne Twister, its state, and the default generator.  What becomes of its words is in random.pxi.
#
# A generator is sequential by nature: one thread draws at a time, under the GIL.
# Source: Matsumoto and Nishimura, Mersenne Twister, 1998.

cdef enum:
    MT_WORDS = 624
    MT_SHIFT = 397
    STATE_BYTES = 5056              # of PyTorch's CPU generator


ctypedef struct SavedState:
    # PyTorch's layout of a generator's state: words are kept in 64 bits each; `left` is 1 + the words still to be handed out
    uint64_t seed
    int32_t left
    int32_t seeded
    uint64_t next_word
    uint64_t word[MT_WORDS]
    double unused
    double spare
    double unused_too
    int32_t has_spare
    int32_t padding
    uint64_t float_spare


cdef class Generator:
    """A source of random numbers with a state of its own.

    Invariants: `word[next_word:]` are still to be handed out; `spare` is the second value of the last pair of normals, if `has_spare`.
    Thread-safety: draws happen under the GIL.
    """
    cdef uint32_t word[MT_WORDS]
    cdef int next_word
    cdef bint fresh                 # seeded, and no word made yet
    cdef bint has_spare
    cdef double spare
    cdef uint64_t seed_

    def __cinit__(self, device="cpu"):
        if str(device).split(":")[0] == "cuda":
            raise RuntimeError("Generator: device must be 'cpu', got 'cuda': this PyTorch is built without CUDA")
        check_device(device)
        seed_generator(self, 67280421310721)

    def manual_seed(self, seed):
        """Start over from a seed; negative ones count from 2**64."""
        if not -2 ** 63 <= int(seed) < 2 ** 64:
            raise ValueError(f"manual_seed: seed must be from -2**63 to 2**64 - 1, got {seed}. Overflow when unpacking long long")
        seed_generator(self, <uint64_t>(int(seed) & 0xFFFFFFFFFFFFFFFF))
        return self

    def initial_seed(self):
        return self.seed_

    def seed(self):
        """Start over from a seed that the system gives; returns it."""
        import os
        seed_generator(self, <uint64_t>int.from_bytes(os.urandom(8), "little"))
        return self.seed_

    def get_state(self):
        """The state as a uint8 tensor of PyTorch's own layout."""
        cdef int64_t shape[1]
        cdef int i
        shape[0] = STATE_BYTES
        cdef Tensor t = empty(UINT8, 1, shape)
        cdef SavedState* s = <SavedState*>t.a.data
        memset(s, 0, STATE_BYTES)
        s.seed, s.seeded = self.seed_, 1
        s.next_word = 0 if self.fresh else self.next_word
        s.left = 1 if self.fresh else MT_WORDS + 1 - self.next_word
        for i in range(MT_WORDS):
            s.word[i] = self.word[i]
        s.has_spare = self.has_spare
        s.spare = self.spare if self.has_spare else 0
        return t

    def set_state(self, new_state):
        """Go on from a state that get_state gave, PyTorch's too."""
        cdef SavedState s
        cdef int i
        if not is_tensor(<PyObject*>new_state) or (<Tensor>new_state).a.dtype != UINT8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        cdef Tensor t = contiguous_copy(<Tensor>new_state)
        if t.a.numel != STATE_BYTES:
            raise RuntimeError(f"Expected a CPUGeneratorImplState of size {STATE_BYTES} but found the input RNG state size to be {t.a.numel}")
        memcpy(&s, t.a.data, STATE_BYTES)
        if not 1 <= s.left <= MT_WORDS or s.next_word > MT_WORDS:
            raise RuntimeError("Invalid mt19937 state")
        for i in range(MT_WORDS):
            self.word[i] = <uint32_t>s.word[i]
        self.seed_ = s.seed
        self.fresh = s.left == 1 and s.next_word == 0
        self.next_word = MT_WORDS if s.left == 1 else <int>s.next_word
        self.has_spare = s.has_spare != 0
        self.spare = s.spare
        return self

    def clone_state(self):
        """Another generator in the same state."""
        return Generator().set_state(self.get_state())

    def __reduce__(self):
        return _restored_generator, (self.get_state(),)

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
    g.fresh = True
    g.has_spare = False


cdef inline uint32_t twist(uint32_t high, uint32_t low) noexcept nogil:
    cdef uint32_t y = (high & <uint32_t>0x80000000) | (low & <uint32_t>0x7FFFFFFF)
    return (y >> 1) ^ (<uint32_t>0x9908B0DF & (0 - (y & 1)))


cdef void refill(Generator g) noexcept nogil:
    cdef int i
    cdef uint32_t* w = g.word
    for i in range(MT_WORDS - MT_SHIFT):
        w[i] = w[i + MT_SHIFT] ^ twist(w[i], w[i + 1])
    for i in range(MT_WORDS - MT_SHIFT, MT_WORDS - 1):
        w[i] = w[i + MT_SHIFT - MT_WORDS] ^ twist(w[i], w[i + 1])
    w[MT_WORDS - 1] = w[MT_SHIFT - 1] ^ twist(w[MT_WORDS - 1], w[0])
    g.next_word = 0
    g.fresh = False


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


cdef Generator default_generator_ = Generator()
default_generator = default_generator_


def manual_seed(seed):
    """Seed the default generator; the same seed gives PyTorch's numbers.  Returns the generator."""
    return default_generator_.manual_seed(seed)


def get_rng_state():
    """The default generator's state, a uint8 tensor."""
    return default_generator_.get_state()


def set_rng_state(new_state):
    """Set the default generator's state."""
    default_generator_.set_state(new_state)


def _restored_generator(state):
    return Generator().set_state(state)


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
