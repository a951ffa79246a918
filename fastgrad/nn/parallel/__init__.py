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
        module: what is called, with parameters that want gradients. others: accepted; nothing is exchanged.

    Raises: RuntimeError for a module without such parameters; ValueError before distributed.init_process_group.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0, broadcast_buffers=True, init_sync=True, process_group=None,
                 bucket_cap_mb=None, find_unused_parameters=False, check_reduction=False, gradient_as_bucket_view=False, static_graph=False,
                 delay_all_reduce_named_params=None, param_to_hook_all_reduce=None, mixed_precision=None, device_mesh=None,
                 skip_all_reduce_unused_params=False, bucket_cap_mb_list=None):
        from fastgrad import distributed

        super().__init__()
        for name, given in (("mixed_precision", mixed_precision), ("device_mesh", device_mesh)):
            if given is not None:
                raise NotImplementedError(f"DistributedDataParallel: {name} is not supported")
        distributed.get_world_size()                   # raises where there is no group
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError("DistributedDataParallel is not needed when a module doesn't have any parameter that requires a gradient.")
        self.module = module
        self.device_ids = device_ids
        self.require_backward_grad_sync = True

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
