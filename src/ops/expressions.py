"""Expressions and formulas of rows, as code: on one element in a kernel, on tensors in operations.  See docs/internals/table.md."""
import ast

REAL_PART = {"c64": "f32", "c128": "f64"}        # and see Note [Complex gradients] in docs/internals/table.md


class ScalarCode(ast.NodeTransformer):
    """A table expression as Cython on one element of C type `ctype`; functions of complex elements have names of their own."""

    def __init__(self, ctype):
        self.ctype = REAL_PART.get(ctype, ctype)          # of literals
        self.complex = ctype if ctype in REAL_PART else ""
        self.prefix = "z" if ctype in REAL_PART else "v"

    def visit_Constant(self, node):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            value = repr(node.value).replace("inf", "1e999")        # as the table spells infinity
            return ast.Name(f"<{self.ctype}>{value}")
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if node.func.id == "where":
            return self.choice(*node.args)
        return ast.Call(ast.Name(self.prefix + node.func.id), node.args, [])


    def visit_IfExp(self, node):
        self.generic_visit(node)
        return self.choice(node.test, node.body, node.orelse)

    def choice(self, condition, *values):
        """A conditional expression, whose branches Cython does not bring to one complex type."""
        if self.complex:
            values = [ast.Call(ast.Name(f"z_{self.complex}"), [v], []) for v in values]
        return ast.IfExp(condition, *values)


WITH_NUMBER = {"maximum": "clamp_min", "minimum": "clamp_max"}      # what PyTorch calls them where the second is a number


class TensorCode(ast.NodeTransformer):
    """A table expression as operations on tensors.  In an elementwise row a condition is a tensor, elsewhere a Python value."""

    def __init__(self, operations, elementwise):
        self.operations, self.elementwise = operations, elementwise

    def visit_IfExp(self, node):
        self.generic_visit(node)
        if not self.elementwise:
            return node
        return ast.Call(ast.Name("select"), [node.test, node.body, node.orelse], [])

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "where":
            node.func = ast.Name("select")
        elif isinstance(node.func, ast.Name) and node.func.id in self.operations:
            number = len(node.args) == 2 and isinstance(node.args[1], (ast.Constant, ast.UnaryOp))
            node.func = ast.Name("op_" + (WITH_NUMBER.get(node.func.id, node.func.id) if number else node.func.id))
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr == "shape" and isinstance(node.value, ast.Name):
            return ast.Name(f"{node.value.id}_shape")
        return node


def tensor_code(expression, operations, elementwise=False):
    tree = TensorCode(operations, elementwise).visit(ast.parse(expression, mode="eval"))
    return ast.unparse(ast.fix_missing_locations(tree))


def names_in(expression):
    """The names an expression reads; `x.shape` counts as `x_shape`."""
    found = []
    shapes = set()
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Attribute) and node.attr == "shape" and isinstance(node.value, ast.Name):
            shapes.add(id(node.value))
            found.append(f"{node.value.id}_shape")
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Name):
            found.append(node.id)
    called = {n.func.id for n in ast.walk(ast.parse(expression, mode="eval"))
              if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    only_shape = [f[:-6] for f in found if f.endswith("_shape")]
    result = []
    for name in dict.fromkeys(found):
        if name in called:
            continue
        if name in only_shape and found.count(name) == only_shape.count(name):
            continue
        result.append(name)
    return result
