"""Modules as functions of their parameters."""

from contextlib import ExitStack, contextmanager

import fastgrad as fg
from fastgrad._engine import Tensor

__all__ = ["functional_call", "stack_module_state"]


@contextmanager
def replaced(module, values):
    """In the block, module's parameters and buffers are these tensors."""
    before = []
    try:
        for name, value in values.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path)
            for place in (owner._parameters, owner._buffers):
                if last in place:
                    before.append((place, last, place[last]))
                    place[last] = value
                    break
        yield
    finally:
        for place, last, value in reversed(before):
            place[last] = value


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """module(*args, **kwargs) with the parameters and buffers of a dict, or of several, instead of its own.

    Args:
        args: a tuple of arguments, or a single one.
        tie_weights: a tensor the module has under several names is replaced under all of them.
        strict: every parameter and buffer must be given, and nothing else; otherwise other names are passed over.
    Raises:
        ValueError: no dicts, a name in two of them, or two tensors for one that is tied.
        RuntimeError: strict, and the names are not the module's.
    """
    given = parameter_and_buffer_dicts
    if not isinstance(given, dict):
        if not isinstance(given, (tuple, list)):
            raise ValueError(f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(given)}")
        if not all(isinstance(one, dict) for one in given):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        merged = {}
        for one in given:
            if set(one) & set(merged):
                raise ValueError(f"{sorted(set(one) & set(merged))} appeared in multiple dictionaries; behavior of functional call is "
                                 "ambiguous")
            merged.update(one)
        given = merged
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    given = tied(given, own) if tie_weights else given
    if strict:
        refuse_names(module, set(given) - set(own), set(own) - set(given))
    for name, value in given.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{value} is not an instance of torch.Tensor")
        module.get_submodule(name.rpartition(".")[0])
    given = {name: value for name, value in given.items() if name in own}
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with ExitStack() as stack:
        stack.enter_context(replaced(module, given))
        return module(*args, **(kwargs or {}))


def tied(given, own):
    """What is given, also under the other names of the module's tensors."""
    names = {}
    for name, value in own.items():
        names.setdefault(id(value), []).append(name)
    result = dict(given)
    for group in names.values():
        found = [name for name in group if name in given]
        if len({id(given[name]) for name in found}) > 1:
            raise ValueError(f"functional_call got multiple values for keys {sorted(found)}, which are tied. Consider using tie_weights=False")
        if found:
            result |= dict.fromkeys(group, given[found[0]])
    return result


def refuse_names(module, unexpected, missing):
    parts = [f"\n\t{what} key(s): {', '.join(map(repr, sorted(names)))}." for what, names in (("Unexpected", unexpected), ("Missing", missing)) if names]
    if parts:
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(parts)}")


def stack_module_state(models):
    """(parameters, buffers) of several modules of one kind: dicts of stacked tensors, for an ensemble under vmap."""
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any(m.training != models[0].training for m in models):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(dicts):
        result = {}
        for name, first in dicts[0].items():
            wants = isinstance(first, Tensor) and first.requires_grad
            if any(d[name].requires_grad != wants for d in dicts):
                raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
            result[name] = fg.stack([d[name].detach() for d in dicts]).requires_grad_(wants)
        return result

    return stacked([dict(m.named_parameters()) for m in models]), stacked([dict(m.named_buffers()) for m in models])
