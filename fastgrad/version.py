"""Version numbers: fastgrad's own, and the PyTorch version whose behaviour it follows.

Seen as `torch.version` under the redirect, so the names are those of PyTorch's module. No imports, so that a build
can read `release` without the engine.
"""

release = "0.1.0"  # fastgrad's own version

__version__ = "2.13.0+fastgrad"  # what torch.__version__ says
git_version = "unknown"
debug = False
cuda = None
hip = None
xpu = None
