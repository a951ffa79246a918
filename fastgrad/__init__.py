import os as _os
from fastgrad import _engine
_engine.load_kernels(_os.environ.get("FASTGRAD_CPU"))
from fastgrad import _ops
from fastgrad._engine import *
from fastgrad._ops import *
