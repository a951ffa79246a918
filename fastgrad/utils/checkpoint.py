"""checkpoint: forget what a stretch of forward saved, and compute it again in backward.  Less memory for more time.

Two ways, PyTorch's. Reentrant: the stretch is one custom function, whose backward runs forward again with gradients on and then a
backward of its own. Not reentrant: each tensor it would save is kept as its number; the first that is asked for runs forward again, and
keeps what is saved then under the same numbers, up to the last.
"""

import warnings
from contextlib import contextmanager

import fastgrad as fg
from fastgrad._engine import Tensor, _is_partial_backward
from fastgrad.autograd import Function, backward
from fastgrad.autograd.graph import saved_tensors_hooks

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn", "set_checkpoint_early_stop"]

early_stop_set = None  # what set_checkpoint_early_stop says, for every checkpoint


class CheckpointError(RuntimeError):
    """Forward saved other tensors the second time."""


class AllSaved(Exception):
    """Ends the second run: whatever it has yet to compute, nobody asked for."""


@contextmanager
def set_checkpoint_early_stop(enable):
    """While in effect, whether checkpoints made here end their second run once they have what was saved, whatever their `early_stop`."""
    global early_stop_set
    before, early_stop_set = early_stop_set, enable
    try:
        yield
    finally:
        early_stop_set = before


def noop_context_fn():
    """Two contexts that do nothing: for forward, and for computing it again."""
    from contextlib import nullcontext

    return nullcontext(), nullcontext()


class Random:
    """The state of the random numbers, so that dropout drops the same elements again."""

    def __init__(self, preserve):
        self.state = fg.get_rng_state() if preserve and hasattr(fg, "get_rng_state") else None

    def __enter__(self):
        if self.state is not None:
            self.outside = fg.get_rng_state()
            fg.set_rng_state(self.state)

    def __exit__(self, *exc):
        if self.state is not None:
            fg.set_rng_state(self.outside)


def checkpoint(function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default", debug=False,
               early_stop=True, preserve_rng_state=True, **kwargs):
    """function(*args, **kwargs), with what its backward needs computed again then.

    Args:
        function: what to run; it must do the same both times.
        use_reentrant: the way, see this file's head; False is the better one.
        context_fn: makes two contexts, one for each run (not reentrant only).
        determinism_check: "default" compares shapes and dtypes of the two runs, "none" nothing.
        early_stop: whether the second run ends where all that was saved is there again (not reentrant only).
        preserve_rng_state: whether random numbers are the same in both runs.
    Raises:
        CheckpointError: the second run saved other tensors.
    Example:
        >>> y = fastgrad.utils.checkpoint.checkpoint(block, x, use_reentrant=False)
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    if debug:
        raise NotImplementedError("checkpoint: debug=True is not supported")
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
                      "recommended.", stacklevel=2)
        use_reentrant = True
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        if fg.is_grad_enabled() and not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return CheckpointFunction.apply(function, preserve_rng_state, *args)
    early_stop = early_stop if early_stop_set is None else early_stop_set
    return recorded(lambda: function(*args, **kwargs), context_fn, determinism_check, preserve_rng_state, early_stop)


class CheckpointFunction(Function):
    """A stretch of forward as one operation."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        ctx.function, ctx.random = run_function, Random(preserve_rng_state)
        ctx.args = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with fg.no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx, *grads):
        if _is_partial_backward():
            raise RuntimeError("When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                               "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                               ".backward() without passing the `inputs` argument.")
        args = list(ctx.args)
        for i, saved in zip(ctx.places, ctx.saved_tensors):
            args[i] = saved.detach().requires_grad_(saved.requires_grad)
        with fg.enable_grad(), ctx.random:
            outputs = ctx.function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [(o, g) for o, g in zip(outputs, grads) if isinstance(o, Tensor) and o.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, *(a.grad if isinstance(a, Tensor) else None for a in args))


def recorded(run, context_fn, determinism_check, preserve, early_stop):
    """Run now, saving numbers instead of tensors."""
    random = Random(preserve)
    first, second = context_fn()
    kept = []  # what each number stands for: shape and dtype
    again = []  # what the second run saved

    def pack(tensor):
        kept.append((tuple(tensor.shape), tensor.dtype))
        return len(kept) - 1

    def unpack(number):
        if not again:
            saved = []

            def keep(tensor):
                if len(saved) == len(kept):
                    raise CheckpointError("torch.utils.checkpoint: trying to save more tensors during recomputation than during the "
                                          "original forward pass.")
                saved.append(tensor.detach())
                if early_stop and len(saved) == len(kept):
                    raise AllSaved

            try:
                with fg.enable_grad(), random, second, saved_tensors_hooks(keep, refuse):
                    run()
            except AllSaved:
                pass
            if len(saved) != len(kept):
                raise CheckpointError(f"torch.utils.checkpoint: A different number of tensors was saved during the original forward "
                                      f"and recomputation.\nNumber of tensors saved during forward: {len(kept)}\n"
                                      f"Number of tensors saved during recomputation: {len(saved)}")
            again.extend(saved)
        found = again[number]
        if determinism_check != "none" and (tuple(found.shape), found.dtype) != kept[number]:
            raise CheckpointError(f"torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                                  f"during the forward pass: saved {kept[number]}, recomputed {(tuple(found.shape), found.dtype)}")
        return found

    with first, saved_tensors_hooks(pack, unpack):
        return run()


def refuse(packed):
    raise CheckpointError("checkpoint: a backward ran inside the function that is computed again")


def checkpoint_sequential(functions, segments, input, use_reentrant=None, preserve_rng_state=True):
    """Run a Sequential, or a list of functions, as so many checkpointed segments; the last is not checkpointed.

    Args:
        functions: a Sequential or a list of modules or functions, applied one after the other.
        segments: into how many parts to cut it.
        input: the tensor that the first gets.
    """
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly.",
                      stacklevel=2)
        use_reentrant = True
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(functions) // segments

    def part(start, end):
        def run(x):
            for function in functions[start:end]:
                x = function(x)
            return x

        return run

    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(part(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return part(end, len(functions))(input)
