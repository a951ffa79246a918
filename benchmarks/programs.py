"""Public PyTorch programs, unmodified, under PyTorch and under fastgrad: `python benchmarks/programs.py CHECKOUTS [WORD...]`.

CHECKOUTS holds a folder owner+name for each repository of programs.txt, which lists the programs; with words, only those whose
line contains one of them run. Each runs in a copy of its repository with the data it asks for, made up here; of a notebook, the
cells of code. A program is ok if both runs print the same words and, to 3 digits, the same numbers. Prints the table of docs/programs.md.
"""

import gzip
import json
import os
import pickle
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
START = HERE / "programs_start.py"
LIMIT = 300  # seconds for one run
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]?\d+)?|-?\.\d+|\bnan\b|\binf\b")
IPYTHON = re.compile(r"^(\s*)(?:%%?[A-Za-z]|!).*")
# What differs from run to run under PyTorch as well: times and speeds, addresses, numbers of processes.
CLOCK = re.compile(
    r"\d+h \d+m \d+s|\d+m \d+s|\d+:\d+:\d+(?:\.\d+)?|\d+(?:\.\d+)? ?(?:ms|s|seconds|sec|it/s|s/it|SPS)\b|[Tt]ime[a-z_/ ]*[:=]? *\d+(?:\.\d+)?"
    r"|SPS: *\d+|step_time \S+|ms/batch *\d+(?:\.\d+)?|mfu \S+|0x[0-9a-f]+|ETA:? \S+|(?m:^\d+(?=\tTrain Epoch))|(?m:(?<=m  )\d\.\d{4}$|(?<=m {8}\d\.\d{4}  )\d\.\d{4}$)"
)


class Program:
    def __init__(self, line):
        self.repository, self.path, arguments, lines, self.gym, data = (field.strip() for field in line.split(" ;"))
        self.arguments, self.lines = arguments.split(), int(lines)
        self.data = dict(word.split("=", 1) for word in data.split())

    def stage(self, checkouts, folder):
        """Copies the repository to `folder`, puts the data in place; returns the folder the program runs in."""
        source = checkouts / self.repository.replace("/", "+")
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".git", "*.gif", "*.pdf", "*.ipynb", "*.svg"))
        place = (folder / self.path).parent
        if self.path.endswith(".ipynb"):
            (folder / self.path).with_suffix(".py").write_text(code_of((source / self.path).read_text(encoding="utf-8")), encoding="utf-8")
        for kind, where in self.data.items():
            if kind != "root":
                DATA[kind](place / where)
        return place

    def run(self, checkouts, *runner):
        """(seconds of processor time, exit code, printed text, errors) of one run."""
        with tempfile.TemporaryDirectory() as temporary:
            place = self.stage(checkouts, Path(temporary) / "repository")
            paths = [str(place / self.data[key]) for key in ("root",) if key in self.data] + [os.environ.get("PYTHONPATH", "")]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "0"}
            command = [sys.executable, *runner, START, str(self.lines), self.gym, Path(self.path).with_suffix(".py").name, *self.arguments]
            begin = processor_time()
            process = subprocess.Popen(
                command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, encoding="utf-8"
            )
            try:
                out, errors = process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                out, errors = process.communicate()
                errors += f"\nno end after {LIMIT} s"
            return processor_time() - begin, process.returncode, out.replace(temporary, ""), errors


