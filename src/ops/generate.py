"""Derives from the table of operations what would otherwise be written by hand: kernels, rows, entries, gradients, stubs.

    python src/ops/generate.py OUT_DIR          write the generated files
    python src/ops/generate.py --explain NAME   show all that a row becomes

Output files: kernel_numbers.pxi (engine, operations and kernels), levels/kernels.pxi (kernels for every CPU level), once/kernels.pxi
(those that are compiled once), rows.pxi (operations), _ops.pyi (stub).
Every generated piece carries the file and line of its row.
"""
import ast
import os
import re
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import row as table_row
import table  # noqa: F401  (fills ROWS and KERNELS)
from expressions import REAL_PART, ScalarCode, names_in, tensor_code
from row import CUTS, DTYPES, REQUIRED, Kernel

LAUNCH = os.path.join(os.path.dirname(__file__), "..", "..", "fastgrad", "launch.pxd")
CODES = ("b8", "u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64", "c64", "c128")     # in the order of Dtype
WIDTH = {"b8": "u8", "u8": "u8", "i8": "u8", "i16": "u16", "i32": "u32", "i64": "u64", "f16": "u16", "bf16": "u16",
         "f32": "u32", "f64": "u64", "c64": "u64", "c128": "c128"}
STORED = {"f16": "u16", "bf16": "u16"}           # how a half float looks to C
BYTES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "b8": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "f32": 4, "f64": 8, "c64": 8, "c128": 16}


# ---- kernels ------------------------------------------------------------------------------------------------------

def row_kernels(row):
    """The kernels an elementwise row needs: the forward, and one for each gradient that is more than `grad`."""
    out = "b8" if row.rule == "PREDICATE" else "T"
    attrs = tuple(p.name for p in row.attrs if p.kind in ("float", "number"))
    operands = tuple("b8" if i in row.bools else "T" for i in row.inputs)
    more = DTYPES["complex"] if row.complex else ()
    differentiable = DTYPES["complex"] if row.dtypes == "complex" else DTYPES["float"] + more
    kernels = [Kernel(row.name, DTYPES[row.dtypes] + more, operands, out, row.forward, tuple(row.inputs), attrs, row.by_dtype,
                      where=row.where)]
    for i, (name, formula) in enumerate(row.grads.items()):
        if formula is None or formula == "grad":
            continue
        used = gradient_operands(row, formula)
        saved = tuple(u for u in used if u != "grad" and u not in row.bools) if row.conjugate else ()
        kernels.append(Kernel(f"{row.name}_backward_{i}", differentiable,
                              tuple("b8" if u in row.bools else "T" for u in used), "T", formula, tuple(used), attrs,
                              where=row.where, conjugated=saved))
    return kernels


def gradient_operands(row, formula):
    """What a fused gradient reads, in the order the engine passes it: grad, inputs, result."""
    used = names_in(formula)
    return [n for n in ["grad", *row.inputs, "result"] if n in used]


def all_kernels():
    """Every kernel in the order of its number; casts come first, because the engine counts on it."""
    kernels = [Kernel(f"cast_{c}", DTYPES["width"], where="casts") for c in CODES]
    kernels += table_row.KERNELS
    for row in table_row.ROWS:
        if row.kind == "elementwise":
            kernels += row_kernels(row)
    return kernels


def fingerprint(kernels):
    """What the engine and the kernels must agree on: which kernel has which number, and what a Launch is.  Never 0."""
    names = ",".join(k.name for k in kernels)
    return zlib.crc32((names + open(LAUNCH).read()).encode()) >> 1 | 1


def kernel_numbers(kernels):
    lines = ["# generated from the table of operations", "cdef enum:", "    K_CAST = 0      # + dtype of the source"]
    lines += [f"    K_{k.name.upper()} = {i}" for i, k in enumerate(kernels) if not k.name.startswith("cast_")]
    lines += [f"    KERNELS = {len(kernels)}", f"    KERNELS_FINGERPRINT = {fingerprint(kernels)}"]
    return "\n".join(lines) + "\n"


