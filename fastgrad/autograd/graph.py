"""The graph: its nodes, and hooks on what they save."""

from fastgrad import _engine
from fastgrad._engine import Node

__all__ = ["Node", "disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """In the block, a tensor saved for backward is kept as pack_hook(tensor), and got back by unpack_hook(what it returned).

    Args:
        pack_hook: a function of a tensor, which it must not change in place.
        unpack_hook: a function of what pack_hook returned; gives a tensor of the same values.
    """

    def __init__(self, pack_hook, unpack_hook):
        self.hooks = pack_hook, unpack_hook

    def __enter__(self):
        _engine._push_saved_hooks(*self.hooks)

    def __exit__(self, *exc):
        _engine._pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors as copies in main memory, where all tensors are anyway."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda tensor: tensor.clone(), lambda copy: copy)


class disable_saved_tensors_hooks:
    """In the block, saved_tensors_hooks raises RuntimeError with this message."""

    def __init__(self, error_message):
        self.message = error_message

    def __enter__(self):
        self.before = _engine._refuse_saved_hooks(self.message)

    def __exit__(self, *exc):
        _engine._refuse_saved_hooks(self.before)
