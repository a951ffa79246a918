"""SummaryWriter, which is tensorboardX's: `pip install tensorboardX`; torch.utils.tensorboard."""

try:
    from tensorboardX import FileWriter, SummaryWriter as _SummaryWriter
except ImportError as error:
    raise ImportError("torch.utils.tensorboard needs tensorboardX: pip install tensorboardX") from error

from fastgrad._engine import Tensor

__all__ = ["FileWriter", "SummaryWriter"]


def _plain(value):
    """The value with arrays for tensors, also in dicts and lists."""
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(one) for one in value)
    return value


class SummaryWriter(_SummaryWriter):
    """Writes scalars, histograms, images and so on for TensorBoard; tensors go in as they are.

    Raises: NotImplementedError: add_graph, for there is no traced graph.
    """

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        raise NotImplementedError("SummaryWriter.add_graph: fastgrad traces no graphs.")


def _taking_tensors(name):
    written = getattr(_SummaryWriter, name)

    def method(self, *args, **kwargs):
        return written(self, *map(_plain, args), **{key: _plain(value) for key, value in kwargs.items()})

    method.__name__, method.__doc__ = name, written.__doc__
    return method


for _name in [name for name in vars(_SummaryWriter) if name.startswith("add_") and name != "add_graph"]:
    setattr(SummaryWriter, _name, _taking_tensors(_name))
