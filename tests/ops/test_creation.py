"""Making tensors, diagonals and triangles: every expression over every kind of tensor gives what PyTorch gives, gradients and errors included."""
import numpy as np
import pytest
import torch

import fastgrad

from .expressions import check

TENSORS = ("x", "xt", "m", "v", "s", "i", "e", "o")
EXPRESSIONS = [
    "{x}.tril()", "{x}.triu(1)", "{x}.tril(-1)", "{x}.diag()", "{x}.diag(1)", "torch.diag_embed({x})",
    "torch.diag_embed({x},1,0,-1)", "torch.diagflat({x},-1)", "torch.zeros_like({x})",
    "torch.ones_like({x},dtype=torch.int32)", "torch.full_like({x},3)", "{x}.new_zeros(2,3)", "{x}.new_full((2,),3)",
    "{x}.new_tensor([1,2])", "{x}.new_ones((2,))",
]


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression, name):
    check(expression.replace("{x}", name))


OTHERS = [
    *(f"torch.tensor({nested})" for nested in (
        "[[torch.ones(1)], [torch.ones(1)]]", "[torch.ones(1), 1.0]", "[1.0, torch.ones(1)]", "[[1.0, 2.0], torch.ones(2)]",
        "[[torch.ones(1, 1), 2]]", "[torch.ones(2)]", "[torch.ones(0)]", "[[torch.ones(1)], [torch.ones(2)]]")),
    "torch.zeros(2,3)", "torch.zeros((2,3))", "torch.zeros([2,3],dtype=torch.int64)", "torch.zeros(size=(2,))",
    "torch.zeros(())", "torch.zeros(0,3)", "torch.zeros(-1)", "torch.zeros(2.5)", "torch.ones(3,requires_grad=True)",
    "torch.full((2,2),3)", "torch.full((2,),True)", "torch.full((2,),2.5,dtype=torch.int32)", "torch.full((2,),'a')",
    "torch.eye(3)", "torch.eye(2,4)", "torch.eye(4,2,dtype=torch.int32)", "torch.eye(-1)", "torch.arange(5)",
    "torch.arange(5.)", "torch.arange(1,10,3)", "torch.arange(0,1,0.1)", "torch.arange(10,0,-2)", "torch.arange(0)",
    "torch.arange(1,0)", "torch.arange(0,1,0)", "torch.arange(0,1,0.3,dtype=torch.float64)",
    "torch.arange(1.5,7,dtype=torch.int64)", "torch.arange(3,dtype=torch.float16)", "torch.arange(0,100,7.3)",
    "torch.arange(start=2,end=5)", "torch.arange(end=5)", "torch.linspace(0,1,11)", "torch.linspace(-3,7,100)",
    "torch.linspace(1,1,1)", "torch.linspace(0,1,0)", "torch.linspace(0,10,5,dtype=torch.int64)",
    "torch.linspace(0,1,7,dtype=torch.float64)", "torch.linspace(0,1,-1)", "torch.logspace(0,2,5)",
    "torch.logspace(0,2,3,base=2)", "torch.tril_indices(3,4)", "torch.triu_indices(3,4,1)",
    "torch.tril_indices(3,3,-1,dtype=torch.int32)", "torch.scalar_tensor(3)", "torch.meshgrid(v,m[0],indexing='ij')",
    "torch.meshgrid(v,m[0],indexing='xy')", "torch.meshgrid([v,v])", "torch.cartesian_prod(v,m[0])",
    "torch.broadcast_tensors(o,x[0,:,:1])", "torch.nn.functional.one_hot(id)", "torch.nn.functional.one_hot(id,5)",
    "torch.nn.functional.one_hot(id,1)", "torch.tensor([1,2.5])", "torch.tensor([[1],[2]])", "torch.tensor([True,False])",
    "torch.tensor([True,2])", "torch.tensor(3)", "torch.tensor(3.5)", "torch.tensor([])", "torch.tensor([[],[]])",
    "torch.tensor([[1,2],[3]])", "torch.tensor([[1],2])", "torch.tensor([1,[2]])", "torch.tensor('a')",
    "torch.tensor(['a'])", "torch.tensor(None)", "torch.tensor([None])", "torch.tensor({})",
    "torch.tensor([1,2],dtype=torch.float32)", "torch.tensor([1.7,-2.2],dtype=torch.int64)",
    "torch.tensor(np.arange(6).reshape(2,3))", "torch.tensor(np.arange(6)[::-1].copy())",
    "torch.tensor([np.array([1,2]),np.array([3,4])])", "torch.tensor([torch.tensor(1),torch.tensor(2)])",
    "torch.tensor(np.float32(2.5))", "torch.tensor(np.array(2.5))", "torch.tensor([np.float64(1),np.float64(2)])",
    "torch.tensor([np.int32(1)])", "torch.tensor(2**63)", "torch.tensor(2**62)", "torch.tensor([300],dtype=torch.uint8)",
    "torch.tensor(1e400)", "torch.tensor(range(3))", "torch.tensor((1,2))", "torch.tensor(np.array(['a']))",
    "torch.tensor(1,dtype=torch.bool)", "torch.tensor([1.0],requires_grad=True)", "torch.tensor([1],requires_grad=True)",
    "torch.tensor(np.zeros((0,3)))", "torch.as_tensor([1,2])", "torch.as_tensor(np.arange(3.))", "torch.as_tensor(m) is m",
    "torch.asarray(bytearray(b'12345678'))", "torch.asarray(bytearray(b'12345678'),dtype=torch.int32)", "torch.asarray(b'12345678',copy=True)",
    "torch.asarray(bytearray(b'1234567'),dtype=torch.float32)", "torch.asarray(bytearray())", "torch.asarray(np.float32(3))",
    "torch.asarray(__import__('array').array('d',[1,2]))", "torch.asarray(memoryview(b'1234'),dtype=torch.uint8)", "torch.asarray('abcd')",
    "torch.asarray(bytearray(b'1234'),dtype=torch.float32,requires_grad=True)",
    "torch.ones(2).add(torch.ones(2),alpha=2**70)", "torch.ones(2).add_(torch.ones(2),alpha=-2**64)", "torch.add(torch.ones(2),1,alpha=2**63)",
    "torch.addcmul(m,m,m,value=2**64)", "torch.nn.functional.hardtanh(m,-1,2**63)",
    "torch.asarray([1.,2.])", "torch.tensor([1,'a'])", "torch.tensor(['a'])", "torch.tensor([[1,2],[3,'a']])", "torch.tensor([b'a'])",
    "torch.asarray(x).requires_grad", "torch.tensor([1,2],dtype=float)", "torch.zeros(2,dtype=complex)", "m.to(float)",
    "torch.ones(3)+2**70", "2**70-torch.ones(3)", "torch.ones(3)*(2**64-1)", "torch.ones(3)*-2**63", "torch.ones(3)>2**64",
    "torch.ones(3)-(-2**63-1)", "torch.full((2,),2**70)", "torch.ones(2).fill_(2**70)", "torch.tensor(2**70,dtype=torch.float)",
    "torch.where(m>0,2**70,m)", "torch.ones(2,dtype=torch.int64)+2**70", "np.asarray(x*1)", "np.sin(x*1)", "np.ones(3)*(m*x.sum())",
    "torch.from_numpy(np.arange(3))", "torch.from_numpy([1])",
    "torch.from_numpy(np.arange(3)[::-1])", "torch.frombuffer(bytearray(8),dtype=torch.int32)", "torch.Tensor()",
    "torch.Tensor(2,3).shape", "torch.Tensor([1,2])", "torch.Tensor((2,3))", "torch.Tensor(torch.Size([2,3])).shape",
    "torch.Tensor(2.5)", "torch.FloatTensor([1,2])", "torch.LongTensor([1,2])", "torch.LongTensor(2).shape",
    "torch.ByteTensor([1])", "torch.BoolTensor([True])", "isinstance(m,torch.FloatTensor)",
    "isinstance(id,torch.LongTensor)", "isinstance(id,torch.FloatTensor)", "torch.IntTensor([1]).type()",
    "m.type(torch.DoubleTensor)", "m.type('torch.DoubleTensor')", "m.new(2,2).shape", "str(m.device)", "m.is_cuda",
    "m.is_sparse", "torch.device('cuda:1').index", "torch.zeros(2,device='cpu')", "torch.zeros(2,device='cuda')",
    "torch.zeros(2,device=torch.device('cpu'))", "m.storage_offset()", "x[1].storage_offset()",
    "m.untyped_storage().nbytes()", "m.storage().size()", "m.element_size()", "m.get_device()", "np.sin(m.detach())",
    "np.add(m.detach(),1)", "np.array(m.detach()).dtype.name", "m.tolist()", "np.from_dlpack(m.detach()).tolist()",
    "torch.from_dlpack(np.arange(3.))", "3 in torch.arange(5)", "9 in torch.arange(5)", "'a' in torch.arange(5)",
    "m.is_floating_point()", "torch.is_tensor(m)", "m.is_contiguous()", "m.T.is_contiguous()",
    "x.contiguous(memory_format=torch.channels_last)", "torch.zeros(1,2,3,4).contiguous(memory_format=torch.channels_last)",
    "torch.zeros(1,2,3,4).to(memory_format=torch.channels_last).is_contiguous(memory_format=torch.channels_last)", "x.to()",
    "m.to(torch.float64,False,True)", "m.to('cuda')", "m.cuda()", "m.to(torch.float64,1,2,3,4,5)", "m.unfold(0,2,1).sum(-1)",
    "torch.cat([])", "torch.cat([m,id])", "torch.cat([x,torch.zeros(0)])", "torch.cat([m,m.double()])",
    "torch.cat((m,m),axis=1)", "torch.concat([m,m])", "torch.stack([])", "torch.cat([s,s])", "torch.cat([x,m])",
    "torch.cat([x,x[:,:2]])", "torch.repeat_interleave(torch.tensor([1,0,2]))", "x.split([1,1])", "x.split([1,5])",
    "x.split(0)", "x.chunk(0)",
]


@pytest.mark.parametrize("expression", OTHERS)
def test_other(expression):
    check(expression)


@pytest.mark.parametrize("expression", ["torch.zeros(-1)", "torch.zeros(2, -1)", "torch.ones(-3)", "torch.empty(2, -1)", "torch.full((-1,), 2)",
                                        "torch.ones(2).new_zeros(-1)"])
def test_negative_sizes_have_pytorchs_text(expression):
    texts = []
    for lib in (fastgrad, torch):
        with pytest.raises(RuntimeError) as caught:
            eval(expression, {"torch": lib})
        texts.append(str(caught.value).partition("\n")[0])
    assert texts[0] == texts[1]


def test_numpy_does_not_read_what_requires_grad():
    x = fastgrad.ones(2, requires_grad=True)
    with pytest.raises(BufferError):
        memoryview(x)
    with pytest.raises(RuntimeError, match="detach"):
        np.array([x, x])
    with fastgrad.no_grad():
        assert np.asarray(x).tolist() == [1, 1]
