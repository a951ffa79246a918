"""finfo and iinfo: the limits of the dtypes."""

__all__ = ["finfo", "iinfo"]

# bits, digits of the mantissa, least exponent of a normal number, largest number, decimal resolution
FLOATS = {
    "float16": (16, 10, -14, 65504.0, 1e-3),
    "bfloat16": (16, 7, -126, (2 - 2**-7) * 2.0**127, 1e-2),
    "float32": (32, 23, -126, (2 - 2**-23) * 2.0**127, 1e-6),
    "float64": (64, 52, -1022, (2 - 2**-52) * 2.0**1023, 1e-15),
}


DEFAULT = object()


def name_of(function, given):
    """The name of a dtype, or of what Python's number types are to finfo and iinfo."""
    from fastgrad._engine import dtype, get_default_dtype

    if given is DEFAULT and function == "finfo":
        given = get_default_dtype()
    elif given in (float, int):
        return "float64" if given is float else "int64"
    elif not isinstance(given, dtype):
        raise TypeError(f"{function}(): argument 'type' (position 1) must be torch.dtype, not {given.__class__.__name__}")
    return str(given).rpartition(".")[2]


class finfo:
    """Limits of a floating dtype (default: the default dtype).

    Example:
        >>> fastgrad.finfo(fastgrad.float32).eps
        1.1920928955078125e-07
    """

    def __init__(self, type=DEFAULT):
        name = name_of("finfo", type)
        name = {"complex64": "float32", "complex128": "float64"}.get(name, name)          # those of its parts
        if name not in FLOATS:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{name}'")
        self.bits, digits, exponent, self.max, self.resolution = FLOATS[name]
        self.min, self.eps, self.dtype = -self.max, 2.0**-digits, name
        self.tiny = self.smallest_normal = 2.0**exponent

    def __repr__(self):
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return "finfo(" + ", ".join(f"{n}={getattr(self, n):g}" for n in names) + f", dtype={self.dtype})"

    def __eq__(self, other):
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(self.dtype)


class iinfo:
    """Limits of an integer dtype."""

    def __init__(self, type):
        name = name_of("iinfo", type)
        if "int" not in name:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{name}'")
        self.bits, self.dtype = int(name.lstrip("uint")), name
        signed = name[0] != "u"
        self.min = -(2 ** (self.bits - 1)) if signed else 0
        self.max = 2 ** (self.bits - signed) - 1

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other):
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(self.dtype)
