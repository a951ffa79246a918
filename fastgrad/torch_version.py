"""The value of `torch.__version__`: a str that also compares as a version.

As text "2.13.0" sorts before "2.4"; programs compare `torch.__version__` with strings and with tuples, so comparison
goes by the numbers of the release.
"""

import re

from .version import __version__ as version_text

__all__ = ["TorchVersion"]


def release_of(version):
    """The release numbers of a version: "2.13.0+cpu", (2, 13) or any object whose str is a version."""
    if isinstance(version, (tuple, list)):
        return tuple(int(part) for part in version)
    match = re.match(r"\s*v?(\d+(?:\.\d+)*)", str(version))
    if match is None:
        raise ValueError(f"TorchVersion: must be compared with a version, got {str(version)!r}")
    return tuple(int(part) for part in match.group(1).split("."))


class TorchVersion(str):
    """A version string that compares by its release numbers.

    Example: `TorchVersion("2.13.0+fastgrad") >= "2.4"` and `>= (1, 10)` hold.
    """

    def _compare(self, other):
        mine, theirs = release_of(self), release_of(other)
        length = max(len(mine), len(theirs))
        mine += (0,) * (length - len(mine))
        theirs += (0,) * (length - len(theirs))
        return (mine > theirs) - (mine < theirs)

    def __lt__(self, other):
        return self._compare(other) < 0

    def __le__(self, other):
        return self._compare(other) <= 0

    def __gt__(self, other):
        return self._compare(other) > 0

    def __ge__(self, other):
        return self._compare(other) >= 0

    def __eq__(self, other):
        if isinstance(other, (tuple, list)):
            return self._compare(other) == 0
        return str.__eq__(self, other)

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


__version__ = TorchVersion(version_text)