def cast_kernel(source, target):
    """out = source's elements in target's dtype, by way of float where one of them is a half."""
    s, t = STORED.get(source, source), STORED.get(target, target)
    load = {"f16": "half_to_f32(a[i])", "bf16": "bfloat16_to_f32(a[i])"}.get(source, "a[i]")
    if source in REAL_PART and target not in REAL_PART and target != "b8":
        load = "a[i].real"
    if source == target:
        value = "a[i]"
    elif target == "b8":
        value = f"{load} != 0"
    elif target in STORED:
        value = f"{'f32_to_half' if target == 'f16' else 'f32_to_bfloat16'}(<f32>{load})"
    elif source in ("f32", "f64", "f16", "bf16", "c64", "c128") and target in ("u8", "i8", "i16"):
        value = f"<{t}><i32>{load}"           # through int, as C and PyTorch have it: negative to unsigned wraps
    else:
        value = f"<{t}>{load}"
    plane = f"copy_plane(l, p, {BYTES[t]})" if source == target else ""
    return flat_kernel(f"k_cast_{source}_{target}", t, [("a", s)], value, "casts", [], plane)


def flat_kernel(name, out, operands, value, where, attrs, plane=""):
    """A loop over contiguous operands, and the kernel that brings any strides to it; `plane`: how, with two core dimensions."""
    widths = [BYTES[out]] + [BYTES[t] for _, t in operands]
    shape = f"{len(widths)}, {sum(w << 5 * i for i, w in enumerate(widths)):#x}"
    plane = plane or f"loop_plane(l, p, {name}_flat, {shape}, scratch)"
    lines = [f"cdef void {name}_flat(char** q, i64 length, const Launch* l) noexcept nogil:      # {where}",
             "    cdef i64 i", f"    cdef {out}_out o = <{out}_out>q[0]"]
    lines += [f"    cdef const {t}* {n} = <const {t}*>q[{i + 1}]" for i, (n, t) in enumerate(operands)]
    lines += attrs
    lanes = lanes_form(value) if {out, *(t for _, t in operands)} == {"f32"} else ""
    names = [n for n, _ in operands] + [line.split()[2] for line in attrs]
    if lanes:
        lines = [f"cdef inline f32_lanes {name}_lanes({', '.join(f'f32_lanes {n}' for n in names)}) noexcept nogil:", f"    return {lanes}", "",
                 *lines, *lanes_loop(f"{name}_lanes", operands, names[len(operands):])]
    lines += inner_loop(value) + [
              "", f"cdef void {name}(const Launch* l, char** p, void* scratch) noexcept nogil:",
              "    if l.core == 2:", f"        {plane}", "    else:",
              f"        loop(l, p, {name}_flat, {shape}, {is_light(value)})", ""]
    return lines


# what takes an instruction or two for a vector of elements
LIGHT = {"vminimum", "vmaximum", "vclamp", "vfmin", "vfmax", "vabs", "vsqrt", "vfma", "vsquare", "vsign", "vfloor", "vceil", "vtrunc", "vrint",
         "vreal", "half_to_f32", "f32_to_half", "bfloat16_to_f32", "f32_to_bfloat16"}


def calls_in(value):
    """The names of the functions that a piece of Cython calls."""
    tree = ast.parse(re.sub(r"<\w+>", "", value), mode="eval")
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}


def is_light(value):
    """Whether its memory takes longer than its arithmetic."""
    return calls_in(value) <= LIGHT


# functions that kernels/vmath_lanes.h has on whole vectors
LANES = {"vsigmoid", "vtanh", "vnormal_cdf", "vnormal_density"}


def lanes_form(value):
    """The expression of an element as one of vectors; "" if it is more than arithmetic and functions in LANES, or has none of them."""
    plain = ast.parse(re.sub(r"<\w+>", "", value), mode="eval")
    simple = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.USub, ast.Call, ast.Subscript, ast.Name, ast.Constant, ast.Load)
    if not calls_in(value) or not calls_in(value) <= LANES or not all(isinstance(node, simple) for node in ast.walk(plain)):
        return ""
    return re.sub(r"\b(v\w+)\(", r"\1_lanes(", re.sub(r"^<f32>|\[i\]", "", value))


