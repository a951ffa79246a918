"""What stands for a PyTorch name that fastgrad does not have.

Such a name fails when it is used, not when it is imported in passing. `stand_in` makes the object that
`from torch.nn import Foo` binds; `MissingAttribute` is raised by plain access, `torch.nn.Foo`, so that hasattr is truthful.
Both name themselves and the nearest names there are, looked up only once the message is wanted.
"""

import sys
from abc import ABCMeta

__all__ = ["MissingAttribute", "SOURCES", "expects_import_error", "importing_frame", "stand_in"]


def describe(fullname, names):
    """The message for a missing name; `names` is what its module has, None if the module itself is missing."""
    module, _, name = fullname.rpartition(".")
    if names is None:
        return f"{fullname} is not in fastgrad: there is no module {module}"
    from difflib import get_close_matches

    by_lower = {other.lower(): other for other in names if other[:1] != "_"}
    near = [f"{module}.{by_lower[match]}" for match in get_close_matches(name.lower(), by_lower, n=4)]
    return f"{fullname} is not in fastgrad" + (f"; near names: {', '.join(near)}" if near else "")


class MissingAttribute(AttributeError):
    """Raised by reading a name fastgrad does not have. `hasattr` probes are common, so the message waits for str()."""

    def __init__(self, fullname, names):
        # With `name` set, Python does not append a second suggestion of its own.
        super().__init__(fullname, name=fullname.rpartition(".")[2])
        self.fullname, self.names = fullname, names

    def __str__(self):
        return describe(self.fullname, self.names)


class StandIn(ABCMeta):
    """Type of the stand-ins. They are classes, so that annotations, `isinstance` and `except` take them as they are.

    ABCMeta, so that a class with an abstract base beside the missing one reports the missing name and not a metaclass conflict.
    """

    def __new__(meta, name, bases, namespace, missing=None):
        if missing is None:
            first = next(base for base in bases if isinstance(base, StandIn))
            raise NotImplementedError(f"class {name}: {first._message()}")
        cls = super().__new__(meta, name, bases, namespace)
        cls._missing = missing
        return cls

    def __init__(cls, name, bases, namespace, missing=None):
        super().__init__(name, bases, namespace)

    def _message(cls):
        return describe(*cls._missing)

    def __call__(cls, *args, **kwargs):
        raise NotImplementedError(cls._message())

    def __getattr__(cls, name):
        if name[:2] == "__":
            raise AttributeError(name)
        raise AttributeError(f"{cls.__module__}.{cls.__qualname__}.{name}: {cls._message()}", name=name)

    def __getitem__(cls, item):  # Foo[int] in an annotation
        return cls

    def __bool__(cls):
        return True

    def __instancecheck__(cls, instance):
        return False

    def __subclasscheck__(cls, subclass):
        return subclass is cls

    def __repr__(cls):
        return f"<{cls.__module__}.{cls.__qualname__}, which is not in fastgrad>"


def fail(cls, *args):
    raise NotImplementedError(cls._message())


for method in (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and rand xor rxor neg"
    " pos abs invert lt le gt ge int float index complex len iter contains enter exit setitem"
).split():
    setattr(StandIn, f"__{method}__", fail)


def stand_in(fullname, names):
    """An object for a name fastgrad does not have, which can be imported and named but not used.

    Args:
        fullname: the name as PyTorch has it, "torch.nn.Foo".
        names: the names its module has, None if there is no such module.
    """
    module, _, name = fullname.rpartition(".")
    # `except Foo:` asks for an exception class.
    bases = (Exception,) if name.endswith(("Error", "Exception", "Warning")) else ()
    return StandIn(name, bases, {"__module__": module, "__doc__": None}, missing=(fullname, names))


SOURCES = {}  # file name -> source, for code without a file: python -m fastgrad -c


def expects_import_error(frame):
    """True if the statement that `frame` is at stands in a `try` that catches ImportError: then the import is a question.

    Read from the source, since Python tells an import nothing about the handlers around it; False without source.
    """
    import ast
    import linecache

    filename, line = frame.f_code.co_filename, frame.f_lineno
    source = SOURCES.get(filename) or "".join(linecache.getlines(filename, frame.f_globals))
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    guarded = False
    while True:
        node = next((node for node in body if node.lineno <= line <= node.end_lineno), None)
        if node is None:
            return guarded
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            guarded = False  # a try around a definition does not guard what runs later
        elif isinstance(node, ast.Try) and node.body[0].lineno <= line <= node.body[-1].end_lineno:
            guarded = guarded or any(catches_import_error(handler.type) for handler in node.handlers)
        elif isinstance(node, ast.With):
            calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
            guarded = guarded or any(
                "suppress" in ast.unparse(call.func) and any(map(catches_import_error, call.args)) for call in calls
            )
        body = [child for child in inner_statements(node)]


def inner_statements(node):
    """The statements directly below a statement, those of its `except` and `case` clauses included."""
    import ast

    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif not isinstance(child, ast.expr):
            yield from inner_statements(child)


def catches_import_error(expression):
    """True if `except expression:` catches ImportError, going by the names in it."""
    import ast

    if expression is None:
        return True
    text = ast.unparse(expression)
    return any(name in text for name in ("ImportError", "ModuleNotFoundError")) or text in ("Exception", "BaseException")


def importing_frame():
    """For a finder's method: the frame the import comes from, and the import system's functions in between."""
    frame, functions = sys._getframe(2), set()
    while frame is not None:
        root = frame.f_globals.get("__name__", "").partition(".")[0]
        if root not in ("importlib", "importlib_metadata", "_frozen_importlib", "_frozen_importlib_external", "pkgutil"):
            break
        functions.add(frame.f_code.co_name)
        frame = frame.f_back
    return frame, functions
