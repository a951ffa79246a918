"""Changing a Module's dtype, device and memory: `to`, `float`, `cuda`, ... All go through `_apply`.

Tensors are changed in place (`param.data = ...`), so an optimizer that holds the parameters keeps holding the right ones.
What a device or dtype may be is decided by the tensor's own method of the same name.
"""

import warnings

import fastgrad as fg
from fastgrad._ops import _parse_to


class ModuleConversion:
    """The dtype and device methods of Module."""

    def _apply(self, fn, recurse=True):
        """Put fn(tensor) in the place of every parameter, gradient and buffer."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            grad = param.grad
            with fg.no_grad():
                param.data = fn(param)
                if grad is not None:
                    grad.data = fn(grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """Convert floating-point parameters and buffers, in place.

        Forms: to(device, dtype, non_blocking), to(dtype, non_blocking), to(tensor, non_blocking), and all by keyword.

        Raises: TypeError for a dtype that is not a floating-point one.
        Example:
            >>> fastgrad.nn.Linear(2, 1).to(fastgrad.float64).weight.dtype
            torch.float64
        """
        device, dtype, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn("Complex modules are a new feature: some modules may not work as expected with complex parameters or buffers.")

        def convert(tensor):
            new_dtype = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(device, new_dtype, memory_format=memory_format)
            return tensor.to(device, new_dtype)

        return self._apply(convert)

    def type(self, dst_type):
        """Convert all parameters and buffers to dst_type."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self):
        """Convert floating-point parameters and buffers to float32."""
        return self._apply(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    def double(self):
        """Convert floating-point parameters and buffers to float64."""
        return self._apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def half(self):
        """Convert floating-point parameters and buffers to float16."""
        return self._apply(lambda tensor: tensor.half() if tensor.is_floating_point() else tensor)

    def bfloat16(self):
        """Convert floating-point parameters and buffers to bfloat16."""
        return self._apply(lambda tensor: tensor.bfloat16() if tensor.is_floating_point() else tensor)

    def cpu(self):
        """Move to the CPU, where everything is."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device=None):
        """Move to a GPU; raises what `Tensor.cuda` raises."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def to_empty(self, *, device, recurse=True):
        """Give parameters and buffers new memory, not initialized."""
        return self._apply(lambda tensor: fg.empty_like(tensor, device=device), recurse)

    def share_memory(self):
        """Move parameters and buffers to memory that other processes can use."""
        return self._apply(lambda tensor: tensor.share_memory_())