def lanes_loop(function, operands, attrs):
    """The loop over whole vectors, and what is left over."""
    whole, rest = (", ".join([f"{load}({n} + i{more})" for n, _ in operands] + [f"splat_lanes({a})" for a in attrs])
                   for load, more in (("load_lanes", ""), ("load_some_lanes", ", length - i")))
    return ["    if LANES_F32:", "        i = 0", "        while i + LANES_F32 <= length:",
            f"            store_lanes(o + i, {function}({whole}))", "            i += LANES_F32",
            "        if i < length:", f"            store_some_lanes(o + i, length - i, {function}({rest}))", "        return"]


# functions whose rare huge arguments need a call, which would keep a loop from vectorizing: (is any argument huge?, core form)
GUARDED = {"vsin": ("vtrig_huge", "vsin_core"), "vcos": ("vtrig_huge", "vcos_core"), "vtan": ("vtrig_huge", "vtan_core"),
           "vfmod": ("vfmod_huge", "vfmod_core")}


def inner_loop(value):
    """The loop itself; with guarded functions, two: one for blocks without huge arguments, and one that is always right."""
    calls = guarded_calls(value)
    if not calls:
        return ["    for i in range(length):", f"        o[i] = {value}"]
    core = value
    for name in {name for name, _ in calls}:
        core = core.replace(f"{name}(", f"{GUARDED[name][1]}(")
    tests = dict.fromkeys(f"{GUARDED[name][0]}({arguments})" for name, arguments in calls)
    return ["    cdef bint huge = False", "    for i in range(length):", f"        huge |= {' | '.join(tests)}",
            "    if huge:", "        for i in range(length):", f"            o[i] = {value}",
            "    else:", "        for i in range(length):", f"            o[i] = {core}"]


def guarded_calls(value):
    """(function, its arguments as text) of each guarded call in a piece of Cython."""
    calls = []
    for name in GUARDED:
        start = value.find(f"{name}(")
        while start >= 0:
            depth, end = 0, start + len(name)
            while True:
                depth += {"(": 1, ")": -1}.get(value[end], 0)
                end += 1
                if depth == 0:
                    break
            calls.append((name, value[start + len(name) + 1:end - 1]))
            start = value.find(f"{name}(", end)
    return calls


def expression_kernel(k, dtype):
    out = dtype if k.out == "T" else REAL_PART[dtype] if k.out == "R" else k.out
    types = [dtype if t == "T" else t for t in k.operands]
    expression = k.by_dtype.get(dtype, k.expression)
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in k.names:
            node.id = f"zconj({node.id}[i])" if dtype in REAL_PART and node.id in k.conjugated else f"{node.id}[i]"
    value = ast.unparse(ast.fix_missing_locations(ScalarCode(dtype).visit(tree)))
    attrs = [f"    cdef {dtype} {a} = <{dtype}>l.attr[{i}].f" for i, a in enumerate(k.attrs) if a in names_in(expression)]
    operands = [(n, t) for n, t in zip(k.names, types)]
    cast = "" if out == "b8" else f"<{out}>"
    return flat_kernel(f"k_{k.name}_{dtype}", out, operands, f"{cast}({value})", k.where, attrs)


def written_kernel(k, dtype):
    """The wrapper that casts operand pointers and picks the dtype of a hand-written kernel."""
    t = WIDTH[dtype] if k.dtypes == DTYPES["width"] else "u8" if dtype == "b8" else dtype
    types = [t if x == "T" else REAL_PART[t] if x == "R" else x for x in (k.out, *k.operands)]
    pointers = ", ".join(f"<{x}*>p[{i}]" for i, x in enumerate(types))
    index = f"[{t}]" if "T" in (k.out, *k.operands) else ""
    return [f"cdef void k_{k.name}_{dtype}(const Launch* l, char** p, void* scratch) noexcept nogil:      # {k.where}",
            f"    {k.function}{index}({pointers}, l, scratch)", ""]


