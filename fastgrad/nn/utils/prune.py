"""Pruning: parameters multiplied with masks of zeros and ones; torch.nn.utils.prune.

A pruned parameter `weight` is computed before each forward, from the parameter `weight_orig` and the buffer `weight_mask`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import fastgrad as fg

__all__ = ["BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer", "RandomStructured",
           "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured",
           "random_structured", "random_unstructured", "remove"]


def _hook_of(module, name=None):
    """(key, hook) of the pruning of one parameter, or of any; (None, None) without one."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and name in (None, hook._tensor_name):
            return key, hook
    return None, None


class BasePruningMethod(ABC):
    """Base class of pruning methods: a subclass sets PRUNING_TYPE and defines `compute_mask`.

    Attributes:
        PRUNING_TYPE: "unstructured", "structured" or "global": what of the tensor a method sees that is applied after another.
    """

    _tensor_name = None

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The mask for a tensor that has default_mask so far."""

    def apply_mask(self, module):
        """The parameter as it is pruned."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        original, mask = getattr(module, self._tensor_name + "_orig"), getattr(module, self._tensor_name + "_mask")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prune module's parameter `name` by cls(*args, **kwargs), after what has pruned it already.

        Args:
            importance_scores: tensor of the parameter's shape that decides instead of it.
        Returns: the method, or the container of all of them.
        """
        key, before = _hook_of(module, name)
        method = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name) if before is None else getattr(module, name + "_orig")
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(f"importance_scores should have the same shape as parameter {name} of {module}")
        scores = original if importance_scores is None else importance_scores
        mask = fg.ones_like(original) if before is None else getattr(module, name + "_mask").detach().clone()
        if before is not None:
            method = PruningContainer._joined(before, method)
        mask = method.compute_mask(scores, default_mask=mask)            # raises before anything is changed
        if before is None:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
        else:
            del module._forward_pre_hooks[key]
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t, default_mask=None, importance_scores=None):
        """A pruned copy of a tensor."""
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        scores = t if importance_scores is None else importance_scores
        return t * self.compute_mask(scores, default_mask=fg.ones_like(t) if default_mask is None else default_mask)

    def remove(self, module):
        """Let the parameter be what its pruning has made of it."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        pruned = self.apply_mask(module)
        if hasattr(module, self._tensor_name):
            delattr(module, self._tensor_name)
        original = module._parameters[self._tensor_name + "_orig"]
        original.data = pruned.detach()
        del module._parameters[self._tensor_name + "_orig"], module._buffers[self._tensor_name + "_mask"]
        setattr(module, self._tensor_name, original)


def of_methods(name):
    """A method of PruningContainer that is its tuple's."""
    return lambda self, *arguments: getattr(self._pruning_methods, name)(*arguments)


class PruningContainer(BasePruningMethod):
    """Pruning methods of one parameter, one after another: each sees what those before have left."""

    def __init__(self, *args):
        self._pruning_methods = ()
        for method in args:
            if not self._pruning_methods:
                self._tensor_name = method._tensor_name
            self.add_pruning_method(method)

    @classmethod
    def _joined(cls, before, method):
        methods = before._pruning_methods if isinstance(before, PruningContainer) else (before,)
        return cls(*methods, method)

    def add_pruning_method(self, method):
        """Let a method come after the others."""
        if method is not None:
            if not isinstance(method, BasePruningMethod):
                raise TypeError(f"PruningContainer: a BasePruningMethod is needed, got a {type(method).__name__}")
            if method._tensor_name != self._tensor_name:
                raise ValueError(f"PruningContainer: it prunes {self._tensor_name!r}, got a method that acts on {method._tensor_name!r}. Can "
                                 "only add pruning methods acting on the parameter named so.")
            self._pruning_methods += (method,)

    __iter__, __len__, __getitem__ = (of_methods(name) for name in ("__iter__", "__len__", "__getitem__"))

    def compute_mask(self, t, default_mask):
        method = self._pruning_methods[-1]
        if method.PRUNING_TYPE == "unstructured":
            seen = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.dim()
            kept = default_mask.sum([d for d in range(t.dim()) if d != dim]) != 0
            seen = (*[slice(None)] * dim, kept)
        elif method.PRUNING_TYPE == "global":
            seen = (slice(None),) * t.dim()
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.clone()
        mask[seen] = method.compute_mask(t[seen], default_mask=default_mask[seen]).to(mask.dtype)
        return mask


def _check_amount(amount):
    if not isinstance(amount, (int, float)):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if amount < 0 or (isinstance(amount, float) and amount > 1.0):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
    return amount


def _how_many(amount, size):
    """The number of `size` elements that `amount`, a number or a share, is."""
    if isinstance(amount, int):
        if amount > size:
            raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
        return amount
    return round(amount * size)


