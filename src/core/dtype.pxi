# Dtypes: their objects, widths and the rules of promotion.

cdef int8_t ITEMSIZE[NDTYPES]
ITEMSIZE[:] = [1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16]

cdef tuple DTYPE_NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
                          "complex128")
# as error messages spell them
cdef tuple SCALAR_NAMES = ("Bool", "Byte", "Char", "Short", "Int", "Long", "Half", "BFloat16", "Float", "Double", "ComplexFloat",
                           "ComplexDouble")

cdef int8_t default_float = FLOAT32


cdef class dtype:
    """The type of a tensor's elements: `fastgrad.float32` and its like."""

    @property
    def __module__(self):
        return "fastgrad"                # where pickle finds it

    @property
    def itemsize(self):
        return ITEMSIZE[self.code]

    @property
    def is_floating_point(self):
        return FLOAT16 <= self.code <= FLOAT64

    @property
    def is_complex(self):
        return bool(is_complex(self.code))

    @property
    def is_signed(self):
        return self.code > UINT8

    def to_complex(self):
        """The complex dtype whose parts are of this one.  Raises RuntimeError where there is none."""
        if self.code != FLOAT32 and self.code != FLOAT64 and not is_complex(self.code):
            raise RuntimeError(f"to_complex: there is no complex dtype for {self}")
        return DTYPES[complex_of(self.code)]

    def to_real(self):
        """The dtype of a complex dtype's parts; a real one itself."""
        return DTYPES[real_of(self.code)]

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return f"{self.name}" if self.name != "bool" else "bool"


cdef dtype make_dtype(int code):
    cdef dtype d = dtype.__new__(dtype)
    d.code = code
    d.name = DTYPE_NAMES[code]
    return d


cdef list DTYPES = [make_dtype(code) for code in range(NDTYPES)]


cdef inline bint is_floating(int dt) noexcept nogil:
    """Whether it holds floating-point numbers, real or complex: what can have a gradient."""
    return dt >= FLOAT16


cdef inline bint is_complex(int dt) noexcept nogil:
    return dt >= COMPLEX64


cdef inline int complex_of(int dt) noexcept nogil:
    """The complex dtype that a dtype's numbers fit in; PyTorch has complex32 for float16, fastgrad does not."""
    return COMPLEX128 if dt == FLOAT64 or dt == COMPLEX128 else COMPLEX64


cdef inline int real_of(int dt) noexcept nogil:
    """The dtype of a complex dtype's parts; any other itself."""
    return FLOAT32 if dt == COMPLEX64 else FLOAT64 if dt == COMPLEX128 else dt


cdef inline int category(int dt) noexcept nogil:
    """0 bool, 1 integer, 2 floating, 3 complex: a category above wins over dtypes below."""
    return 0 if dt == BOOL else 1 if dt <= INT64 else 2 if dt <= FLOAT64 else 3


cdef int promote(int x, int y) noexcept nogil:
    """The smallest dtype that holds both, PyTorch's lattice; -1 stands for nothing yet."""
    if x == y or y < 0:
        return x
    if x < 0:
        return y
    cdef int low = min(x, y), high = max(x, y)
    if low == UINT8 and high == INT8:
        return INT16
    if low == FLOAT16 and high == BFLOAT16:
        return FLOAT32
    if low == FLOAT64 and high == COMPLEX64:
        return COMPLEX128
    return high


cdef struct Promotion:            # what has been seen of the operands, by PyTorch's three classes of them
    int dim                       # tensors with dimensions
    int zero                      # 0-d tensors
    int wrapped                   # Python numbers


cdef inline int promoted(Promotion* p) noexcept nogil:
    """Combine the classes: a later class counts only if its category is higher."""
    cdef int result = p.dim
    if p.zero >= 0 and (result < 0 or category(p.zero) > category(result)):
        result = raised(result, p.zero)
    if p.wrapped >= 0 and (result < 0 or category(p.wrapped) > category(result)):
        result = raised(result, p.wrapped)
    return result


cdef inline int raised(int result, int higher) noexcept nogil:
    """A dtype of a higher category; a complex one takes the width of the floats it meets."""
    return complex_of(result) if is_complex(higher) and is_floating(result) else higher


cdef inline int number_dtype(object x) except -2:
    """The dtype class of a Python number, -1 if it is none."""
    if PyFloat_Check(x):
        return default_float
    if PyBool_Check(x):
        return BOOL
    if PyLong_Check(x):
        return INT64
    return other_number_dtype(x)


cdef int other_number_dtype(object x) except -2:
    """NumPy scalars and whatever else acts as a number."""
    if isinstance(x, complex):
        return complex_of(default_float)
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if kind is None or getattr(x, "ndim", 0) != 0:
        return -1
    return {"b": BOOL, "i": INT64, "u": INT64, "f": default_float, "c": complex_of(default_float)}.get(kind, -1)


cdef inline int check_scalar(object x) except -1:
    """Refuse a Python integer that takes more than 64 bits, with Python's error: PyTorch's scalars have no room for it."""
    cdef int beyond = 0
    if PyLong_Check(x):
        PyLong_AsLongLongAndOverflow(x, &beyond)
        if beyond:
            PyLong_AsUnsignedLongLong(x)
    return 0


cdef inline double scalar_of(object x) except? -1:
    """A number of an operation as a double."""
    if not PyFloat_CheckExact(x):
        check_scalar(x)
    return double_of(x)


cdef inline int store_number(int dt, object x, void* out) except -1:
    """Write a Python number in dtype dt.  Raises OverflowError where PyTorch does."""
    if dt == FLOAT32:
        (<f32*>out)[0] = <f32>double_of(x)
        return 0
    if dt == FLOAT64:
        (<f64*>out)[0] = double_of(x)
        return 0
    return store_other_number(dt, x, out)


