"""One sample of one variant: run it in PyTorch and in the library, compare everything that shows, name the outcome.

An outcome is a status and a message. PyTorch is the reference for failures too: where it raises, the library must raise
the same class; where it cannot differentiate, gradients are not compared.
"""

import warnings
from dataclasses import dataclass

import torch

from tests.conformance import compare
from tests.conformance.compare import Mismatch
from tests.conformance.convert import Unconvertible, build, short_name, tensors_in, to_torch, unique

STATUSES = (
    "pass value dtype shape stride grad gradgrad raised not-raised wrong-class missing crash".split()
)  # "raised": the library raised where PyTorch returns a result

MISSING = (NotImplementedError, AttributeError)


@dataclass
class Run:
    """What one library did with one sample."""

    library: object
    inputs: list  # tensors among the arguments that require a gradient
    arguments: tuple
    result: object = None
    error: Exception = None

    def outputs(self):
        return unique(tensors_in(self.result, self.library.Tensor))


def perform(library, function, sample, inplace):
    """Build the sample's arguments for `library` and call `function` on them; an exception is a result too."""
    first, args, kwargs = build(library, (sample.input, tuple(sample.args), dict(sample.kwargs)))
    inputs = [t for t in unique(tensors_in((first, args, kwargs), library.Tensor)) if t.requires_grad]
    run = Run(library, inputs, (first, args, kwargs))
    library.manual_seed(0)
    try:
        # An in-place operation works on a copy: a leaf that requires a gradient must not be written.
        target = first.clone() if inplace and isinstance(first, library.Tensor) else first
        run.result = function(target, *args, **kwargs)
    except Exception as error:
        run.error = error
        return run
    if inplace and run.result is not target:
        run.error = AssertionError("an in-place operation must return its own tensor")
    return run


