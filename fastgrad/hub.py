"""fastgrad.hub: what downloads models and their code, which fastgrad does not do."""

import os

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_directory = {}


def get_dir():
    """Where PyTorch keeps what it has downloaded: TORCH_HOME/hub, or ~/.cache/torch/hub."""
    if "set" in _directory:
        return _directory["set"]
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d):
    """Set what get_dir gives."""
    _directory["set"] = os.path.expanduser(d)


def _refused(name):
    def refuse(*args, **kwargs):
        raise NotImplementedError(f"torch.hub.{name}: fastgrad downloads no code and no weights. Get the file by other means and read it with "
                                  "torch.load.")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Refused: raises NotImplementedError."
    return refuse


for _name in ("download_url_to_file", "help", "list", "load", "load_state_dict_from_url"):
    globals()[_name] = _refused(_name)
