"""The peers: which are installed, in which version, and how they are told the number of threads."""

import importlib
import importlib.metadata
import importlib.util
import os

PEERS = ("fastgrad", "torch", "jax", "autograd", "micrograd", "numpy")
THREAD_VARIABLES = ("FASTGRAD_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def installed():
    return [name for name in PEERS if importlib.util.find_spec(name)]


def versions(names):
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:     # a checkout
            found[name] = getattr(importlib.import_module(name), "__version__", "unknown")
    return found


def announce_threads(count):
    """For libraries that are not imported yet, and for child processes."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(count)
    if count == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")


def use_threads(names, count):
    """For libraries that can be told afterwards."""
    for name in names:
        library = importlib.import_module(name)
        if hasattr(library, "set_num_threads"):
            library.set_num_threads(count)


def torch_like(names, make):
    """work of a Case for libraries with PyTorch's interface: make(library) sets up and returns the work."""
    return {name: lambda name=name: make(importlib.import_module(name)) for name in names if name in ("fastgrad", "torch")}
