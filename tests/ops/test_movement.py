"""Joining, turning and repeating: every expression over every kind of tensor gives what PyTorch gives, gradients and errors included."""
import pytest

from .expressions import check

TENSORS = ("x", "xt", "m", "v", "s", "i", "e", "o")
EXPRESSIONS = [
    "torch.cat([{x},{x}])", "torch.cat([{x},{x}],-1)", "torch.stack([{x},{x}])", "torch.stack([{x},{x}],-1)",
    "torch.hstack([{x},{x}])", "torch.vstack([{x},{x}])", "torch.dstack([{x},{x}])", "torch.column_stack([{x},{x}])",
    "{x}.flip(0)", "{x}.flip(0,-1)", "{x}.flip([1,0])", "{x}.fliplr()", "{x}.flipud()", "{x}.roll(1)", "{x}.roll(-1,0)",
    "{x}.roll((1,2),(0,-1))", "torch.rot90({x})", "torch.rot90({x},2)", "torch.rot90({x},3,(0,-1))", "{x}.repeat(2)",
    "{x}.repeat(2,1,3)", "{x}.repeat(2,2,1,2)", "{x}.tile(2)", "{x}.tile((2,1))", "{x}.repeat_interleave(2)",
    "{x}.repeat_interleave(2,0)", "{x}.repeat_interleave(torch.tensor([1,2]),0)", "torch.atleast_1d({x})",
    "torch.atleast_3d({x})",
]


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression, name):
    check(expression.replace("{x}", name))
