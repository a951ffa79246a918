"""Reading and writing by index: every expression over every kind of tensor gives what PyTorch gives, gradients and errors included."""
import pytest
import torch

import fastgrad

from .expressions import check

TENSORS = ("x", "xt", "m", "v", "s", "i", "e", "o")
EXPRESSIONS = [
    "{x}[0]", "{x}[-1]", "{x}[:]", "{x}[...]", "{x}[None]", "{x}[1:]", "{x}[::2]", "{x}[:, 0]", "{x}[0,1]", "{x}[...,0]",
    "{x}[None,...,None]", "{x}[5]", "{x}[0,0,0]", "{x}[1:5:3,None]", "{x}[[0,1]]", "{x}[id]", "{x}[:,[0,1]]",
    "{x}[[0,1],[1,0]]", "{x}[...,[0,1,1]]", "{x}[[0,1],:,[1,1]]", "{x}[{x}>0]", "{x}[:,{x}[0]>0]", "{x}[[[0],[1]],[0,1]]",
    "{x}[0,[0,1],[1,2]]", "{x}[0,:,[1,2]]", "{x}[torch.tensor(1)]", "{x}[torch.tensor([[0,1],[1,0]])]", "{x}[True]",
    "{x}[False]", "{x}[None,[0,0]]", "{x}[[0,1],None,[0,1]]", "{x}[[5]]", "{x}[[-1,-2]]", "{x}[np.array([0,1])]",
    "{x}[np.int64(0)]", "{x}[range(2)]", "{x}[[]]", "{x}['a']", "{x}[1.0]", "{x}[0:2,[0,1],0:1]", "{x}[[True,False]]",
    "{x}[()]", "{x}.index_select(0,torch.tensor([0,0,1]))", "{x}.index_select(-1,id[:1])",
    "{x}.gather(0,torch.zeros({x}.shape,dtype=torch.int64))", "{x}.gather(-1,torch.zeros({x}.shape,dtype=torch.int64)[:1])",
    "{x}.take(id[:2])", "{x}.masked_fill({x}>0,1.5)", "{x}.masked_fill({x}>0,s)", "{x}.masked_select({x}>0)",
    "torch.scatter({x},0,torch.zeros({x}.shape,dtype=torch.int64),1)",
    "torch.scatter_add({x},0,torch.zeros({x}.shape,dtype=torch.int64),{x})",
    "torch.index_add({x},0,torch.tensor([0]),{x}[:1],alpha=2)", "torch.index_copy({x},0,torch.tensor([0]),{x}[:1]*2)",
    "torch.index_fill({x},0,torch.tensor([0]),7.)", "torch.index_put({x},(torch.tensor([0,0]),),{x}[:1],accumulate=True)",
    "torch.scatter_reduce({x},0,torch.zeros({x}.shape,dtype=torch.int64),{x}*2,'amax')",
    "torch.scatter_reduce({x},0,torch.zeros({x}.shape,dtype=torch.int64),{x}*2,'prod',include_self=False)",
    "torch.scatter_reduce({x},0,torch.zeros({x}.shape,dtype=torch.int64),{x}*2,'mean')",
    "torch.scatter_reduce({x},0,torch.zeros({x}.shape,dtype=torch.int64),{x}*2,'sum',include_self=False)",
    "torch.take_along_dim({x},torch.zeros({x}.shape,dtype=torch.int64),0)",
    "torch.put({x},torch.tensor([0,1]),{x}.reshape(-1)[:2])", "torch.masked_scatter({x},{x}>0,{x}*2)", "list({x})",
    "len({x})", "reversed({x})", "{x}[...,...]", "{x}[...,0,...]", "{x}[...,...,0]", "{x}[0,...,...]", "{x}[np.bool_(True)]",
    "{x}[np.float64(1)]", "{x}[np.array([])]", "{x}[[0.5]]", "{x}[np.array(1.5)]", "{x}[dict()]", "{x}[0:'a']", "{x}[0:1.5]",
    "{x}[[torch.tensor(0),torch.tensor(1)]]", "{x}[[np.array([0,1]),np.array([0,1])]]",
]
# PyTorch's class of error: of an index of a 0-d tensor before the index is read, of autograd for integers, of a storage too small
OTHERWISE = {("{x}['a']", "s"), ("{x}[0:'a']", "s"), ("{x}[0:1.5]", "s"),
             ("{x}.masked_fill({x}>0,s)", "i"), ("torch.index_fill({x},0,torch.tensor([0]),7.)", "e")}


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression, name):
    if (expression, name) in OTHERWISE:
        pytest.skip("PyTorch's answer is an accident")
    check(expression.replace("{x}", name))


BASES = [
    "base=x*1", "base=(x*1).transpose(0,2)", "base=m*1", "base=v*1", "base=x.detach()*1",
]
WRITES = [
    "base[0]=1", "base[0]=s", "base[:,0]=s", "base[...,0]=2", "base[...]=base*2", "base[base>0]=0", "base[base>0]=s",
    "base[[0,1]]=s", "base[[0,1],[1,0]]=3", "base[[0,0]]=base[[0,1]]*2", "base[[0,1]]=base[[1,0]]", "base[5]=1",
    "base[None]=1", "base[True]=3", "base[-1]=base[0]", "base[::2]=s", "base[0]='a'", "base[[True]+[False]*(len(base)-1)]=4",
    "base[0]=[1,2]", "base[base>0]=base[base>0]*2", "base[:,[0,1]]=s", "base[id[:1]]=s*torch.ones(1)",
    "base[0]=torch.zeros(9)", "base.masked_fill_(base>0,2)", "base.index_add_(0,torch.tensor([0,0]),base[:2]*2)",
    "base.index_copy_(0,torch.tensor([1]),base[:1]*2)", "base.index_fill_(0,torch.tensor([1]),5)",
    "base.scatter_(0,torch.zeros(base.shape,dtype=torch.int64),base*2)",
    "base.scatter_(0,torch.ones(base.shape,dtype=torch.int64),7)",
    "base.scatter_add_(0,torch.zeros(base.shape,dtype=torch.int64),base*2)",
    "base.index_put_((torch.tensor([0,0]),),s*torch.ones(1),accumulate=True)",
    "base.put_(torch.tensor([0,1]),torch.ones(2)*s)", "base.squeeze_()", "base.unsqueeze_(0)", "base.transpose_(0,-1)",
    "base.t_()", "base.tril_()", "base.copy_(s)", "base.copy_(base.double())", "base.fill_(s)", "base.zero_()",
    "base.detach_()", "base.masked_scatter_(base>0,base*3)",
    "base.scatter_reduce_(0,torch.zeros(base.shape,dtype=torch.int64),base*2,'amax')", "base.resize_(2)",
    "base.view(-1)[1:3]=s", "base[0].copy_(base[1])", "base[:1].add_(base[1:2])",
]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("write", WRITES)
def test_write(write, base):
    check("base", f"{base}\n{write}")


@pytest.mark.parametrize("k", [-4, -1, 0, 2, 3])
@pytest.mark.parametrize("source", ["x.gather(1, i)", "x.scatter(1, i, 9.0)", "x.scatter_add(1, i, y)", "x.index_fill(1, i[0], 5.0)", "x.take(i)"])
def test_which_indices_count_from_the_end(source, k):
    def observe(lib):
        names = {"x": lib.arange(6.0).reshape(2, 3), "i": lib.tensor([[k], [0]]), "y": lib.ones(2, 1)}
        try:
            return eval(source, names).tolist()
        except (IndexError, RuntimeError) as error:
            return type(error).__name__

    assert observe(fastgrad) == observe(torch)
