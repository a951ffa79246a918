"""Views and conversions: every expression over every kind of tensor gives what PyTorch gives, gradients and errors included."""
import pytest

from .expressions import check

TENSORS = ("x", "xt", "m", "v", "s", "i", "e", "o")
EXPRESSIONS = [
    "{x}.reshape(-1)", "{x}.view(-1)", "{x}.flatten()", "{x}.flatten(1)", "{x}.t()", "{x}.T", "{x}.mT", "{x}.transpose(0,1)",
    "{x}.transpose(-1,0)", "{x}.squeeze()", "{x}.squeeze(0)", "{x}.squeeze((0,-1))", "{x}.unsqueeze(0)", "{x}.unsqueeze(-1)",
    "{x}.unsqueeze(9)", "{x}.contiguous()", "{x}.clone()", "{x}.detach()", "{x}.ravel()", "{x}.split(2)", "{x}.split(1,-1)",
    "{x}.chunk(2)", "{x}.chunk(3,-1)", "{x}.unbind()", "{x}.unbind(-1)", "{x}.tensor_split(3)", "{x}.tensor_split((1,2))",
    "{x}.diagonal()", "{x}.diagonal(1)", "{x}.diagonal(-1,0,-1)", "{x}.movedim(0,-1)", "{x}.adjoint()", "{x}.H",
    "{x}.narrow(0,0,1)", "{x}.narrow(-1,-1,1)", "{x}.select(0,1)", "{x}.unfold(0,2,1)", "{x}.unfold(-1,2,2)",
    "{x}.unfold(-1,3,1)", "{x}.expand(2,3,4)", "{x}.expand(-1,-1,-1)", "{x}.expand(2,-1,-1,-1)", "{x}.broadcast_to((2,3,4))",
    "{x}.permute(2,0,1)", "{x}.permute((0,1))", "{x}.as_strided((2,2),(1,2))", "{x}.as_strided((2,2),(1,1),1)",
    "{x}.double()", "{x}.half().float()", "{x}.int()", "{x}.bool()", "{x}.to(torch.float64)", "{x}.to('cpu')",
    "{x}.to('cpu',torch.float64,copy=True)", "{x}.to(m)", "{x}.type_as(i)", "{x}.type()", "{x}.type(torch.float64)",
    "{x}.hsplit(2)", "{x}.vsplit(2)", "{x}.view(torch.int32)", "{x}.view(torch.uint8)", "{x}.swapaxes(0,1)",
    "{x}.unflatten(-1,(2,-1))", "{x}.unflatten(0,(2,-1))", "{x}.view(2,-1)", "{x}.view(-1,2)", "{x}.reshape(2,3,2,2)",
    "{x}.view(4,6)", "{x}.view_as(m)", "{x}.is_contiguous()", "np.asarray({x}.detach()).shape",
]


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression, name):
    check(expression.replace("{x}", name))
