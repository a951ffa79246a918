"""What a row of the table of operations can say.

A row is plain data.  Nothing here computes or generates; `generate.py` reads the rows, `table/` writes them.

Names in expressions and formulas: the row's parameters, `grad` (the incoming gradient), `result` (the row's own output; for
several outputs their names).  `input.shape` in a formula saves only the shape.
"""
import inspect
import sys
from dataclasses import dataclass, field

REQUIRED = inspect.Parameter.empty

# which dtypes a kernel is made for
DTYPES = {
    "float": ("f32", "f64"),
    "int": ("u8", "i8", "i16", "i32", "i64"),
    "number": ("u8", "i8", "i16", "i32", "i64", "f32", "f64"),
    "integral": ("b8", "u8", "i8", "i16", "i32", "i64"),
    "all": ("b8", "u8", "i8", "i16", "i32", "i64", "f32", "f64"),
    "bool": ("b8",),
    "sums": ("i64", "f32", "f64"),
    "index": ("i64",),
    "complex": ("c64", "c128"),
    "width": ("b8", "u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64", "c64", "c128"),   # items that are only moved
}


@dataclass
class Parameter:
    name: str
    kind: str               # tensor, operand (tensor or number), tensors, float, number, int, bool, dim, dims, shape, dtype, ...;
                            # option: read by the row's own entry alone (`inplace`: by the derived one)
    default: object = REQUIRED
    keyword_only: bool = False


@dataclass
class Kernel:
    """One entry of the kernel table: a hand-written kernel, or one generated from a scalar expression."""
    name: str
    dtypes: tuple
    operands: tuple = ()    # C types after the output; T stands for the loop's dtype
    out: str = "T"          # as operands; R: the dtype of the loop's real part
    expression: str = ""    # generated kernels only
    names: tuple = ()       # of the operands, in the expression
    attrs: tuple = ()
    by_dtype: dict = field(default_factory=dict)    # dtype -> another expression
    function: str = ""      # hand-written kernels only
    cut: str = "first"
    where: str = ""
    once: bool = False      # compiled for the least CPU level alone: it is rare, or has nothing to gain
    conjugated: tuple = ()  # of `names`: see Note [Complex gradients] in docs/internals/table.md


# where a launch may be cut among threads (the flags of launch.pxd); no cut may change a bit of the result
CUTS = {
    "first": "CUT_OUTER | CUT_FIRST",    # along the first core dimension too, anywhere: its elements do not know of each other
    "channels": "CUT_OUTER | CUT_FIRST | CUT_SECOND",      # images, and channels of a few images
    "tiles": "CUT_OUTER | CUT_TILES",    # matrix products
    "outer": "CUT_OUTER",                # outside the core alone
    "alone": "0",                        # nowhere: it goes through its elements in order, or writes where others write
}


@dataclass
class Row:
    name: str
    parameters: list
    doc: str
    kind: str                                       # elementwise, structured, composite
    grads: dict = field(default_factory=dict)       # input -> formula, None for not differentiable
    forward: str = ""                               # elementwise: scalar expression; otherwise the rule's name
    rule: str = "SAME"                              # elementwise: dtype rule
    dtypes: str = "float"
    complex: bool = False                           # elementwise: complex dtypes too, by the same expression and formulas
    conjugate: bool = True                          # formulas read what they saved conjugated: see Note [Complex gradients]
    by_dtype: dict = field(default_factory=dict)    # dtype, or a group of DTYPES -> another expression
    bools: tuple = ()                               # inputs that are read as bool
    outputs: tuple = ("result",)
    operator: str = ""
    inplace: object = False                         # structured: name of the function that writes over the first input
                                                    # elementwise: whether there is the form; or the name of its entry
    overlap: str = "FREE"                           # what a written operand may share with one that is read: Row.overlap in the engine
    expanded: bool = False                          # out=, and the in-place form of a structured row, may be an expanded tensor
    out: str = "CAST"                               # which dtype out= may have, or that there is none: Row.out in the engine
    function: object = True                         # "functional": in nn.functional alone, where PyTorch has it
    method: bool = True
    entry: str = ""                                 # a hand-written entry instead of the derived one
    check: str = ""                                 # elementwise: what refuses arguments beyond dtype and shape, check(row, arguments)
    numbers: bool = False                           # elementwise: a call without any tensor has a result
    backward: str = ""                              # a hand-written backward instead of formulas
    node: str = ""                                  # what grad_fn.name() says, less Backward0
    second_form: str = ""                           # a parameter that, where it is given, makes that name end in 1
    number_form: str = ""                           # the input that, where it is a number, makes that name end in 0 (for a tensor: 1) and
                                                    # has no edge to show
    form: str = ""                                  # structured: an expression for the row, or the form of it, that the node refers to
    edges: str = ""                                 # inputs in the order of next_functions; otherwise: those that have a formula, in theirs
    unless: str = ""                                # structured: an expression tried first; what it gives, if not None, is the result
    domain: object = None                           # where tests draw inputs from: (low, high), or one a parameter
    samples: str = ""                               # structured: name of the function in tests that makes inputs
    aliases: tuple = ()
    where: str = ""                                 # file:line of the row

    @property
    def inputs(self):
        return [p.name for p in self.parameters if p.kind in ("tensor", "operand")]

    @property
    def shown(self):
        """The edges that next_functions shows, counted from 1; empty: all of them as they are."""
        order = self.edge_order()
        return [] if order == list(range(1, len(self.inputs) + 1)) else order

    def edge_order(self, without=""):
        names = self.edges.split() or [i for i in self.inputs if self.grads.get(i)]
        return [self.inputs.index(name) + 1 for name in names if name != without]

    @property
    def attrs(self):
        return [p for p in self.parameters if p.kind not in ("tensor", "operand", "tensors", "option")]


