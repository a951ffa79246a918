"""Storages as objects: bytes of their own, of tensors and of files; the same calls give what PyTorch's give."""

import copy

import pytest

import fastgrad as fg
from tests.nn.both import assert_same

ONE = [0, 0, 128, 63]           # the bytes of 1.0


def outcome(function):
    try:
        return function()
    except Exception as error:
        return type(error).__name__


CALLS = {
    "sizes": lambda U: [len(U()), U(4).nbytes(), len(U([1, 2])), U([1, 2]).element_size()],
    "values": lambda U: [U([1, 2, 3]).tolist(), list(U([4, 5])), U([1, 2, 3])[-1], repr(U([1, 2]))],
    "slices": lambda U: [U(range(9))[2:5].tolist(), len(U([1, 2])[1:9]), len(U([1, 2])[2:1])],
    "bad indices": lambda U: [outcome(lambda: U([1])[3]), outcome(lambda: U([1, 2])[::2]), outcome(lambda: U([1])["a"])],
    "indices written": lambda U: [outcome(lambda: U([1]).__setitem__(at, 3)) for at in (1, 100, -1, -9)],
    "what is no storage": lambda U: outcome(lambda: U([1]).copy_(type("Fake", (), {"nbytes": lambda s: 1, "untyped": lambda s: 5})())) is not None,
    "written": lambda U: [s.__setitem__(1, 9) or s.tolist() for s in [U([1, 2, 3])]],
    "negative": lambda U: outcome(lambda: U(-1)),
    "another size": lambda U: outcome(lambda: U([1, 2]).copy_(U([1]))),
    "copies": lambda U: [U([1, 2]).copy_(U([3, 4])).tolist(), U([1, 2]).fill_(7).tolist(), U([1, 2]).clone().tolist(),
                         copy.deepcopy(U([1, 2])).tolist()],
}


@pytest.mark.parametrize("name", CALLS)
def test_as_pytorchs(name):
    assert_same(lambda lib: CALLS[name](lib.UntypedStorage))


def test_slices_share_their_bytes():
    def observe(lib):
        whole = lib.UntypedStorage([1, 2, 3, 4])
        part = whole[1:3]
        part[0] = 50
        whole[2:4] = 9
        return whole.tolist(), part.tolist(), part.data_ptr() - whole.data_ptr(), lib.asarray(part, dtype=lib.uint8)

    assert_same(observe)


def test_tensors_take_storages():
    def observe(lib):
        U, x, base = lib.UntypedStorage, lib.zeros(0), lib.arange(6.0)
        seen = [x.set_(U(ONE)).clone(), x.set_(U(ONE * 4), 1, (2,)).clone(), x.set_(U(ONE * 4), 1, (2, 1), (1, 1)).clone(),
                x.set_(base, 2, (2, 2), (2, 1)).clone(), x.set_(base.untyped_storage(), 1, (2, 2)).clone()]
        x[0, 0] = 50
        return seen, base, x.set_(U(3)).shape, lib.tensor([1, 2]).view(dtype=lib.int32), lib.zeros(4).view(size=(2, 2))

    assert_same(observe)


def test_a_storage_of_a_tensor_is_one_object():
    x = fg.ones(3)
    assert x.untyped_storage() is x[1:].untyped_storage() is x.storage().untyped() and x.untyped_storage().untyped() is x.untyped_storage()
    made = fg.UntypedStorage(ONE)
    assert fg.zeros(0).set_(made).untyped_storage() is made
    with pytest.raises(RuntimeError):
        fg.zeros(0).set_(made, 1, (2,))


def test_files(tmp_path):
    def observe(lib):
        path = str(tmp_path / f"{lib.__name__}.bin")
        with open(path, "wb") as file:
            file.write(bytes(range(10)))
        kind = lib.UntypedStorage
        seen = [kind.from_file(path, nbytes=4).tolist(), len(kind.from_file(path)), outcome(lambda: kind.from_file(path, False, 100)),
                outcome(lambda: kind.from_file(path + ".not", nbytes=1))]
        private = kind.from_file(path, False, 10)
        private[0] = 70
        shared = kind.from_file(path, True, 12)
        shared[1] = 71
        with open(path, "rb") as file:
            return seen, list(file.read()), private[0], shared.tolist(), shared.is_shared(), shared.filename == path, private.filename

    assert_same(observe)


@pytest.mark.parametrize("name", ["resize_", "share_memory_"])
def test_what_storages_refuse(name):
    with pytest.raises(NotImplementedError, match=name):
        getattr(fg.UntypedStorage(2), name)(*[1] * (name == "resize_"))


def test_a_storage_that_was_not_initialized():
    class Bare(fg.UntypedStorage):
        def __init__(self):
            pass

    assert len(Bare()) == 0 and Bare().nbytes() == 0
    assert fg.empty(0, dtype=fg.uint8).set_(Bare()).shape == (0,)
