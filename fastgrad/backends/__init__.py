"""fastgrad.backends: PyTorch's switches of libraries that are not here.  Setting them changes nothing; none is available."""

from types import ModuleType as _ModuleType

__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]


class Backend(_ModuleType):
    """A library that PyTorch may use and fastgrad does not have."""

    def __init__(self, name, **switches):
        super().__init__(f"{__name__}.{name}", self.__doc__)
        self.__dict__.update(switches)

    def is_available(self):
        """False."""
        return False

    def is_built(self):
        """False."""
        return False

    def version(self):
        """None."""
        return None


class flags:
    """A block with other switches; they change nothing."""

    def __init__(self, **switches):
        self.switches = switches

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


cudnn = Backend("cudnn", enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True, flags=flags)
cuda = Backend("cuda", matmul=Backend("cuda.matmul", allow_tf32=False, allow_fp16_reduced_precision_reduction=True,
                                      allow_bf16_reduced_precision_reduction=True))
mps = Backend("mps")
mkl = Backend("mkl")
mkldnn = Backend("mkldnn", enabled=True, flags=flags)
openmp = Backend("openmp")
opt_einsum = Backend("opt_einsum", enabled=True, strategy="auto")


class Mha(_ModuleType):
    """Whether an encoder in evaluation leaves padding out, as PyTorch's fused operation does."""

    def __init__(self):
        super().__init__(f"{__name__}.mha", self.__doc__)
        self._fused = True

    def get_fastpath_enabled(self):
        """What set_fastpath_enabled set; True at first."""
        return self._fused

    def set_fastpath_enabled(self, value):
        """With False, `nn.TransformerEncoder` computes padded places too."""
        self._fused = value


class Cpu(Backend):
    """The processor: what the kernels were chosen for."""

    def get_cpu_capability(self):
        """The level of the kernels in use: "v2", "v3", "v4", ..."""
        from fastgrad import _engine

        return _engine.kernel_level()


cpu = Cpu("cpu")
mha = Mha()