def compiled_once(k, dtype):
    """Whether a kernel is not made for every CPU level: it is rare, complex, or arithmetic of small signed integers."""
    if k.name.startswith("cast_"):
        return dtype in REAL_PART or k.name[5:] in REAL_PART
    return k.once or dtype in REAL_PART or (dtype in ("i8", "i16") and k.dtypes != DTYPES["width"])


def kernels_source(kernels, once):
    lines = ["# generated from the table of operations: the loops of elementwise rows, wrappers of hand-written kernels, the table", ""]
    if once:
        lines += ['include "kernels/vmath_complex.pxi"', ""]
    fill = []
    for number, k in enumerate(kernels):
        fill.append(f"    cuts[{number}] = {CUTS[k.cut]}")
        for code, dtype in enumerate(CODES):
            if dtype not in k.dtypes or compiled_once(k, dtype) != once:
                continue
            if k.name.startswith("cast_") and k.where == "casts":
                source = k.name[5:]
                lines += cast_kernel(source, dtype)
                name = f"k_cast_{source}_{dtype}"
            else:
                lines += expression_kernel(k, dtype) if k.expression else written_kernel(k, dtype)
                name = f"k_{k.name}_{dtype}"
            fill.append(f"    entries[{number * len(CODES) + code}] = {name}")
    lines += [f"cdef Kernel entries[{len(kernels) * len(CODES)}]", f"cdef uint8_t cuts[{len(kernels)}]", "", "cdef enum:", f"    KERNELS_FINGERPRINT = {fingerprint(kernels)}", "",
              "cdef void fill_table() noexcept:", *fill, ""]
    return "\n".join(lines)


# ---- rows ---------------------------------------------------------------------------------------------------------

def saved_layout(row):
    """The names a structured row saves, in order: whatever its formulas read."""
    names = []
    for formula in row.grads.values():
        if formula:
            names += [n for n in names_in(formula) if n != "grad" and n not in names]
    known = set(row.inputs) | {p.name for p in row.parameters} | set(row.outputs) | {f"{p.name}_shape" for p in row.parameters}
    return [n for n in names if n in known]


CONVERT = {      # kind of parameter -> how its entry reads it from the argument pointer
    "tensor": "tensor_argument(this, {a}, {i})", "operand": "operand_argument(this, {a}, {i})", "any": "<object>{a}",
    "int": "int_argument(this, {a}, {i})", "bool": "bool_argument(this, {a}, {i})", "float": "float_argument(this, {a}, {i})",
    "number": "<object>{a}", "dim": "int_argument(this, {a}, {i})", "dims": "<object>{a}", "shape": "<object>{a}",
    "dtype": "<object>{a}", "tensors": "<object>{a}", "str": "<object>{a}",
}


def argument(p, i):
    """Cython that reads parameter i, with its default."""
    value = CONVERT[p.kind].format(a=f"a[{i}]", i=i)
    if p.default is REQUIRED:
        return value
    if p.default is None and p.kind in ("tensor", "int", "dim", "float"):
        return f"(None if a[{i}] == NULL or <object>a[{i}] is None else {value})"
    return f"({p.default!r} if a[{i}] == NULL else {value})"


def entry_name(row):
    if row.entry:
        return row.entry
    if row.kind == "elementwise" and not row.check and all(p.kind == "operand" for p in row.parameters):
        return "elementwise"
    return f"entry_{row.name}"


