"""fastgrad.nn.parallel: modules spread over devices and processes; here there is one of each."""

from contextlib import contextmanager

from ..modules.module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """The module itself, at `module`: there is one device.

    Args:
        module: what is called. device_ids, output_device, dim: accepted; nothing is spread.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []
        self.dim = dim

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """module(*inputs, **module_kwargs): there is one device."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*inputs, **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """The module itself, at `module`: there is one process, so gradients are their own mean.

    Args:
        module: what is called, with parameters that want gradients. device_ids, output_device: None; there is no other device.
        others: accepted; nothing is exchanged.

    Raises: RuntimeError for a module without such parameters; ValueError before distributed.init_process_group, or for device_ids.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0, broadcast_buffers=True, init_sync=True, process_group=None,
                 bucket_cap_mb=None, find_unused_parameters=False, check_reduction=False, gradient_as_bucket_view=False, static_graph=False,
                 delay_all_reduce_named_params=None, param_to_hook_all_reduce=None, mixed_precision=None, device_mesh=None,
                 skip_all_reduce_unused_params=False, bucket_cap_mb_list=None):
        from fastgrad.distributed._groups import chosen

        super().__init__()
        for name, given in (("mixed_precision", mixed_precision), ("device_mesh", device_mesh),
                            ("param_to_hook_all_reduce", param_to_hook_all_reduce)):
            if given is not None:
                raise NotImplementedError(f"DistributedDataParallel: {name} is not supported")
        self.process_group = chosen(process_group)
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError("DistributedDataParallel is not needed when a module doesn't have any parameter that requires a gradient.")
        if device_ids or output_device is not None:
            raise ValueError(f"DistributedDataParallel: device_ids and output_device are for GPUs, got {device_ids} and {output_device}")
        self.module = module
        self.dim, self.device, self.device_type = dim, next(module.parameters()).device, "cpu"
        self.device_ids, self.output_device, self.is_multi_device_module = None, None, False
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self.gradient_as_bucket_view, self.static_graph = gradient_as_bucket_view, static_graph
        self.require_backward_grad_sync = self.require_forward_param_sync = True

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)

    @contextmanager
    def no_sync(self):
        """A block without exchange of gradients."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextmanager
    def join(self, divide_by_initial_world_size=True, enable=True, throw_on_early_termination=False):
        """A block in which processes may have unequal numbers of inputs: the one process has its own."""
        yield

    def register_comm_hook(self, state, hook):
        """Raises NotImplementedError: nothing is exchanged; TypeError: the hook is no function."""
        if not callable(hook):
            raise TypeError(f"register_comm_hook: the hook must be callable, got {hook!r}")
        raise NotImplementedError("DistributedDataParallel.register_comm_hook is not supported: with one process nothing is exchanged."
                                  " A hook on a parameter (Tensor.register_hook) sees its gradient.")

    def will_sync_module_buffers(self):
        """Whether buffers would be sent before forward."""
        return self.require_forward_param_sync and self.broadcast_buffers and any(True for _ in self.module.buffers())