cdef int store_other_number(int dt, object x, void* out) except -1:
    cdef c128 z
    if is_complex(dt):
        z = x if isinstance(x, complex) else complex(x)
        if dt == COMPLEX64:
            (<c64*>out)[0] = <c64>z
        else:
            (<c128*>out)[0] = z
    elif dt == INT64:
        (<i64*>out)[0] = wrapped_int(x)
    elif dt == INT32:
        (<i32*>out)[0] = <i32>wrapped_int(x)
    elif dt == BOOL:
        (<b8*>out)[0] = 1 if x else 0
    elif dt == UINT8 or dt == INT8:
        (<u8*>out)[0] = <u8>wrapped_int(x)
    elif dt == INT16:
        (<i16*>out)[0] = <i16>wrapped_int(x)
    else:
        (<u16*>out)[0] = f32_to_half(<f32><f64>x) if dt == FLOAT16 else f32_to_bfloat16(<f32><f64>x)
    return 0


cdef object MOST_INT64 = 2**63 - 1
cdef f64[NDTYPES] LEAST_NUMBER
cdef f64[NDTYPES] MOST_NUMBER
for _dt, _low, _high in ((UINT8, 0, 255), (INT8, -128, 127), (INT16, -2**15, 2**15 - 1), (INT32, -2**31, 2**31 - 1),
                         (INT64, -2.0**63, 2.0**63 - 1024), (FLOAT16, -65504.0, 65504.0), (BFLOAT16, -(2 - 2.0**-7) * 2.0**127, (2 - 2.0**-7) * 2.0**127),
                         (FLOAT32, -(2 - 2.0**-23) * 2.0**127, (2 - 2.0**-23) * 2.0**127)):
    LEAST_NUMBER[<int>_dt], MOST_NUMBER[<int>_dt] = _low, _high


cdef int refuse_unfit(int dt, object x) except -1:
    """Raise RuntimeError for a Python number that dtype dt cannot hold; a negative int wraps around in uint8, as in PyTorch."""
    cdef f64 value, low = LEAST_NUMBER[dt]
    check_scalar(x)
    if dt == BOOL or is_complex(dt) or (dt == INT64 and PyLong_Check(x) and x <= MOST_INT64):
        return 0
    if isinstance(x, complex):
        raise RuntimeError(f"value cannot be converted to type {SCALAR_NAMES[dt].lower()} without overflow, got {x}")
    if dt == FLOAT64:
        return 0
    value = float(x)
    if is_floating(dt) and (value - value != 0):
        return 0                          # infinities and NaN are everybody's
    if dt == UINT8 and PyLong_Check(x):
        low = -MOST_NUMBER[dt]
    if not low <= value <= MOST_NUMBER[dt]:
        raise RuntimeError(f"value cannot be converted to type {SCALAR_NAMES[dt].lower()} without overflow, got {x}")
    return 0


cdef i64 wrapped_int(object x) except? -1:
    """The integer of a number; from 2^63 on it wraps around, beyond 64 bits it is refused with Python's error."""
    cdef int beyond = 0
    cdef object whole = x if PyLong_Check(x) else int(x)
    cdef i64 value = PyLong_AsLongLongAndOverflow(whole, &beyond)
    return <i64>PyLong_AsUnsignedLongLong(whole) if beyond else value


cdef object load_number(int dt, const void* p):
    """The Python number at p."""
    if dt == FLOAT32:
        return <f64>(<f32*>p)[0]
    if dt == FLOAT64:
        return (<f64*>p)[0]
    if dt == INT64:
        return (<i64*>p)[0]
    if dt == BOOL:
        return (<b8*>p)[0] != 0
    if dt == INT32:
        return (<i32*>p)[0]
    if dt == UINT8:
        return (<u8*>p)[0]
    if dt == INT8:
        return (<i8*>p)[0]
    if dt == INT16:
        return (<i16*>p)[0]
    if dt == FLOAT16:
        return <f64>half_to_f32((<u16*>p)[0])
    if dt == COMPLEX64:
        return complex((<f32*>p)[0], (<f32*>p)[1])
    if dt == COMPLEX128:
        return complex((<f64*>p)[0], (<f64*>p)[1])
    return <f64>bfloat16_to_f32((<u16*>p)[0])


cdef dtype dtype_argument(object x):
    """A dtype from what a caller may pass: a dtype, Python's float/int/bool, a NumPy dtype."""
    if isinstance(x, dtype):
        return x
    if x is float:
        return DTYPES[FLOAT64]
    if x is int:
        return DTYPES[INT64]
    if x is bool:
        return DTYPES[BOOL]
    if x is complex:
        return DTYPES[COMPLEX128]
    name = getattr(x, "name", None) or getattr(x, "__name__", None)
    if name in DTYPE_NAMES:
        return DTYPES[DTYPE_NAMES.index(name)]
    raise TypeError(f"dtype must be a fastgrad dtype, not {type(x).__name__}")


def dtypes():
    """All dtypes, in the order of promotion."""
    return list(DTYPES)


def get_default_dtype():
    """The dtype of floats that name none."""
    return DTYPES[default_float]


def set_default_dtype(d):
    """Set the dtype of floats that name none; it must be a floating dtype."""
    global default_float
    cdef dtype given = dtype_argument(d)
    if not is_floating(given.code) or is_complex(given.code):
        raise TypeError(f"set_default_dtype: only floating-point types are supported as the default type, got {given}")
    default_float = given.code
