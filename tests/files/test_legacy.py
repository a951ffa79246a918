"""The format from before PyTorch 1.6, as PyTorch still writes it: it is read; what is damaged or hostile raises and runs nothing."""

import io
import os
import pickle

import pytest
import torch

import fastgrad as fg

CALLED = []


def written(value):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def loaded(data, **kwargs):
    return fg.load(io.BytesIO(data), **kwargs)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"])
def test_dtypes(dtype):
    value = (torch.arange(6) % 2 if dtype == "bool" else torch.arange(6)).reshape(2, 3).to(getattr(torch, dtype))
    got = loaded(written({"a": value, "b": [1, "x", None]}))
    assert str(got["a"].dtype).endswith(dtype) and got["a"].tolist() == value.tolist() and got["b"] == [1, "x", None]


def test_views_share_their_storage():
    base = torch.arange(6.0)
    got = loaded(written([base, base[2:], base.reshape(2, 3).T]))
    assert got[2].tolist() == base.reshape(2, 3).T.tolist() and got[1].storage_offset() == 2
    got[0][3] = 50.0
    assert got[1].tolist() == [2.0, 50.0, 4.0, 5.0]


def test_states():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 2)).sum().backward()
    optimizer.step()
    got = loaded(written({"model": model.state_dict(), "optimizer": optimizer.state_dict()}))
    ours = fg.nn.Sequential(fg.nn.Linear(2, 3), fg.nn.BatchNorm1d(3))
    assert repr(ours.load_state_dict(got["model"])) == "<All keys matched successfully>"
    assert ours[0].weight.tolist() == model[0].weight.tolist()
    fg.optim.Adam(ours.parameters()).load_state_dict(got["optimizer"])


def test_an_empty_tensor_and_a_parameter():
    got = loaded(written([torch.empty(0, 3), torch.nn.Parameter(torch.ones(2))]))
    assert got[0].shape == (0, 3) and isinstance(got[1], fg.nn.Parameter)


def test_every_cut_raises():
    data = written({"a": torch.arange(6.0)})
    for length in range(1, len(data)):
        with pytest.raises((RuntimeError, pickle.UnpicklingError, NotImplementedError)):
            loaded(data[:length])


def test_changed_bytes_never_crash():
    data = written({"a": torch.arange(6.0), "b": torch.ones(2, 2)})
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]
        try:
            loaded(changed)
        except (RuntimeError, pickle.UnpicklingError, NotImplementedError):
            pass


def test_a_size_past_the_end():
    data = written(torch.arange(6.0))
    assert data.count(b"K\x06N") == 1                   # the number of elements, then no view
    with pytest.raises(RuntimeError, match="larger than the file"):
        loaded(data.replace(b"K\x06N", b"J\xff\xff\xff\x7fN"))


class Evil:
    def __reduce__(self):
        return call, ()


def call():
    CALLED.append(1)


def test_forbidden_names_run_nothing():
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        loaded(written([torch.ones(1), Evil()]))
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        loaded(written([torch.ones(1), os.system]))
    assert not CALLED


def test_mmap_is_for_the_other_format(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(written(torch.ones(2)))
    assert fg.load(path).tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="mmap"):
        fg.load(path, mmap=True)
