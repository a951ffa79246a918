"""Names and limits of the file format."""

__all__ = ["ALIGNMENT", "DEVICE", "HERE", "KINDS", "PARAMETER", "PARAMETER_STATE", "PICKLE_LIMIT", "REBUILD", "SIZE", "STORAGES", "THERE", "Named"]

KINDS = {"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
         "ByteStorage": "uint8", "CharStorage": "int8", "ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64",
         "BoolStorage": "bool", "UntypedStorage": "uint8"}
STORAGES = {dtype: kind for kind, dtype in reversed(KINDS.items())}
ALIGNMENT = 64
PICKLE_LIMIT = 1 << 28
HERE, THERE = "fastgrad", "torch"


class Named:
    """A name of PyTorch's, as it stands in files."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self, *arguments):  # pickle wants what it reduces to to be callable
        raise TypeError(f"{self.module}.{self.name} is a name only")


REBUILD, PARAMETER = Named("torch._utils", "_rebuild_tensor_v2"), Named("torch._utils", "_rebuild_parameter")
PARAMETER_STATE = Named("torch._utils", "_rebuild_parameter_with_state")
SIZE, DEVICE = Named(THERE, "Size"), Named(THERE, "device")