def elementwise_entry(row):
    """Only rows with numbers, options, tensors or a check need one: it fills in defaults, reads `inplace`, and refuses."""
    n = len(row.inputs)
    refuse = [f"    tensor_argument(this, a[{i}], {i})" for i, p in enumerate(row.parameters) if p.kind == "tensor"]
    refuse += [f"    {row.check}(this, a)"] if row.check else []
    lines = []
    position = {p.name: i for i, p in enumerate(row.parameters)}
    for suffix, target in (("", "elementwise"), ("_inplace", "inplace_elementwise")) if row.inplace else (("", "elementwise"),):
        lines.append(f"cdef object entry_{row.name}{suffix}(const Row* this, PyObject** a):      # {row.where}")
        if len(row.parameters) == n:
            lines += [*refuse, f"    return {target}(this, a)", ""]
            continue
        lines += [f"    cdef PyObject* x[{n + len(row.attrs)}]", *refuse]
        lines += [f"    x[{i}] = a[{i}]" for i in range(n)]
        for i, p in enumerate(row.attrs):
            lines.append(f"    cdef object {p.name} = {argument(p, position[p.name])}")
            lines.append(f"    x[{n + i}] = <PyObject*>{p.name}")
        if "inplace" in position:
            lines += [f"    if a[{position['inplace']}] != NULL and <object>a[{position['inplace']}]:",
                      "        return inplace_elementwise(this, x)"]
        lines += [f"    return {target}(this, x)", ""]
    return lines


def structured_entry(row):
    """Arguments to C, the rule, and the node with what the formulas read."""
    lines = [f"cdef object entry_{row.name}(const Row* this, PyObject** a):      # {row.where}"]
    for i, p in enumerate(row.parameters):
        lines.append(f"    cdef object {p.name} = {argument(p, i)}")
    if row.unless:
        lines += [f"    cdef object other_result = {row.unless}", "    if other_result is not None:", "        return other_result"]
    lines.append(f"    cdef object out = {row.forward}({', '.join(p.name for p in row.parameters)})")
    inputs = [i for i in row.inputs if row.grads.get(i)]
    if row.kind == "composite" or not inputs:
        return lines + ["    return out", ""]
    first = "out" if len(row.outputs) == 1 else "out[0]"
    lines += [f"    cdef uint32_t need = {' | '.join(f'(wants({name}) << {row.inputs.index(name)})' for name in inputs)}",
              f"    if need == 0 or not is_floating((<Tensor>{first}).a.dtype):", "        return out"]
    lines += node_lines(row, inputs)
    return lines + [f"    set_node(<Tensor>{first}, node, 0)", "    return out", ""]


def structured_inplace_entry(row):
    """The function that row.inplace names writes over the first input; the node is that of the operation."""
    lines = [f"cdef object entry_{row.name}_inplace(const Row* this, PyObject** a):      # {row.where}"]
    for i, p in enumerate(row.parameters):
        lines.append(f"    cdef object {p.name} = {argument(p, i)}")
    first = row.parameters[0].name
    inputs = [i for i in row.inputs if row.grads.get(i)]
    need = " | ".join(f"(wants({name}) << {row.inputs.index(name)})" for name in inputs) or "0"
    lines += [f"    cdef object out = {first}", f"    cdef uint32_t need = {need} if is_floating((<Tensor>out).a.dtype) else 0",
              f"    {'check_history' if row.expanded else 'check_inplace'}(<Tensor>out, need != 0)"]
    if row.overlap != "FREE":
        lines += [f"    refuse_overlap(<Tensor>out, <PyObject*>{p.name}, this.overlap)" for p in row.parameters[1:]
                  if p.kind in ("tensor", "operand")]
    if any(first in names_in(f) for f in row.grads.values() if f):
        lines += ["    if need:", f"        {first} = value_before(<Tensor>out)"]
    lines += [f"    {row.inplace}({', '.join(['<Tensor>out'] + [p.name for p in row.parameters[1:]])})", "    bump(<Tensor>out)"]
    if not inputs:
        return lines + ["    return out", ""]
    lines += ["    if need == 0:", "        return out"]
    return lines + node_lines(row, inputs) + ["    rebase_written(<Tensor>out, node)", "    return out", ""]