ROWS: list[Row] = []
KERNELS: list[Kernel] = []


def _where():
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno}"


def parse_signature(signature, default_kind):
    """`name(input, other: operand, dim: dims = None)` as a name and Parameters."""
    name = signature[:signature.index("(")]
    scope = {"__builtins__": {}}
    exec(f"from __future__ import annotations\ndef f{signature[len(name):]}: 0", {"__builtins__": __builtins__}, scope)
    parameters = []
    for p in inspect.signature(scope["f"]).parameters.values():
        kind = p.annotation if isinstance(p.annotation, str) else default_kind
        parameters.append(Parameter(p.name, kind, p.default, p.kind is p.KEYWORD_ONLY))
    return name, parameters


def elementwise(signature, forward, doc, *, grad=None, rule="FLOATING", dtypes="float", operator="", inplace=True, by_dtype=None,
                **more):
    """One function of the elements.  `forward` is a scalar expression over the parameters; un-annotated parameters are
    operands, tensors or numbers, those annotated as tensor are tensors alone.  `grad`: a formula for a single input, or a dict by input; None: not differentiable."""
    name, parameters = parse_signature(signature, "operand")
    by_dtype = by_dtype or {}
    spread = {d: by_dtype[group] for group in by_dtype if group in DTYPES for d in DTYPES[group]}
    inputs = [p.name for p in parameters if p.kind in ("tensor", "operand")]
    grads = grad if isinstance(grad, dict) else {inputs[0]: grad}
    missing = [i for i in inputs if i not in grads and grad is not None]
    if missing:
        raise ValueError(f"{_where()}: {name} has no gradient formula for {missing}; say None if there is none")
    ROWS.append(Row(name, parameters, doc, "elementwise", grads=grads, forward=forward, rule=rule, dtypes=dtypes, overlap="WHOLE",
                    operator=operator, inplace=inplace, by_dtype=spread | by_dtype, where=_where(), **more))


def structured(signature, doc, *, rule="", grad=None, **more):
    """An operation with a rule of its own: a Cython function `rule(parameters...)` that computes without a graph."""
    name, parameters = parse_signature(signature, "tensor")
    inputs = [p.name for p in parameters if p.kind == "tensor"]
    grads = grad if isinstance(grad, dict) else {inputs[0]: grad} if inputs else {}
    ROWS.append(Row(name, parameters, doc, "structured", grads=grads, forward=rule or f"{name}_rule", where=_where(), **more))


def composite(signature, doc, *, rule="", **more):
    """An operation made of others: a Cython function `rule(parameters...)` whose graph is theirs."""
    name, parameters = parse_signature(signature, "tensor")
    ROWS.append(Row(name, parameters, doc, "composite", forward=rule or f"{name}_rule", where=_where(), **more))


def kernel(name, operands, dtypes, *, out="T", function="", cut="alone", complex=False, once=False, expression=""):
    """A hand-written kernel: a Cython function over typed operand pointers, `name(out, operands..., launch, scratch)`.
    Or one made of a scalar expression over `input`, for a rule that launches it itself.

    cut: a key of CUTS.  Its launches must set the strides of every operand along the dimensions in which they may be cut.
    complex: for complex dtypes too.  once: not for every CPU level.
    """
    made_for = DTYPES[dtypes] + (DTYPES["complex"] if complex else ())
    KERNELS.append(Kernel(name, made_for, tuple(operands.split()), out, expression, ("input",) if expression else (),
                          function="" if expression else function or name, cut=cut, where=_where(), once=once))
