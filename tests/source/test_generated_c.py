"""The C that Cython made: kernels and the loop around them know no Python, hot functions call no Python function."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "build" / "cython" / "src" / "_engine.c"
KERNELS = ROOT / "build" / "generated" / "_kernels.c"
# anything of the Python API: objects, references, errors, the GIL
ANY = re.compile(r"\b(?:Py[A-Z]\w*|__Pyx_\w+|_Py_\w+)\b")
# looking up or calling something by name, boxing numbers
CALLS = re.compile(r"\b(?:PyObject_Call\w*|PyObject_Vectorcall\w*|__Pyx_PyObject_\w*Call\w*|__Pyx_PyObject_GetAttr\w*|PyNumber_\w+|"
                   r"__Pyx_GetModuleGlobalName|__Pyx_GetBuiltinName|PyFloat_FromDouble|PyLong_From\w+|PyTuple_New|PyDict_\w+)\b")
HARMLESS = re.compile(r"__Pyx_(?:RefNannyDeclarations|RefNanny\w*|TraceCall\w*|div_\w+|mod_\w+|pow_\w+|zeros|memviewslice)")

needs_build = pytest.mark.skipif(not (ENGINE.exists() and KERNELS.exists()), reason="the C files of a build are not here")


def functions(path, pattern):
    """Name -> C text of the functions whose Cython name matches."""
    text = path.read_text()
    found = {}
    for match in re.finditer(r"^(?:static|CYTHON_INLINE|__attribute__)[^\n;=]*?\b(__pyx_f\w*?|__pyx_fuse_\w+?)\([^;{]*\) \{\n", text, re.M):
        if re.search(pattern, match[1]):
            found[match[1]] = re.sub(r"/\*.*?\*/", "", text[match.end() : text.index("\n}\n", match.end())], flags=re.S)
    return found


def is_error_path(line):
    return "__PYX_ERR" in line or "__Pyx_AddTraceback" in line or "__pyx_L1_error" in line


@needs_build
def test_kernels_know_no_python():
    found = functions(KERNELS, r"(_forward|_backward|__pyx_f\w*_k_\w+|kernels_\d*\w+)$")
    assert len(found) > 50
    for name, body in found.items():
        if "import" in name or "export" in name:
            continue
        known = {w for w in ANY.findall(body) if not HARMLESS.match(w)}
        assert not known, f"{name}: {sorted(known)}"


@needs_build
@pytest.mark.parametrize("name", ["drive", "work_of", "order_dims", "fill_loop", "same_shape", "set_contiguous", "promote"])
def test_loops_know_no_python(name):
    found = functions(ENGINE, rf"_engine_{name}$")
    assert found, name
    for body in found.values():
        assert not {w for w in ANY.findall(body) if not HARMLESS.match(w)}


@needs_build
@pytest.mark.parametrize("name", ["run", "empty_as", "new_node", "elementwise_node", "plain", "set_operand", "set_edge_to", "set_node", "follow_chain",
                                  "tensor_dealloc", "deliver", "run_and_deliver", "pop_ready", "push_ready", "lay_out", "add_into", "accumulate", "finish_vertex"])
def test_hot_functions_call_no_python(name):
    """Outside the lines that raise."""
    found = functions(ENGINE, rf"_engine_{name}$")
    assert found, name
    for body in found.values():
        raising = re.split(r"\n\s*__pyx_L1_error:", body)[0]
        blocks = [line for line in hot_lines(raising)]
        assert not [line for line in blocks if CALLS.search(line)], name


def hot_lines(body):
    """Lines of a function without the blocks that end in an error: those between a string format and a raise."""
    block = []
    for line in body.splitlines():
        block.append(line)
        if "__Pyx_Raise(" in line or line.startswith("}"):
            block = []
        elif re.match(r"\s*(goto|return)\b", line) or line.strip() == "":
            if not any(is_error_path(b) and CALLS.search(b) for b in block):
                yield from block
            block = []
    yield from (b for b in block if not is_error_path(b))


@needs_build
def test_the_check_can_fail():
    body, = functions(ENGINE, r"_engine_raise_changed$").values()
    assert CALLS.search(body) or ANY.search(body)
