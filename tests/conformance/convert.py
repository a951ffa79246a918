"""One sample of PyTorch's, rebuilt as arguments of another library, and results brought back.

Both sides of a comparison are built by the same function from the same sample (`build(torch, ...)` and
`build(fastgrad, ...)`), so neither can see the other's memory and in-place operations are safe. Strides are kept exactly, bits are kept exactly.
"""

import numpy as np
import torch

UNSUPPORTED_DTYPES = {torch.complex32}
NUMPY_DIMENSIONS = 32  # what every NumPy can carry over


class Unconvertible(Exception):
    """The sample holds what fastgrad (sparse tensors) or NumPy (33 dimensions) does not have: it is skipped."""


def short_name(thing):
    """`torch.float32` -> `float32`, for dtypes, layouts and memory formats of either library."""
    return str(thing).rpartition(".")[2]


def library_dtype(library, dtype):
    return getattr(library, short_name(dtype))


def as_numpy(tensor):
    """A fresh array with the tensor's shape and strides (elements that overlap in the tensor overlap in the array)."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.is_contiguous():
        return np.array(tensor.numpy(), order="C", copy=True)
    extent = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride()))
    memory = torch.as_strided(tensor, (extent,), (1,), tensor.storage_offset()).numpy().copy()
    strides = [stride * memory.itemsize for stride in tensor.stride()]
    return np.lib.stride_tricks.as_strided(memory, tuple(tensor.shape), strides)


def build_tensor(library, tensor):
    if tensor.layout != torch.strided or tensor.dtype in UNSUPPORTED_DTYPES or tensor.is_quantized or tensor.device.type != "cpu":
        raise Unconvertible(f"{tensor.layout} {tensor.dtype} {tensor.device}")
    if tensor.dim() > NUMPY_DIMENSIONS:
        raise Unconvertible(f"{tensor.dim()} dimensions")
    if tensor.dtype == torch.bfloat16:
        made = library.from_numpy(as_numpy(tensor.detach().float())).to(library.bfloat16)
    else:
        made = library.from_numpy(as_numpy(tensor))
        if tensor.is_contiguous():
            made = made.clone()  # memory of the library's own: borrowed memory cannot be resized by `out=`
    return made.requires_grad_(True) if tensor.requires_grad else made


def build_encoder_layer(library, layer):
    """A layer of the library with the same arguments and parameters."""
    made = library.nn.TransformerEncoderLayer(
        layer.self_attn.embed_dim, layer.self_attn.num_heads, layer.linear1.out_features, layer.dropout.p, build(library, layer.activation),
        layer.norm1.eps, layer.self_attn.batch_first, layer.norm_first, layer.linear1.bias is not None,
        dtype=build(library, layer.linear1.weight.dtype))
    made.load_state_dict({name: build(library, tensor) for name, tensor in layer.state_dict().items()})
    return made


def build(library, value, made=None):
    """`value` with every PyTorch object replaced by the library's own; `made` keeps the identity of repeated tensors."""
    made = {} if made is None else made
    if isinstance(value, torch.Tensor):
        if id(value) not in made:
            made[id(value)] = build_tensor(library, value)
        return made[id(value)]
    if isinstance(value, torch.Size):
        return library.Size(value) if hasattr(library, "Size") else tuple(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(build(library, item, made) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(build(library, item, made) for item in value)
    if isinstance(value, dict):
        return {key: build(library, item, made) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*(build(library, part, made) for part in (value.start, value.stop, value.step)))
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        if value in UNSUPPORTED_DTYPES:
            raise Unconvertible(str(value))
        return getattr(library, short_name(value))
    if isinstance(value, torch.device):
        return library.device(str(value))
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, torch.nn.LinearCrossEntropyOptions):
        return library.nn.LinearCrossEntropyOptions(**build(library, {name: getattr(value, name) for name in value.__slots__}, made))
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return build_encoder_layer(library, value)
    if callable(value) and getattr(torch.nn.functional, getattr(value, "__name__", ""), None) is value:
        return getattr(library.nn.functional, value.__name__)
    if value is None or value is Ellipsis or isinstance(value, (bool, int, float, complex, str, np.generic, range)):
        return value
    raise Unconvertible(type(value).__name__)


def tensors_in(value, kind):
    """Every tensor of class `kind` inside nested containers, in order."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        return [tensor for item in value.values() for tensor in tensors_in(item, kind)]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors_in(item, kind)]
    return []


def unique(tensors):
    seen = {}
    for tensor in tensors:
        seen.setdefault(id(tensor), tensor)
    return list(seen.values())


def to_torch(tensor):
    """A PyTorch copy of the library's tensor: the same elements and dtype, contiguous."""
    if isinstance(tensor, torch.Tensor):
        return tensor.detach().clone(memory_format=torch.contiguous_format)
    tensor = tensor.detach()
    name = short_name(tensor.dtype)
    if name == "bfloat16":
        return torch.from_numpy(np.array(tensor.float().numpy(), order="C", copy=True)).to(torch.bfloat16)
    return torch.from_numpy(np.array(tensor.numpy(), order="C", copy=True))


def describe(value):
    """A sample in a line: tensors as dtype and shape, the rest by repr."""
    if isinstance(value, torch.Tensor):
        layout = "" if value.is_contiguous() else f", strides {tuple(value.stride())}"
        return f"{short_name(value.dtype)}{list(value.shape)}{layout}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={describe(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(describe(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return repr(value)
