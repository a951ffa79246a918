"""The code's own rules: imports point one way, files stay small, the core names no operation, no machine's path is in a file."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC, PACKAGE = ROOT / "src", ROOT / "fastgrad"
SUFFIXES = (".py", ".pyx", ".pxi", ".pxd", ".h", ".md", ".toml", ".txt")
SOURCES = sorted(p for folder in ("src", "fastgrad", "tests", "examples", "docs", "benchmarks") for p in (ROOT / folder).rglob("*")
                 if p.suffix in SUFFIXES and "__pycache__" not in p.parts and "build" not in p.parts)
CODE = [p for p in SOURCES if p.suffix in (".py", ".pyx", ".pxi", ".pxd", ".h")]
LIMITS = {"setup.py": 150, "src/ops/generate.py": 600}
LIMIT = 800


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*CODE, ROOT / "setup.py"], ids=name)
def test_size(path):
    lines = path.read_text().count("\n")
    assert lines <= LIMITS.get(name(path), LIMIT), f"{name(path)} has {lines} lines"


def stripped(text):
    """Cython text without comments and strings, in which names may be mentioned."""
    text = re.sub(r'("""|\'\'\')(?:.|\n)*?\1', "", text)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', '""', text)
    return re.sub(r"#.*", "", text)


LAYERS = {"kernels": {"kernels"}, "core": {"core"}, "ops": {"ops", "core", "kernels"}}


def included(path):
    return re.findall(r'^\s*include "(\w+)/[\w.]+"', path.read_text(), re.M)


def test_includes_point_one_way():
    assert set(included(SRC / "_engine.pyx")) == {"core"}
    assert set(included(SRC / "_ops.pyx")) == {"ops"}
    assert set(included(SRC / "kernels" / "_kernels.pyx")) <= {"kernels", "core"}  # core/half.pxi: the formats of half floats
    for layer in ("core", "kernels"):
        for path in (SRC / layer).glob("*.pxi"):
            assert not included(path), f"{name(path)} includes others: only the .pyx do"


@pytest.mark.parametrize("layer, forbidden", [
    ("kernels", r"\bcimport\b.*\b(_engine|_ops)\b|\bTensor\b|\bNode\b|\bPyObject\b"),
    ("core", r"\bfastgrad\._ops\b|\bop_[a-z]\w*\(|^\s*(from|import) (numpy|torch)\b")])
def test_a_layer_does_not_know_what_is_above(layer, forbidden):
    for path in [*(SRC / layer).glob("*.pxi"), *(SRC / layer).glob("*.pyx")]:
        found = re.findall(forbidden, stripped(path.read_text()), re.M)
        assert not found, f"{name(path)} knows {found}"


def table_rows():
    sys.path.insert(0, str(SRC / "ops"))
    try:
        import row
        import table  # noqa: F401
    finally:
        sys.path.remove(str(SRC / "ops"))
    return row.ROWS


# what the walk needs of the operations, by the names of the struct Operations, and words that are also operations
CORE_WORDS = {"add", "clone", "any", "sum", "div", "where", "range", "round", "abs", "max", "min", "copy", "type", "size", "set", "item",
              "numel", "pop", "empty", "append", "index", "index_of", "neg", "alias", "positive", "equal", "broadcast", "narrow",
              "expand", "view", "getitem", "unbind", "as_strided", "full", "real", "t", "take", "repeat", "sort", "fill", "data", "detach",
              "to", "cat", "stack", "tile", "mode", "float", "int", "bool", "tensor", "relu", "kernel", "cast", "contiguous", "square",
              "sub", "mul", "pow", "lt", "le", "eq", "ne", "gt", "ge", "flip", "all", "select", "dim", "step", "release", "swap", "std",
              "var", "mean", "sin", "half", "double", "long", "char", "short", "byte", "split", "unique", "fmod", "floor", "zero_", "zeros"}


def test_the_core_names_no_operation():
    """Nothing in src/core calls a row's function by its name, or launches its kernel but for adding, casting and filling."""
    rows = {r.name for r in table_rows()} - CORE_WORDS
    for path in (SRC / "core").glob("*.pxi"):
        text = stripped(path.read_text())
        assert not set(re.findall(r"\b([a-z]\w*)\(", text)) & {n for n in rows if len(n) > 3} - defined(text), name(path)
        assert set(re.findall(r"\bK_[A-Z]\w*", text)) <= {"K_ADD", "K_CAST"}, name(path)


def defined(text):
    return set(re.findall(r"\b(?:def|cdef|class)\b[^\n(:]*?(\w+)\(", text))


def test_the_table_is_complete():
    """Every row says of every tensor it takes what its gradient is, or that there is none."""
    rows = table_rows()
    assert len(rows) > 100
    for r in rows:
        assert r.doc.strip(), r.name
        if r.kind == "elementwise" and any(r.grads.values()):
            assert set(r.grads) >= {p.name for p in r.parameters if p.kind == "operand"}, f"{r.where}: {r.name}"


def python_imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, node.lineno


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name)
def test_no_import_of_torch(path):
    assert not [line for module, line in python_imports(path) if module.partition(".")[0] in ("torch", "torchvision")]


def test_optional_packages_are_imported_late():
    """At the top of a module of fastgrad stand the standard library, NumPy and fastgrad alone."""
    allowed = {*sys.stdlib_module_names, "numpy", "fastgrad"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else \
                [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            assert not [n for n in names if n.partition(".")[0] not in allowed], f"{name(path)}:{node.lineno}"


def test_no_path_of_a_machine():
    pattern = re.compile(r"/(?:root|home|Users)/\w|/work/\w|\b[A-Z]:\\\\Users")
    for path in SOURCES:
        if path != Path(__file__):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                assert not pattern.search(line), f"{name(path)}:{number}: {line.strip()}"


def test_what_a_file_is_for_stands_at_its_head():
    for path in CODE:
        text = path.read_text().lstrip()
        if text and path.name != "__init__.py":
            assert text[0] in "#\"'/" or text.startswith(("r\"", "#!")), f"{name(path)} has no header"
