"""fastgrad.cuda: there is no GPU.  What asks, learns so; what needs one, raises what PyTorch without CUDA raises."""

from .._lazy import submodule as _submodule

__all__ = ["current_device", "device_count", "empty_cache", "get_device_name", "is_available", "is_initialized", "manual_seed",
           "manual_seed_all", "set_device", "synchronize"]


def is_available():
    """False."""
    return False


def is_initialized():
    """False."""
    return False


def is_bf16_supported(including_emulation=True):
    """False."""
    return False


def device_count():
    """0."""
    return 0


def memory_allocated(device=None):
    """0 bytes."""
    return 0


memory_reserved = max_memory_allocated = max_memory_reserved = memory_allocated


def get_rng_state_all():
    """The states of no generators."""
    return []


def empty_cache():
    """Nothing to empty."""


ipc_collect = empty_cache


def manual_seed(seed):
    """No generator to seed."""


manual_seed_all = manual_seed


def missing(name):
    def needs_cuda(*args, **kwargs):
        raise AssertionError("Torch not compiled with CUDA enabled")

    needs_cuda.__name__ = needs_cuda.__qualname__ = name
    needs_cuda.__doc__ = "Needs a GPU: raises AssertionError."
    return needs_cuda


for _name in ("current_device", "current_stream", "default_stream", "get_device_capability", "get_device_name",
              "get_device_properties", "get_rng_state", "init", "mem_get_info", "reset_peak_memory_stats",
              "set_device", "set_rng_state", "set_rng_state_all", "stream", "synchronize", "Event", "Stream"):
    globals()[_name] = missing(_name)


class _NoType(type):
    """The constructors of tensors on a GPU, which programs name to choose between them and the CPU's. No tensor is of one."""

    def __call__(cls, *args, **kwargs):
        raise TypeError(f"type torch.cuda.{cls.__name__} not available. Torch not compiled with CUDA enabled.")

    def __instancecheck__(cls, instance):
        return False


for _name in ("BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
              "ShortTensor"):
    globals()[_name] = _NoType(_name, (), {"__doc__": "Needs a GPU: raises TypeError.", "is_cuda": True})


def __getattr__(name):
    return _submodule(__name__, name, ("amp",))
