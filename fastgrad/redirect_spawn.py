"""The redirect in child processes that start afresh (multiprocessing's spawn and forkserver, and joblib's loky).

Such a child imports the main module again, so the redirect must be on before. multiprocessing sends a dictionary of preparation
data ahead of everything else; we add an entry whose unpickling switches the redirect on. Forked children need nothing.
"""

import os
import sys
from importlib.machinery import SourceFileLoader

__all__ = ["SPAWN_MODULES", "SpawnLoader", "patch_if_loaded"]

# Modules with a function get_preparation_data.
SPAWN_MODULES = ("multiprocessing.spawn", "joblib.externals.loky.backend.spawn", "loky.backend.spawn")

IN_CHILD = """
import sys
sys.path.append({location!r})
try:
    from fastgrad.redirect import install
finally:
    sys.path.remove({location!r})
install({block!r})
"""


class SwitchOn:
    """Switches the redirect on where it is unpickled. The child's sys.path is not set by then, hence the location."""

    def __init__(self, block):
        self.block = block

    def __reduce__(self):
        location = os.path.dirname(os.path.dirname(os.path.abspath(sys.modules[__package__].__file__)))
        return exec, (IN_CHILD.format(location=location, block=self.block),)


def patch_spawn(spawn):
    """Makes one of SPAWN_MODULES send the redirect's state to the children."""
    preparation_data = spawn.get_preparation_data

    def get_preparation_data(*args, **kwargs):
        from .redirect import active

        data, finder = preparation_data(*args, **kwargs), active()
        if finder is not None:
            data["fastgrad_redirect"] = SwitchOn(sorted(finder.blocked))
        return data

    if not hasattr(preparation_data, "__wrapped__"):
        get_preparation_data.__wrapped__ = preparation_data
        spawn.get_preparation_data = get_preparation_data


class SpawnLoader(SourceFileLoader):
    """Loads one of SPAWN_MODULES and patches it, so that nobody pays for multiprocessing before it is wanted."""

    def exec_module(self, module):
        super().exec_module(module)
        patch_spawn(module)


def patch_if_loaded():
    for name in SPAWN_MODULES:
        if name in sys.modules:
            patch_spawn(sys.modules[name])
