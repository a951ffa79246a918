"""Names and limits of the file format, and under which names PyTorch has fastgrad's classes and functions."""

from functools import cache
from importlib import import_module
from types import FunctionType

import fastgrad as fg

__all__ = ["ALIGNMENT", "DEVICE", "FUNCTIONS", "HERE", "KINDS", "PARAMETER", "PARAMETER_STATE", "PICKLE_LIMIT", "REBUILD", "REBUILD_TYPE", "SIZE",
           "STORAGES", "THERE", "Named", "found_here", "torch_name"]

KINDS = {"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
         "ByteStorage": "uint8", "CharStorage": "int8", "ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64",
         "BoolStorage": "bool", "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8"}
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
REBUILD_TYPE = Named("torch._tensor", "_rebuild_from_type_v2")
SIZE, DEVICE = Named(THERE, "Size"), Named(THERE, "device")

# PyTorch's modules of the classes that are in another file here.
PLACES = {
    "torch.nn.modules.activation": "CELU GLU Hardshrink Hardsigmoid Hardswish Mish MultiheadAttention PReLU RReLU SELU Softmax2d Softshrink Softsign "
    "Tanhshrink",
    "torch.nn.modules.adaptive": "AdaptiveLogSoftmaxWithLoss",
    "torch.nn.modules.batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d SyncBatchNorm",
    "torch.nn.modules.channelshuffle": "ChannelShuffle",
    "torch.nn.modules.container": "ParameterDict ParameterList",
    "torch.nn.modules.conv": "LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d",
    "torch.nn.modules.distance": "CosineSimilarity PairwiseDistance",
    "torch.nn.modules.fold": "Fold Unfold",
    "torch.nn.modules.instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
    "torch.nn.modules.linear": "LazyLinear",
    "torch.nn.modules.linear_cross_entropy_options": "LinearCrossEntropyOptions",
    "torch.nn.modules.loss": "CTCLoss CosineEmbeddingLoss GaussianNLLLoss HingeEmbeddingLoss KLDivLoss LinearCrossEntropyLoss MarginRankingLoss "
    "MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss2d PoissonNLLLoss SoftMarginLoss TripletMarginLoss "
    "TripletMarginWithDistanceLoss",
    "torch.nn.modules.pixelshuffle": "PixelShuffle PixelUnshuffle",
    "torch.nn.modules.pooling": "FractionalMaxPool2d FractionalMaxPool3d LPPool1d LPPool2d LPPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "torch.nn.modules.upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
    "torch.nn.parallel.data_parallel": "DataParallel",
    "torch.nn.parallel.distributed": "DistributedDataParallel",
    "torch.optim": "Adafactor Muon",
    "torch.optim.adadelta": "Adadelta",
    "torch.optim.adagrad": "Adagrad",
    "torch.optim.adamax": "Adamax",
    "torch.optim.asgd": "ASGD",
    "torch.optim.nadam": "NAdam",
    "torch.optim.radam": "RAdam",
    "torch.optim.rmsprop": "RMSprop",
    "torch.optim.rprop": "Rprop",
}
RENAMED = {"WrappedHook": ("torch.nn.modules.module", "_WrappedHook"), "RemovableHandle": ("torch.utils.hooks", "RemovableHandle")}
PACKAGES = ("torch.optim.lr_scheduler", "torch.distributions")  # others are named by the package, where PyTorch has them too
ALIASES = {"torch._C._nn": "torch.nn.functional", "torch._C._special": "torch.special", "torch._C._linalg": "torch.linalg"}
FUNCTIONS = (type(fg.relu), FunctionType)


@cache
def place_of_class():
    return {name: module for module, names in PLACES.items() for name in names.split()}


def torch_name(obj):
    """(module, name) by which PyTorch knows a class or function of fastgrad's; None for anything else."""
    name = getattr(obj, "__qualname__", "")
    if isinstance(obj, FUNCTIONS):
        for place in ("nn.functional", "", "special", "linalg"):
            module = import_module(f"{HERE}.{place}".rstrip("."))
            if getattr(module, name, None) is obj:
                return f"{THERE}.{place}".rstrip("."), name
    module = getattr(obj, "__module__", None) or ""
    if module.partition(".")[0] != HERE or "." in name:
        return None
    module = THERE + module[len(HERE):]
    if getattr(fg, name, None) is obj:
        return THERE, name
    if name in RENAMED:
        return RENAMED[name]
    if module.startswith((THERE + ".nn.", THERE + ".optim.")) and name in place_of_class():
        return place_of_class()[name], name
    return next((package for package in PACKAGES if module.startswith(package + ".")), module), name


def found_here(module, name):
    """What PyTorch's (module, name) is here: in the module of that name, or in the nearest package above it that has the name."""
    if module == "torch._C" and name in ("_VariableFunctionsClass", "TensorBase"):      # built-in functions and methods are taken from these
        return fg if name == "_VariableFunctionsClass" else fg.Tensor
    if (module, name) == RENAMED["WrappedHook"]:
        module, name = "torch.nn.modules.hooks", "WrappedHook"
    place = ALIASES.get(module, module)
    while place:
        try:
            found = import_module(HERE + place[len(THERE):])
        except ModuleNotFoundError:
            found = None
        if hasattr(found, name):
            return getattr(found, name)
        place = place.rpartition(".")[0]
    raise AttributeError(f"load: {module}.{name} is not in fastgrad")