def code_of(notebook):
    """The cells of code; lines that are IPython's do nothing."""
    cells = ["".join(cell["source"]) for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
    return "\n".join(IPYTHON.sub(r"\1pass", line) for cell in cells for line in cell.splitlines())


def processor_time():
    """Seconds that ended child processes have used, which other work on the machine does not change much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- made-up data ---


def mnist(root, train=1500, test=500, name="MNIST"):
    """Digits as bright bars in noise, one place a class, in the four files of the data set."""
    random = np.random.default_rng(0)
    raw = root / name / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        labels = random.integers(0, 10, count, dtype=np.uint8)
        images = random.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels):
            image[2 + 2 * label : 6 + 2 * label, 4:24] += 190
        for kind, array, magic in (("images-idx3", images, 2051), ("labels-idx1", labels, 2049)):
            data = struct.pack(f">{1 + array.ndim}i", magic, *array.shape) + array.tobytes()
            (raw / f"{part}-{kind}-ubyte").write_bytes(data)
            (raw / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(data))


def cifar10(root, batch=200):
    random = np.random.default_rng(0)
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True, exist_ok=True)
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        labels = random.integers(0, 10, batch)
        data = random.integers(0, 100, (batch, 3072), dtype=np.uint8) + (15 * labels[:, None]).astype(np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": labels.tolist()}))


def sentences(count):
    random = np.random.default_rng(0)
    subjects, verbs, objects = ("the cat", "a dog", "my friend"), ("sees", "likes", "hears"), ("the rain", "a song", "old books", "the sea")
    return [" ".join(part[random.integers(len(part))] for part in (subjects, verbs, objects)) for _ in range(count)]


def text(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["O God, O God!", *sentences(1200)]) + "\n")


def words(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 1500), ("valid", 200), ("test", 200)):
        (folder / f"{name}.txt").write_text("\n".join(sentences(count)) + "\n")


def tokens(folder):
    """What nanoGPT's prepare.py leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = "\n".join(sentences(1500))
    letters = sorted(set(corpus))
    numbers = np.array([letters.index(letter) for letter in corpus], dtype=np.uint16)
    numbers[:30000].tofile(folder / "train.bin")
    numbers[30000:].tofile(folder / "val.bin")
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": len(letters), "itos": dict(enumerate(letters)), "stoi": {}}))


def cora(folder, papers=2708, vocabulary=40):
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    classes = ["a", "b", "c", "d", "e", "f", "g"]
    labels = random.integers(0, 7, papers)
    bags = (random.random((papers, vocabulary)) < 0.05 + 0.3 * (np.arange(vocabulary) % 7 == labels[:, None])).astype(int)
    rows = [f"{i}\t" + "\t".join(map(str, bag)) + f"\t{classes[label]}" for i, (bag, label) in enumerate(zip(bags, labels))]
    (folder / "cora.content").write_text("\n".join(rows) + "\n")
    links = random.integers(0, papers, (4000, 2))
    (folder / "cora.cites").write_text("\n".join(f"{a}\t{b}" for a, b in links) + "\n")


def fashion(root):
    mnist(root, name="FashionMNIST")


def folder(path):
    """An empty one, which a program expects."""
    path.mkdir(parents=True, exist_ok=True)


DATA = {"mnist": mnist, "fashion": fashion, "folder": folder, "cifar10": cifar10, "text": text, "words": words, "tokens": tokens, "cora": cora}


# --- comparing ---


def difference(expected, printed):
    """What differs first between two outputs, "" if nothing does."""
    expected, printed = (CLOCK.sub("#", text).splitlines() for text in (expected, printed))
    for want, got in zip(expected, printed):
        if NUMBER.sub("0", want).split() != NUMBER.sub("0", got).split():
            return f"prints `{got.strip()[:60]}`, PyTorch `{want.strip()[:60]}`"
        pairs = [(float(a), float(b)) for a, b in zip(NUMBER.findall(want), NUMBER.findall(got))]
        if not np.allclose([a for a, _ in pairs], [b for _, b in pairs], rtol=1e-3, atol=1e-3, equal_nan=True):
            return f"numbers: `{got.strip()[:60]}`, PyTorch `{want.strip()[:60]}`"
    return "" if len(expected) == len(printed) else f"prints {len(printed)} lines, PyTorch {len(expected)}"


def last_line(errors):
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "no message"


def commit(checkouts, repository):
    """The commit that is checked out."""
    folder = checkouts / repository.replace("/", "+")
    return subprocess.run(["git", "-C", folder, "rev-parse", "--short=8", "HEAD"], capture_output=True, text=True).stdout.strip() or "?"


HEAD = "| program | repository | commit | same | PyTorch s | fastgrad s | ratio |\n|---|---|---|---|---|---|---|"


def row(checkouts, program, reference, ours):
    """A line of the table from the two runs, and whether they agree."""
    seconds, _, expected, _ = reference
    our_seconds, our_code, printed, our_errors = ours
    if our_code != 0:
        verdict = last_line(our_errors)
    else:
        verdict = difference(expected, printed) or ("yes" if NUMBER.search(expected) else "runs, prints no numbers")
    name = " ".join([program.path, *program.arguments]).replace("|", "/")
    figures = f"{seconds:.2f} | {our_seconds:.2f} | {seconds / our_seconds:.1f}"
    place = f"{program.repository} | {commit(checkouts, program.repository)}"
    return f"| {name} | {place} | {verdict.replace('|', '/')} | {figures} |", verdict == "yes"


def main():
    checkouts, words = Path(sys.argv[1]), sys.argv[2:]
    lines = [line for line in (HERE / "programs.txt").read_text().splitlines() if line and line[0] != "#"]
    programs = [Program(line) for line in lines if not words or any(word in line for word in words)]
    print(HEAD)
    good = 0
    for program in programs:
        reference = program.run(checkouts)
        if reference[1] != 0:
            print(f"{program.path}: does not run under PyTorch: {last_line(reference[3])}", file=sys.stderr)
            continue
        line, same = row(checkouts, program, reference, program.run(checkouts, "-m", "fastgrad"))
        good += same
        print(line, flush=True)
    print(f"\n{good} of {len(programs)} the same")


if __name__ == "__main__":
    main()