class Identity(BasePruningMethod):
    """Prunes nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        return default_mask

    @classmethod
    def apply(cls, module, name):
        return super().apply(module, name)


class _Unstructured(BasePruningMethod):
    """Prunes the elements of least rank; `_ranks` gives them."""

    PRUNING_TYPE = "unstructured"
    _largest = False

    def __init__(self, amount):
        self.amount = _check_amount(amount)

    def compute_mask(self, t, default_mask):
        count = _how_many(self.amount, t.numel())
        mask = default_mask.clone()
        if count:
            mask.view(-1)[fg.topk(self._ranks(t).reshape(-1), k=count, largest=self._largest).indices] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes `amount` elements, a number or a share, at random."""

    _largest = True

    def _ranks(self, t):
        return fg.rand_like(t)

    @classmethod
    def apply(cls, module, name, amount):
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Unstructured):
    """Prunes the `amount` elements, a number or a share, that are smallest."""

    def _ranks(self, t):
        return t.abs()

    @classmethod
    def apply(cls, module, name, amount, importance_scores=None):
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(BasePruningMethod):
    """Prunes whole slices along a dimension; `_kept` says which of them stay."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount, dim=-1):
        self.amount = _check_amount(amount)
        self.dim = dim

    def compute_mask(self, t, default_mask):
        if t.dim() <= 1:
            raise ValueError("Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                             f"{t.shape} with {t.dim()} dims")
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        count = _how_many(self.amount, t.shape[self.dim])
        if count == 0:
            return default_mask
        shape = [1] * t.dim()
        shape[self.dim] = -1
        return default_mask * self._kept(t, count).to(default_mask.dtype).reshape(shape)


class RandomStructured(_Structured):
    """Prunes `amount` slices along dim, a number or a share, at random."""

    def _kept(self, t, count):
        draws = fg.rand(t.shape[self.dim])
        return draws > fg.kthvalue(draws, k=count).values

    @classmethod
    def apply(cls, module, name, amount, dim=-1):
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the `amount` slices along dim, a number or a share, whose norms of order n are least."""

    def __init__(self, amount, n, dim=-1):
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t, count):
        dim = self.dim % t.dim()
        norms = t.norm(self.n, [d for d in range(t.dim()) if d != dim])
        kept = fg.zeros(norms.numel())
        kept[fg.topk(norms, k=norms.numel() - count, largest=True).indices] = 1
        return kept

    @classmethod
    def apply(cls, module, name, amount, n, dim, importance_scores=None):
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask."""

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        if default_mask.shape != self.mask.shape:
            raise AssertionError(f"the mask's shape {tuple(self.mask.shape)} is not the parameter's {tuple(default_mask.shape)}")
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module, name, mask):
        return super().apply(module, name, mask=mask)


def identity(module, name):
    """Give a parameter a mask of ones; gives module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prune elements of a parameter at random: a number of them, or a share; gives module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prune the smallest elements of a parameter: a number of them, or a share; gives module.

    Example:
        >>> layer = fastgrad.nn.utils.prune.l1_unstructured(fastgrad.nn.Linear(3, 2), "weight", amount=2)
        >>> int((layer.weight == 0).sum())
        2
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prune slices of a parameter along dim at random: a number of them, or a share; gives module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prune the slices of a parameter along dim whose norms of order n are least; gives module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module, name, mask):
    """Prune a parameter by a mask; gives module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prune several parameters as if they were one.

    Args:
        parameters: list of (module, name). pruning_method: class of an unstructured method. kwargs: its arguments.
        importance_scores: dict from (module, name) to a tensor that decides instead of the parameter.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    importance_scores = {} if importance_scores is None else importance_scores
    if not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    parameters = list(parameters)
    scores = fg.cat([importance_scores.get((module, name), getattr(module, name)).reshape(-1) for module, name in parameters])
    masks = fg.cat([getattr(module, name + "_mask", fg.ones_like(getattr(module, name))).reshape(-1) for module, name in parameters])
    container, method = PruningContainer(), pruning_method(**kwargs)
    container._tensor_name = method._tensor_name = "temp"
    container.add_pruning_method(method)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of type '
                        f"{method.PRUNING_TYPE}")
    mask = container.compute_mask(scores, masks)
    sizes = [getattr(module, name).numel() for module, name in parameters]
    for (module, name), part in zip(parameters, mask.split(sizes)):
        custom_from_mask(module, name, mask=part.view_as(getattr(module, name)))


def remove(module, name):
    """Let a pruned parameter be an ordinary one again, of the value it has; gives module."""
    key, hook = _hook_of(module, name)
    if hook is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    hook.remove(module)
    del module._forward_pre_hooks[key]
    return module


def is_pruned(module):
    """Whether a parameter of the module, or of one below it, is pruned."""
    return any(_hook_of(one)[1] is not None for one in module.modules())