def node_lines(row, inputs):
    """Make the node: edges to the inputs in `need`, and what their formulas read."""
    saved = saved_layout(row)
    if len(saved) > 6:
        raise ValueError(f"{row.where}: {row.name} saves {saved}, more than MAX_SAVED")
    node = node_name(row)
    if row.number_form:
        form = f"this if this.number_form == NULL or is_tensor(<PyObject*>{row.number_form}) else this.number_form"
    else:
        form = f'this if {row.second_form} is None else form_of(this, b"{node[:-1]}1", NULL)' if row.second_form else row.form or "this"
    lines = [f"    cdef Node node = new_node({form}, {len(row.inputs)}, 1)"]
    for name in inputs:
        i = row.inputs.index(name)
        lines += [f"    if need >> {i} & 1:", f"        set_edge(node, {i}, <Tensor>{name})"]
    lines.append(f"    node.nsaved = {len(saved)}")
    for k, name in enumerate(saved):
        readers = [row.inputs.index(i) for i in inputs if name in names_in(row.grads[i])]
        mask = sum(1 << r for r in readers)
        value = f"shape_tuple(&(<Tensor>{name[:-6]}).a)" if name.endswith("_shape") else name
        if name in row.outputs:
            place = "out" if len(row.outputs) == 1 else f"out[{row.outputs.index(name)}]"
            call = f"save_result(node, {k}, <Tensor>{place})"
        else:
            call = f"save_value(node, {k}, {value})"
        lines += [f"    if need & {mask}:", f"        {call}"]
    return lines


def structured_backward(row, operations):
    saved = saved_layout(row)
    lines = [f"cdef int {row.name}_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:"
             f"      # {row.where}",
             "    check_saved(node)", "    cdef object grad = <object>grads[0]"]
    for k, name in enumerate(saved):
        graph = "create_graph" if name == row.outputs[0] else "False"      # other outputs are not differentiable
        get = f"unpack_result(node, {k}, {graph})" if name in row.outputs else f"saved_value(node, {k})"
        lines.append(f"    cdef object {name} = {get}")
    tensors = [n for n in saved if n in row.inputs or n in row.outputs]
    if tensors and row.conjugate:
        lines += ["    if is_complex((<Tensor>grad).a.dtype):", *[f"        {n} = conjugated({n})" for n in tensors]]
    for name, formula in row.grads.items():
        if formula:
            i = row.inputs.index(name)
            lines += [f"    if node.edge[{i}] != NULL:", f"        give(out, {i}, {tensor_code(formula, operations)})"]
    return lines + ["    return 0", ""]


def elementwise_formulas(row, operations):
    """The differentiable form of each gradient that is more than `grad`."""
    lines = []
    n = len(row.inputs)
    place = {name: i for i, name in enumerate(row.inputs)} | {"result": n}
    place |= {p.name: n + 1 + i for i, p in enumerate(row.attrs)}
    for i, (name, formula) in enumerate(row.grads.items()):
        if formula is None or formula == "grad":
            continue
        lines.append(f"cdef object {row.name}_formula_{i}(object grad, PyObject** saved):      # {row.where}")
        conjugate = row.conjugate and (row.complex or row.dtypes == "complex")
        for u in (u for u in names_in(formula) if u != "grad"):
            value = f"<object>saved[{place[u]}]"
            lines.append(f"    cdef object {u} = {f'conjugated({value})' if conjugate and u not in row.bools else value}")
        if n > 1:       # one of several operands may be a number
            lines += [f"    {u} = as_operand({u}, <Tensor>grad)" for u in row.inputs if u in arguments_of_calls(formula)]
        lines += [f"    return {tensor_code(formula, operations, elementwise=True)}", ""]
    return lines


def arguments_of_calls(formula):
    return {a.id for call in ast.walk(ast.parse(formula, mode="eval")) if isinstance(call, ast.Call)
            for a in call.args if isinstance(a, ast.Name)}


def uses_mask(row, formula):
    used = names_in(formula)
    mask = sum(1 << i for i, name in enumerate(row.inputs) if name in used)
    return mask | (0x40 if "grad" in used else 0) | (0x80 if "result" in used else 0)


def node_name(row):
    node = row.node or "".join(part.capitalize() for part in row.name.split("_") if part)
    return node if "Backward" in node or "::" in node else node + ("Backward1" if row.number_form else "Backward0")


def bytes_literal(numbers):
    return 'b"' + "".join(f"\\{i:o}" for i in numbers) + '"'


