"""What importlib.metadata says of `torch` under the redirect. Apart, since importlib.metadata is slow to import."""

from importlib.metadata import Distribution

from .version import __version__


class TorchDistribution(Distribution):
    """A distribution that has a name and a version and no files."""

    def read_text(self, filename):
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: torch\nVersion: {__version__}\nSummary: fastgrad under PyTorch's names\n"

    def locate_file(self, path):
        raise NotImplementedError("torch: fastgrad's stand-in for the distribution has no files")
