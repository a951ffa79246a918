"""Data sets: files written here byte by byte, or by Pillow, come back as NumPy has them; what is missing or hostile is refused."""

import gzip
import pickle
import struct

import numpy as np
import pytest

import fastgrad
from fastgrad.vision import datasets, transforms

Image = pytest.importorskip("PIL.Image")
torch = pytest.importorskip("torch")


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def digits(tmp_path):
    """(root, images, labels by prefix) of a small MNIST; training files packed, test files not."""
    random, arrays = np.random.default_rng(0), {}
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix, count in (("train", 30), ("t10k", 7)):
        images, labels = random.integers(0, 256, (count, 28, 28), np.uint8), random.integers(0, 10, count, np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            name, data = f"{prefix}-{kind}-ubyte", idx(array)
            (raw / (name + ".gz" * (prefix == "train"))).write_bytes(gzip.compress(data) if prefix == "train" else data)
        arrays[prefix] = images, labels
    return tmp_path, arrays


@pytest.mark.parametrize(("train", "prefix"), [(True, "train"), (False, "t10k")])
def test_mnist(digits, train, prefix):
    root, arrays = digits
    images, labels = arrays[prefix]
    data = datasets.MNIST(root, train=train, transform=transforms.ToTensor(), target_transform=lambda label: label + 100, download=True)
    assert len(data) == len(labels) and data.targets.tolist() == labels.tolist() and np.array_equal(data.data.numpy(), images)
    for i in (0, 3, len(data) - 1):
        image, label = data[i]
        assert label == labels[i] + 100 and np.array_equal(image.numpy()[0], images[i].astype(np.float32) / 255)
    plain, label = datasets.MNIST(str(root), train)[2]
    assert isinstance(plain, Image.Image) and type(label) is int and np.array_equal(np.asarray(plain), images[2])
    assert data.classes[3] == "3 - three" and data.class_to_idx["9 - nine"] == 9


def test_a_batch_of_mnist(digits):
    root, arrays = digits
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.25,))])
    loader = fastgrad.utils.data.DataLoader(datasets.MNIST(root, transform=transform), batch_size=16)
    x, y = next(iter(loader))
    assert np.allclose(x.numpy()[:, 0], (arrays["train"][0][:16] / 255 - 0.5) / 0.25, atol=1e-6) and y.tolist() == arrays["train"][1][:16].tolist()


def test_kinds_of_mnist_have_folders_of_their_own(digits):
    root, _ = digits
    for cls in (datasets.FashionMNIST, datasets.KMNIST):
        (root / "MNIST").rename(root / cls.__name__)
        assert len(cls(root)) == 30 and len(cls.classes) == 10
        (root / cls.__name__).rename(root / "MNIST")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(RuntimeError, match="put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz into .*MNIST.raw"):
        datasets.MNIST(tmp_path)
    with pytest.raises(RuntimeError, match="nothing is downloaded here"):
        datasets.CIFAR10(tmp_path, download=True)


@pytest.mark.parametrize("cut", [2, 10, 500, "kind"])
def test_damaged_idx(digits, cut):
    root, _ = digits
    path = root / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    data = path.read_bytes()
    path.write_bytes(b"\0\0\x0d\x03" + data[4:] if cut == "kind" else data[:cut])
    with pytest.raises(ValueError, match="read_idx"):
        datasets.MNIST(root, train=False)


def write_cifar(folder, files, labels, meta, names):
    random = np.random.default_rng(1)
    folder.mkdir()
    written = {}
    for file in files:
        batch = {"data": random.integers(0, 256, (5, 3072), np.uint8), labels: random.integers(0, 10, 5).tolist()}
        (folder / file).write_bytes(pickle.dumps(batch, protocol=2))
        written[file] = batch
    (folder / meta[0]).write_bytes(pickle.dumps({meta[1]: names}))
    return written


def test_cifar10(tmp_path):
    files = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    written = write_cifar(tmp_path / "cifar-10-batches-py", files, "labels", ("batches.meta", "label_names"), ["plane", "car"])
    train, test = datasets.CIFAR10(tmp_path, transform=transforms.ToTensor()), datasets.CIFAR10(tmp_path, train=False)
    assert len(train) == 25 and len(test) == 5 and train.classes == ["plane", "car"]
    image, label = train[12]
    assert label == written["data_batch_3"]["labels"][2]
    assert np.array_equal(image.numpy(), written["data_batch_3"]["data"][2].reshape(3, 32, 32).astype(np.float32) / 255)
    assert np.array_equal(np.asarray(test[4][0]), written["test_batch"]["data"][4].reshape(3, 32, 32).transpose(1, 2, 0))