def row_setup(number, row):
    """Statements that fill in one Row."""
    r = f"rows[{number}]"
    lines = [f"    {r}.name = b\"{row.name}\"", f"    {r}.node_name = b\"{node_name(row)}\"",
             f"    {r}.ninputs = {len(row.inputs)}", f"    {r}.overlap = OVERLAP_{row.overlap}",
             f"    {r}.out, {r}.expanded = OUT_{row.out}, {row.expanded}"]
    if row.shown and any(row.grads.values()):
        lines.append(f"    {r}.shown = {bytes_literal(row.shown)}")
    if row.kind == "elementwise":
        lines += [f"    {r}.kernel = K_{row.name.upper()}", f"    {r}.rule = {row.rule}", f"    {r}.numbers = {row.numbers}",
                  f"    {r}.nattrs = {len(row.attrs)}",
                  f"    {r}.bools = {sum(1 << i for i, name in enumerate(row.inputs) if name in row.bools)}"]
        for i, formula in enumerate(row.grads.values()):
            number_of = "NO_GRADIENT" if formula is None else "PASS_GRADIENT" if formula == "grad" else \
                f"K_{row.name.upper()}_BACKWARD_{i}"
            lines.append(f"    {r}.grad_kernel[{i}] = {number_of}")
            if formula and formula != "grad":
                lines += [f"    {r}.uses[{i}] = {uses_mask(row, formula):#x}", f"    {r}.formula[{i}] = {row.name}_formula_{i}"]
        differentiable = any(row.grads.values())
        if differentiable or row.backward:
            lines.append(f"    {r}.backward = {row.backward or 'elementwise_backward'}")
    elif row.backward or any(row.grads.values()):
        lines.append(f"    {r}.backward = {row.backward or row.name + '_backward'}")
    if row.number_form:
        order = bytes_literal(row.edge_order(without=row.number_form))
        lines.append(f'    {r}.number_form = form_of(&{r}, b"{node_name(row)[:-1]}0", {order})')
    return lines


def positional(row):
    return sum(not p.keyword_only for p in row.parameters)


def row_definition(number, row):
    """The call that makes the Operation and puts it where users find it."""
    names = [p.name for p in row.parameters]
    required = sum(p.default is REQUIRED for p in row.parameters)
    variadic = next((i for i, p in enumerate(row.parameters) if p.kind in ("shape", "dims*")), -1)
    places = "FUNCTIONAL" if row.function == "functional" else "FUNCTION" if row.function else "0"
    if row.method:
        places += " | METHOD"
    lines = []
    entry = entry_name(row)
    for name in (row.name, *row.aliases):
        lines.append(f"    define(&rows[{number}], {entry}, {name!r}, {names!r}, {positional(row)}, {required}, {variadic}, "
                     f"{places}, {row.doc!r})")
    lines.insert(1, f"    op_{row.name} = latest")
    if row.operator:
        lines.append(f"    register_operator({row.operator!r}, &rows[{number}], {entry}, False)")
    if row.inplace:
        # PyTorch has the in-place forms of functions of one tensor at the top level too
        places = "FUNCTION | METHOD" if row.kind == "elementwise" and len(row.inputs) == 1 and row.function is True else "METHOD"
        entry = f"inplace_{row.entry}" if row.entry else row.inplace if row.kind == "elementwise" and row.inplace is not True else \
            "inplace_elementwise" if entry == "elementwise" else f"entry_{row.name}_inplace"
        for name in (row.name, *row.aliases):
            lines.append(f"    define(&rows[{number}], {entry}, {name + '_'!r}, {names!r}, {positional(row)}, {required}, "
                         f"{variadic}, {places}, 'In-place version of {name}.')")
        if row.operator and row.operator not in ("<", "<=", "==", "!=", ">", ">=", "neg", "~", "abs"):
            lines.append(f"    register_operator({row.operator!r}, &rows[{number}], {entry}, True)")
    return lines