def text_of(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def judge_errors(theirs, ours):
    """The outcome if either side raised, else None."""
    if ours.error is None and theirs.error is None:
        return None
    if theirs.error is None:
        return ("missing" if isinstance(ours.error, MISSING) else "raised"), text_of(ours.error)
    if ours.error is None:
        return "not-raised", f"PyTorch raises {text_of(theirs.error)}"
    if isinstance(ours.error, type(theirs.error)):
        return "pass", ""
    status = "missing" if isinstance(ours.error, MISSING) else "wrong-class"
    return status, f"{text_of(ours.error)}; PyTorch raises {text_of(theirs.error)}"


def compare_aliasing(theirs, ours):
    """A view must look at its input's memory at the same place, and a copy must not look at it at all."""
    their_inputs, our_inputs = (unique(tensors_in(r.arguments, r.library.Tensor)) for r in (theirs, ours))
    for their_output, our_output in zip(theirs.outputs(), ours.outputs()):
        if not their_output.numel():
            continue
        for their_input, our_input in zip(their_inputs, our_inputs):
            if not their_input.numel():
                continue
            expected = their_output.data_ptr() - their_input.data_ptr()
            shares = their_output.untyped_storage().data_ptr() == their_input.untyped_storage().data_ptr()
            got = our_output.data_ptr() - our_input.data_ptr()
            if shares and got != expected:
                raise Mismatch("stride", f"a view must begin {expected} bytes into its input, got {got}")
            if not shares and got == 0:
                raise Mismatch("stride", "a new tensor must not share its input's memory")


def cotangents(outputs, seed):
    """The same random cotangent for every output on both sides."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(tuple(o.shape), generator=generator, dtype=torch.complex128 if o.is_complex() else torch.float64).to(o.dtype)
        for o in outputs
    ]


def gradients(run, outputs, inputs, weights, create_graph):
    return run.library.autograd.grad(
        outputs, inputs, weights, create_graph=create_graph, retain_graph=True, allow_unused=True
    )


def compare_gradients(theirs, ours, op, status):
    for place, (expected, got) in enumerate(zip(theirs, ours)):
        where = f"gradient of differentiable input {place}"
        if (expected is None) != (got is None):
            difference = "None, expected a tensor" if got is None else "a tensor, expected None"
            raise Mismatch(status, f"{where}: got {difference}")
        if expected is None:
            continue
        try:
            compare.compare_tensor(expected, got, op, compare.GRADIENT_TOLERANCE, exact=False, strides=False)
        except Mismatch as difference:
            raise Mismatch(status, f"{where}: {difference.status}: {difference}") from None


def differentiable(run):
    return [output for output in run.outputs() if output.requires_grad]


def first_gradients(theirs, ours, op, second):
    """Compare the gradients of all outputs under one random cotangent; with `second`, the gradients of those too."""
    their_outputs, our_outputs = differentiable(theirs), differentiable(ours)
    if not theirs.inputs or not their_outputs:
        return
    weights = cotangents(their_outputs, seed=1)
    their_weights = [w.clone().requires_grad_(second) for w in weights]
    our_weights = [build(ours.library, w.clone().requires_grad_(second)) for w in weights]
    try:
        expected = gradients(theirs, their_outputs, theirs.inputs, their_weights, second)
    except RuntimeError:
        return  # PyTorch does not differentiate this sample
    got = guarded("grad", gradients, ours, our_outputs, ours.inputs, our_weights, second)
    compare_gradients(expected, got, op, "grad")
    if second:
        their_inputs, our_inputs = [*theirs.inputs, *their_weights], [*ours.inputs, *our_weights]
        second_gradients(theirs, ours, op, their_inputs, our_inputs, expected, got)


def second_gradients(theirs, ours, op, their_inputs, our_inputs, their_first, our_first):
    their_outputs = [g for g in their_first if g is not None and g.requires_grad]
    our_outputs = [g for g in our_first if g is not None and g.requires_grad]
    if len(their_outputs) != len(our_outputs):
        raise Mismatch("gradgrad", f"{len(our_outputs)} gradients are differentiable, expected {len(their_outputs)}")
    if not their_outputs:
        return
    weights = cotangents(their_outputs, seed=2)
    try:
        expected = gradients(theirs, their_outputs, their_inputs, weights, False)
    except RuntimeError:
        return
    built = [build(ours.library, w) for w in weights]
    got = guarded("gradgrad", gradients, ours, our_outputs, our_inputs, built, False)
    compare_gradients(expected, got, op, "gradgrad")


def guarded(status, function, *args):
    try:
        return function(*args)
    except MISSING as error:
        raise Mismatch("missing", text_of(error)) from None
    except Exception as error:
        raise Mismatch(status, text_of(error)) from None


def compare_graph(theirs, ours):
    for place, (expected, got) in enumerate(zip(theirs.outputs(), ours.outputs())):
        for name in ("requires_grad", "is_leaf"):
            if getattr(expected, name) != getattr(got, name):
                message = f"output {place}: {name} is {getattr(got, name)}, expected {getattr(expected, name)}"
                raise Mismatch("grad", message)


def compare_arguments(theirs, ours, sample):
    """An operation writes its arguments only where PyTorch does (running statistics), and with its values."""
    sides = (unique(tensors_in(run.arguments, run.library.Tensor)) for run in (theirs, ours))
    given = unique(tensors_in((sample.input, tuple(sample.args), dict(sample.kwargs)), torch.Tensor))
    for before, expected, got in zip(given, *sides):
        written = not torch.equal(before.detach(), expected.detach())
        try:
            compare.compare_values(to_torch(expected), to_torch(got), compare.VALUE_TOLERANCE, exact=not written)
        except Mismatch as difference:
            raise Mismatch("value", f"the call changed an argument: {difference}") from None


def compare_runs(operation, sample, theirs, ours, with_gradients, inplace):
    op = operation.name
    if op in compare.UNSTABLE:
        values, indices = theirs.result
        place = compare.UNSTABLE[op]
        dim = sample.kwargs.get("dim", sample.args[place] if len(sample.args) > place else -1)
        compare.compare_tensor(values, ours.result[0], op, exact=True)
        if not compare.same_selection(theirs.arguments[0].detach(), indices, ours.result[1], dim):
            raise Mismatch("value", "the indices do not pick the values")
    else:
        exact = compare.is_exact(op, sample.kwargs) and not any(t.is_complex() for t in tensors_in(theirs.arguments, torch.Tensor))
        compare.compare_result(theirs.result, ours.result, op, ours.library, exact)
    if not inplace:
        compare_aliasing(theirs, ours)
        compare_arguments(theirs, ours, sample)
    compare_graph(theirs, ours)
    if with_gradients:
        floats = {short_name(t.dtype) for t in theirs.inputs}
        first_gradients(theirs, ours, op, second=bool(floats & {"float64", "complex128"}) and not inplace)


def check_sample(operation, variant, sample, library):
    """(status, message) of one variant on one sample; raises Unconvertible where the sample is out of scope."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = perform(torch, variant.theirs, sample, variant.inplace)
        try:
            ours = perform(library, variant.ours, sample, variant.inplace)
            outcome = judge_errors(theirs, ours)
            if outcome is not None:
                return outcome
            with_gradients = variant.inplace or variant is operation.variants[0]
            compare_runs(operation, sample, theirs, ours, with_gradients, variant.inplace)
        except Mismatch as difference:
            return difference.status, str(difference)
        except MISSING as error:
            return "missing", text_of(error)
        except Unconvertible:
            raise
        except Exception as error:
            return "raised", f"outside the operation: {text_of(error)}"
    return "pass", ""
