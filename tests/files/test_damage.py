"""Damaged files: cut off at every byte, with a bit turned at every byte, with bytes changed here and there. Each loads, or raises one of a few
classes; nothing is run, nothing hangs, and what loads can be read."""

import io
import pickle
import random
import sys
import zipfile
import zlib
from collections import OrderedDict

import pytest
import torch

import fastgrad as fg
from tests.files.test_files import archive, tensor_pickle

RAISED = (RuntimeError, pickle.UnpicklingError, NotImplementedError)
RUNS = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect", "os.remove", "os.rename")
ran = []
sys.addaudithook(lambda event, arguments: ran.append((event, arguments)) if event in RUNS else None)


def written(**options):
    base = torch.arange(6.0)
    file = io.BytesIO()
    torch.save(OrderedDict(view=base[2:], twin=base.reshape(2, 3).T, whole=torch.tensor([True]), half=torch.ones(2, dtype=torch.bfloat16),
                           plain=[1, 2.5, "x", None, (1, {2})], parameter=torch.nn.Parameter(torch.ones(2)), empty=torch.zeros(0)), file, **options)
    return file.getvalue()


FILES = {"zip": written(), "legacy": written(_use_new_zipfile_serialization=False)}


def read(data):
    """Whether it loads; every tensor of it is looked at."""
    ran.clear()
    try:
        loaded = fg.load(io.BytesIO(data))
    except RAISED:
        return False
    finally:
        assert not ran
    if isinstance(loaded, dict):
        for value in loaded.values():
            if isinstance(value, fg.Tensor) and value.numel() < 1 << 20:
                value.tolist()
    return True


@pytest.mark.parametrize("name", FILES)
def test_cut_anywhere(name):
    data = FILES[name]
    assert read(data)
    assert not any(read(data[:end]) for end in range(len(data)))


@pytest.mark.parametrize("name", FILES)
def test_a_bit_turned_anywhere(name):
    data = bytearray(FILES[name])
    for place in range(len(data)):
        data[place] ^= 1 << place % 8
        read(bytes(data))
        data[place] ^= 1 << place % 8


def changed(chance, data):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(data))
        number = chance.choice((0, 1, len(data), (1 << 31) - 1, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)).to_bytes(8, "little")
        length = chance.choice((1, 4, 8))
        data[place : place + chance.choice((0, length))] = chance.choice((number[:length], b"", chance.randbytes(length), data[place - 9 : place]))
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_bytes_changed_anywhere(name):
    chance = random.Random(0)
    for _ in range(1500):
        read(changed(chance, FILES[name]))


def test_a_pickle_changed_inside_a_sound_archive():
    chance = random.Random(1)
    with zipfile.ZipFile(io.BytesIO(FILES["zip"])) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    for _ in range(1500):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as target:
            for name, content in entries.items():
                target.writestr(name, changed(chance, content) if name.endswith("data.pkl") else content)
        read(file.getvalue())


def test_entries_inside_each_other():
    """Every storage's entry holds all later ones: a bomb without compression."""
    content, sizes, inner = bytes(100), [], []
    for number in reversed(range(20)):
        sizes.insert(0, len(content))
        info = zipfile.ZipInfo(f"archive/data/{number}")
        info.file_size, info.compress_size, info.CRC = len(content), len(content), zlib.crc32(content)
        inner.insert(0, (info, len(content)))
        content = info.FileHeader() + content
    tensors = b"".join(tensor_pickle(n, size=(n,), number=str(i), kind="ByteStorage")[2:-1] for i, n in enumerate(sizes))
    file = archive(b"\x80\x02](" + tensors + b"e.")
    with zipfile.ZipFile(file, "a") as target:
        start = target.start_dir
        target.fp.seek(start)
        target.fp.write(content)
        for info, left in inner:
            info.header_offset = start + len(content) - left - len(info.FileHeader())
            target.filelist.append(info)
        target.start_dir, target._didModify = start + len(content), True
    with pytest.raises(RuntimeError, match="overlaps"):
        fg.load(file)
