"""Files go both ways between fastgrad and PyTorch, and a hostile file raises and calls nothing."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict

import pytest
import torch

import fastgrad as fg

CALLED = []


def data(T):
    base = T.arange(12.0)
    return OrderedDict(
        view=base[2:8], twin=base.reshape(3, 4).t(), zero=T.tensor(3), empty=T.zeros(0, 2), grad=T.ones(2, requires_grad=True),
        parameter=T.nn.Parameter(T.ones(3)), size=T.Size([1, 2]), device=T.device("cpu"), dtype=T.float16, plain=[1, "a", None, 2.5, (b"x",)],
        **{str(d): T.tensor([0, 1, 3]).to(getattr(T, d)) for d in ("float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "bool")})


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        mine = ours[name]
        if isinstance(value, torch.Tensor):
            assert (mine.tolist(), tuple(mine.shape), mine.stride(), mine.storage_offset(), mine.requires_grad, str(mine.dtype)) == (
                value.tolist(), tuple(value.shape), value.stride(), value.storage_offset(), value.requires_grad, str(value.dtype)), name
        else:
            assert str(mine) == str(value), name


@pytest.mark.parametrize("options", [{}, {"mmap": True}, {"weights_only": False}, {"map_location": "cpu"}], ids=str)
def test_from_pytorch(tmp_path, options):
    torch.save(data(torch), tmp_path / "a.pt")
    loaded = fg.load(tmp_path / "a.pt", **options)
    same(loaded, data(torch))
    loaded["view"][0] = 50
    assert loaded["twin"][2, 0] == 50  # they share memory
    assert isinstance(loaded["parameter"], fg.nn.Parameter)


def test_to_pytorch(tmp_path):
    fg.save(data(fg), tmp_path / "a.pt")
    loaded = torch.load(tmp_path / "a.pt")
    same(data(fg), loaded)
    assert loaded["view"].untyped_storage().data_ptr() == loaded["twin"].untyped_storage().data_ptr()
    assert os.listdir(tmp_path) == ["a.pt"]


def test_state_dicts_both_ways():
    file = io.BytesIO()
    fg.save({"model": fg.nn.Linear(3, 2).state_dict()}, file)
    file.seek(0)
    torch.nn.Linear(3, 2).load_state_dict(torch.load(file)["model"])
    file = io.BytesIO()
    torch.save(torch.nn.Linear(3, 2).state_dict(), file)
    loaded = fg.load(file)
    assert loaded._metadata[""] == {"version": 1}
    fg.nn.Linear(3, 2).load_state_dict(loaded)


def test_a_whole_module():
    file = io.BytesIO()
    model = fg.nn.Sequential(fg.nn.Linear(2, 2), fg.nn.ReLU())
    fg.save(model, file)
    x = fg.ones(1, 2)
    assert fg.load(file, weights_only=False)(x).tolist() == model(x).tolist()
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        fg.load(file)
    with fg.serialization.safe_globals([fg.nn.Sequential, fg.nn.Linear, fg.nn.ReLU]):
        assert fg.load(file)(x).tolist() == model(x).tolist()


def test_a_whole_module_goes_to_pytorch_and_back():
    there, back = io.BytesIO(), io.BytesIO()
    model = fg.nn.Sequential(fg.nn.Linear(2, 3), fg.nn.Tanh(), fg.nn.Dropout(0.2))
    fg.save(model, there)
    theirs = torch.load(io.BytesIO(there.getvalue()), weights_only=False)
    assert theirs[0](torch.ones(1, 2))[0].tolist() == pytest.approx(model[0](fg.ones(1, 2))[0].tolist())
    torch.save(theirs, back)
    assert repr(fg.load(io.BytesIO(back.getvalue()), weights_only=False)) == repr(model) == repr(theirs)


def call():
    CALLED.append(1)


class Evil:
    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


def archive(body, entries=(), compress=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compress) as z:
        z.writestr("archive/data.pkl", body)
        for name, content in entries:
            z.writestr(f"archive/{name}", content)
    return file


def tensor_pickle(numel=4, offset=0, size=(4,), stride=(1,), number="0", kind="FloatStorage"):
    p = pickle.dumps
    def raw(obj):
        return p(obj, 2)[2:-1]
    return (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + raw("storage") + f"ctorch\n{kind}\n".encode() + raw(number) + raw("cpu")
            + raw(numel) + b"tQ" + raw(offset) + raw(size) + raw(stride) + b"\x89ccollections\nOrderedDict\n)RtR.")


HOSTILE = {
    "function": pickle.dumps(Evil(call)), "system": pickle.dumps(Evil(os.system, "exit 1")), "eval": pickle.dumps(Evil(eval, "call()")),
    "getattr": pickle.dumps(Evil(getattr, "", "join")), "import": pickle.dumps(Evil(__import__, "os")), "protocol 4": pickle.dumps(Evil(call), 4),
    "inst": b"(ios\nsystem\n.", "obj": b"(cos\nsystem\no.", "extension": b"\x80\x02\x82\x01.", "persid": b"P1\n.", "cut": b"\x80\x02}q",
    "empty": b"", "memo": b"\x80\x02h\xff.", "call a dtype": b"\x80\x02ctorch\nfloat32\n)R.", "build a function":
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.", "call a string": b"\x80\x02X\x01\x00\x00\x00a)R.",
    "dotted": b"\x80\x02ctorch\nnn.Module\n)R.", "inner module": b"\x80\x02ctorch.serialization\nos\n.", "load in load":
    b"\x80\x02ctorch\nload\nX\x01\x00\x00\x00a\x85R.", "bytearray": b"\x80\x02cbuiltins\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85R.",
    "factory": b"\x80\x02ccollections\ndefaultdict\ncos\nsystem\n\x85R.", "past the end": tensor_pickle(size=(5,)), "offset": tensor_pickle(offset=1),
    "negative offset": tensor_pickle(offset=-1), "stride": tensor_pickle(stride=(1 << 40,)), "negative stride": tensor_pickle(stride=(-1,)),
    "huge": tensor_pickle(size=(1 << 62, 1 << 62), stride=(1, 1)), "negative size": tensor_pickle(size=(-4,)), "dims": tensor_pickle(size=(2, 2)),
    "numel": tensor_pickle(numel=5), "negative numel": tensor_pickle(numel=-4), "no entry": tensor_pickle(number="7"),
    "other entry": tensor_pickle(number="../data.pkl"), "kind": tensor_pickle(kind="load"), "wide": tensor_pickle(kind="DoubleStorage"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_raises(name):
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        fg.load(archive(HOSTILE[name], [("data/0", bytes(16))]))
    assert not CALLED


def test_the_pickle_that_hostile_ones_are_made_of_is_good():
    assert fg.load(archive(tensor_pickle(), [("data/0", bytes(16))])).tolist() == [0.0] * 4


def test_a_compressed_entry_raises():
    with pytest.raises(RuntimeError, match="compressed"):
        fg.load(archive(tensor_pickle(numel=1 << 20, size=(1 << 20,)), [("data/0", bytes(4 << 20))], zipfile.ZIP_DEFLATED))


def test_cut_files_raise():
    file = io.BytesIO()
    torch.save(torch.ones(20), file)
    whole = file.getvalue()
    for n in range(0, len(whole), 97):
        with pytest.raises(RuntimeError):
            fg.load(io.BytesIO(whole[:n]))


def test_safe_globals():
    body = pickle.dumps(Evil(call))
    with fg.serialization.safe_globals([call]):
        assert fg.serialization.get_safe_globals() == [call]
        fg.load(archive(body))
    assert CALLED.pop() == 1 and not fg.serialization.get_safe_globals()
    with pytest.raises(pickle.UnpicklingError):
        fg.load(archive(body))


def test_locations():
    body = tensor_pickle().replace(b"cpu", b"gpu")
    with pytest.raises(RuntimeError, match="map_location"):
        fg.load(archive(body, [("data/0", bytes(16))]))
    for where in ("cpu", fg.device("cpu"), {"gpu": "cpu"}, lambda storage, location: storage):
        assert fg.load(archive(body, [("data/0", bytes(16))]), map_location=where).shape == (4,)


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=str)
def test_a_function_of_storages_and_locations(options):
    """It may look, or give another storage, which the old format then reads into."""
    file = io.BytesIO()
    torch.save([torch.ones(2), torch.full((3,), 2.0)], file, **options)

    def observe(lib, give):
        seen = []

        def place(storage, location):
            seen.append((storage.nbytes(), location))
            return give(lib, storage)

        loaded = lib.load(io.BytesIO(file.getvalue()), map_location=place)
        return seen, [t.tolist() for t in loaded]

    for give in (lambda lib, storage: None, lambda lib, storage: storage, lambda lib, storage: lib.UntypedStorage([0] * storage.nbytes())):
        assert observe(fg, give) == observe(torch, give)
    with pytest.raises(RuntimeError, match="CUDA"):
        fg.load(io.BytesIO(file.getvalue()), map_location={"cpu": "cuda:0"})
    with pytest.raises(NotImplementedError, match="map_location"):
        fg.load(io.BytesIO(file.getvalue()), map_location="meta")


def test_a_failing_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.pt"
    fg.save(fg.ones(2), path)
    with pytest.raises(Exception):
        fg.save([fg.ones(2), lambda: 0], path)
    assert fg.load(path).tolist() == [1, 1] and os.listdir(tmp_path) == ["a.pt"]