def rows_source():
    rows = table_row.ROWS
    operations = {r.name for r in rows}
    lines = ["# generated from the table of operations: rows, entries, gradients", "", f"cdef Row rows[{len(rows)}]",
             "memset(rows, 0, sizeof(rows))", ""]
    lines += [f"cdef Operation op_{r.name}" for r in rows] + [""]
    for r in rows:
        if r.kind == "elementwise":
            if entry_name(r) == f"entry_{r.name}":
                lines += elementwise_entry(r)
            lines += elementwise_formulas(r, operations)
        else:
            if not r.entry:
                lines += structured_entry(r)
                if r.inplace:
                    lines += structured_inplace_entry(r)
            if any(r.grads.values()) and not r.backward and r.kind == "structured":
                lines += structured_backward(r, operations)
    for number, r in enumerate(rows):
        lines += [f"cdef int set_up_{r.name}() except -1:      # {r.where}", f"    global op_{r.name}",
                  *row_setup(number, r), *row_definition(number, r), "    return 0", "", f"set_up_{r.name}()"]
    return "\n".join(lines) + "\n"


# ---- the stub and the command line ----------------------------------------------------------------------------------

ANNOTATION = {"tensor": "Tensor", "operand": "Tensor | float", "tensors": "list[Tensor]", "dim": "int", "dims": "int | tuple[int, ...]",
              "shape": "int | tuple[int, ...]", "dtype": "object", "number": "float"}


def in_stub(row):
    return row.function and not row.name.startswith("_")


def stub(row):
    parts, starred = [], False
    for p in row.parameters:
        if p.keyword_only and not starred:
            parts.append("*")
            starred = True
        default = "" if p.default is REQUIRED else f" = {p.default!r}"
        optional = " | None" if p.default is None else ""
        parts.append(f"{p.name}: {ANNOTATION.get(p.kind, p.kind if p.kind != 'any' else 'object')}{optional}{default}")
    return [f"def {row.name}({', '.join(parts)}) -> Tensor:", f"    {row.doc!r}", ""]


def stub_source():
    lines = ["# generated from the table of operations", "from fastgrad._engine import Tensor", ""]
    for row in table_row.ROWS:
        if in_stub(row):
            lines += stub(row)
    return "\n".join(lines)


def explain(name):
    row = next((r for r in table_row.ROWS if r.name == name), None)
    if row is None:
        sys.exit(f"generate.py: no row of that name in src/ops/table: {name} (operations made in Python are in fastgrad/composites)")
    print(f"# {row.where}: {row.kind} {row.name}({', '.join(p.name for p in row.parameters)})\n# {row.doc}")
    operations = {r.name for r in table_row.ROWS}
    if row.kind == "elementwise":
        for k in row_kernels(row):
            shown = "f32" if "f32" in k.dtypes else k.dtypes[-1]
            print(f"# kernels for {', '.join(k.dtypes)}; that for {shown}:", *expression_kernel(k, shown), sep="\n")
        print("\n".join(elementwise_formulas(row, operations)))
    else:
        print("\n".join(structured_entry(row) + (structured_backward(row, operations) if any(row.grads.values()) else [])))
    print("\n".join(row_setup(0, row) + row_definition(0, row)))
    if in_stub(row):
        print("\n# the stub:", *stub(row), sep="\n")


def write_if_changed(path, text):
    """Leave an unchanged file alone, so that nothing is compiled again for it."""
    if not os.path.exists(path) or open(path).read() != text:
        with open(path, "w") as f:
            f.write(text)


def main(out):
    os.makedirs(out, exist_ok=True)
    kernels = all_kernels()
    write_if_changed(f"{out}/kernel_numbers.pxi", kernel_numbers(kernels))
    for folder in ("levels", "once"):
        os.makedirs(f"{out}/{folder}", exist_ok=True)
        write_if_changed(f"{out}/{folder}/kernels.pxi", kernels_source(kernels, folder == "once"))
    write_if_changed(f"{out}/rows.pxi", rows_source())
    write_if_changed(f"{out}/_ops.pyi", stub_source())


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--explain":
        explain(sys.argv[2])
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        main(sys.argv[1])
    else:
        sys.exit(__doc__)
