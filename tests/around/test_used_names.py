"""The names that public programs use (used_names.txt): which of them there are not, each with why.

They are the names that a scan of 240 programs found in two or more, and all names in the 686 files of 24 repositories with programs for one
process. Methods that lists, dicts, strings or arrays have too are not counted: a scan cannot tell whose they are.
"""

import subprocess
import sys
from pathlib import Path

NAMES = Path(__file__).with_name("used_names.txt")
SPARSE = "sparse tensors are not supported"
OLD = "gone from PyTorch as well: it raises there"
TRAINED = "nothing comes trained: weights are downloads"
EXPORT = "there is no exporter to ONNX"
FLEX = "flex_attention compiles the function it is given"
TEXT = "torchtext is a package of its own, which needs PyTorch's binaries"
MISSING = {
    "torch.Tensor.solve": OLD, "torch.potrf": OLD,
    "torch.Tensor.indices": SPARSE, "torch.spmm": SPARSE, "torch.onnx.export": EXPORT,
    "torch.nn.attention.flex_attention.create_block_mask": FLEX, "torch.nn.attention.flex_attention.flex_attention": FLEX,
    "torch.nn.parallel.scatter": "scatters over GPUs; there are none", "torchvision.datasets.LSUN": "reads LMDB files, by a library of its own",
    "torchvision.models.VGG16_Weights": TRAINED, "torchvision.models.VGG16_Weights.IMAGENET1K_V1": TRAINED,
    "torchvision.transforms.Scale": "gone from torchvision as well",
    "torch.Tensor.to_dense": SPARSE, "torch.Tensor.to_sparse": SPARSE, "torch.sparse_coo_tensor": SPARSE, "torch.cuda.sparse.DoubleTensor": SPARSE,
    "torchtext.data.utils.get_tokenizer": TEXT, "torchtext.datasets.Multi30k": TEXT, "torchtext.vocab.build_vocab_from_iterator": TEXT,
}
PROGRAM = """
import sys
import fastgrad
from fastgrad.redirect_missing import StandIn

fastgrad.torch_compat()
for name in sys.stdin.read().split():
    place, _, last = name.rpartition(".")
    try:
        exec(f"from {place} import {last} as found")        # as a program would
    except ImportError:
        owner, _, kind = place.rpartition(".")
        try:
            exec(f"from {owner} import {kind} as holder")   # a class, whose method it is
            found = getattr(holder, last)
        except (ImportError, AttributeError):
            print(name)
            continue
    if isinstance(found, StandIn):
        print(name)
"""


def test_what_programs_use_is_there():
    names = NAMES.read_text().split()
    done = subprocess.run([sys.executable, "-c", PROGRAM], input="\n".join(names), capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(MISSING), done.stderr
    assert len(names) > 640 and len(MISSING) <= 25
