"""torch.autograd.profiler: the old place of fastgrad.profiler's classes."""

from fastgrad import profiler
from fastgrad.profiler import record_function

__all__ = ["profile", "record_function"]


class profile(profiler.profile):
    """As profiler.profile, without a schedule; `enabled=False` makes it a block like any other."""

    def __init__(self, enabled=True, *, use_cuda=False, record_shapes=False, with_flops=False, profile_memory=False, with_stack=False,
                 with_modules=False):
        super().__init__(record_shapes=record_shapes, with_flops=with_flops, profile_memory=profile_memory, with_stack=with_stack,
                         with_modules=with_modules, use_cuda=use_cuda)
        self.enabled = enabled

    def __enter__(self):
        return super().__enter__() if self.enabled else self

    def __exit__(self, *exception):
        if self.enabled:
            super().__exit__(*exception)
