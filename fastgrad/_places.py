"""Where tensors lie and how: device, layout, memory_format.  There is one device, the CPU, and one layout, strided;
the others have names, which programs compare with, and are refused."""

__all__ = ["device", "layout", "memory_format"]

KINDS = ("cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy", "vulkan",
         "mps", "meta", "hpu", "mtia", "privateuseone")


class device:
    """A device's name: a kind and an index.

    Args:
        type: "cpu", "cuda:0", ...; only tensors on "cpu" can be made.
        index: a non-negative integer, or None.
    Raises:
        RuntimeError: the kind is unknown, or the index is given twice.
    Example:
        >>> fastgrad.device("cpu")
        device(type='cpu')
    """

    __slots__ = ("type", "index")

    def __new__(cls, type="cpu", index=None):
        if isinstance(type, device):
            return type
        if not isinstance(type, str):
            raise TypeError(f"device: the type must be a string, got {type!r}")
        kind, colon, number = type.partition(":")
        if kind not in KINDS:
            raise RuntimeError(f"Expected one of {', '.join(KINDS)} device type at start of device string: {kind}")
        if colon:
            if index is not None:
                raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
            if not number.isdigit() or (len(number) > 1 and number[0] == "0"):
                raise RuntimeError(f"Invalid device string: '{type}'")
            index = int(number)
        if index is not None and index < 0:
            raise RuntimeError(f"device: the index must not be negative, got {index}")
        self = object.__new__(cls)
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "index", index)
        return self

    def __setattr__(self, name, value):
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __reduce__(self):
        return device, (self.type, self.index)

    def __enter__(self):
        check_cpu(self)
        return self

    def __exit__(self, *exc):
        pass


def check_cpu(where):
    """Raise what PyTorch without that device raises."""
    where = device(where)
    if where.type == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    if where.type != "cpu":
        raise RuntimeError(f"device: only 'cpu' is supported, got '{where}'")


class _Named:
    """A constant known by its name."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return self.name


class layout(_Named):
    pass


class memory_format(_Named):
    pass


CPU = device("cpu")
strided = layout("strided")
sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc = map(layout, ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"))
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