def test_cifar100(tmp_path):
    written = write_cifar(tmp_path / "cifar-100-python", ["train", "test"], "fine_labels", ("meta", "fine_label_names"), ["apple"])
    data = datasets.CIFAR100(tmp_path)
    assert data.targets == written["train"]["fine_labels"] and data.classes == ["apple"]


class Hostile:
    def __reduce__(self):
        return eval, ("1 / 0",)


def test_a_hostile_batch_runs_nothing(tmp_path):
    write_cifar(tmp_path / "cifar-100-python", ["train", "test"], "fine_labels", ("meta", "fine_label_names"), [])
    (tmp_path / "cifar-100-python" / "train").write_bytes(pickle.dumps({"data": Hostile()}))
    with pytest.raises(pickle.UnpicklingError, match="eval"):
        datasets.CIFAR100(tmp_path)


@pytest.fixture
def folders(tmp_path):
    random = np.random.default_rng(2)
    arrays = {}
    for name in ("cat/1.png", "cat/deep/2.PNG", "ant/x.bmp"):
        arrays[name] = random.integers(0, 256, (4, 6, 3), np.uint8)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(arrays[name]).save(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    return tmp_path, arrays


def test_image_folder(folders):
    root, arrays = folders
    data = datasets.ImageFolder(str(root), transform=transforms.ToTensor())
    assert data.classes == ["ant", "cat"] and data.class_to_idx == {"ant": 0, "cat": 1} and data.targets == [0, 1, 1]
    assert [path for path, _ in data.imgs] == [str(root / name) for name in ("ant/x.bmp", "cat/1.png", "cat/deep/2.PNG")]
    for (image, _), name in zip(data, ("ant/x.bmp", "cat/1.png", "cat/deep/2.PNG")):
        assert np.array_equal(image.numpy(), arrays[name].transpose(2, 0, 1).astype(np.float32) / 255)


def test_folders_that_cannot_be(folders):
    root, _ = folders
    (root / "zebra").mkdir()
    with pytest.raises(FileNotFoundError, match="zebra"):
        datasets.ImageFolder(root)
    assert len(datasets.ImageFolder(root, allow_empty=True).classes) == 3
    with pytest.raises(FileNotFoundError, match="class folder"):
        datasets.ImageFolder(root / "zebra")
    with pytest.raises(ValueError, match="extensions and is_valid_file"):
        datasets.DatasetFolder(root, loader=open)
    texts = datasets.DatasetFolder(root, loader=lambda path: open(path).read(), extensions=(".txt",), allow_empty=True)
    assert texts[0] == ("not an image", 1)


def test_fake_data_is_drawn_by_index():
    data = datasets.FakeData(size=4, image_size=(3, 5, 7), num_classes=6, transform=transforms.PILToTensor(), random_offset=10)
    fastgrad.manual_seed(0)
    for i in (2, 0, 2):
        image, label = data[i]
        torch.manual_seed(i + 10)
        expected = torch.randn(3, 5, 7).mul(255).byte()
        assert np.array_equal(image.numpy(), expected.numpy()) and label == torch.randint(0, 6, (1,)).item()
    torch.manual_seed(0)
    assert fastgrad.rand(1).item() == torch.rand(1).item()  # the program's own numbers go on undisturbed
    with pytest.raises(IndexError):
        data[4]


def test_repr(digits):
    root, _ = digits
    shown = repr(datasets.MNIST(root, transform=transforms.ToTensor()))
    assert shown.splitlines() == [
        "Dataset MNIST", "    Number of datapoints: 30", f"    Root location: {root}", "    Split: Train", "    StandardTransform",
        "Transform: ToTensor()"]


def test_two_ways_to_transform():
    with pytest.raises(ValueError, match="Only transforms or"):
        datasets.VisionDataset(None, transforms=lambda *pair: pair, transform=lambda image: image)
