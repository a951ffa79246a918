"""Module: the base class of all layers and models.

Here: members (parameters, buffers, children), training mode, repr, pickling. Walks over members are in walks.py, hooks and
calling in hooks.py, state dicts in state.py, dtype and device in convert.py. Semantics and error texts are PyTorch's.

Invariant: every member is in one of the tables `_parameters`, `_buffers`, `_modules` (see members.py) and, through its
table, an attribute in `__dict__`.
"""

from fastgrad import _ops as _e
from fastgrad._engine import Tensor

from .._names import typename
from ..parameter import Buffer, Parameter
from .convert import ModuleConversion
from .hooks import (
    HookedModule,
    register_module_backward_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from .members import (
    TABLES,
    MemberTable,
    buffer_registration_hooks,
    module_registration_hooks,
    parameter_registration_hooks,
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
    run_registration_hooks,
)
from .state import ModuleState
from .walks import ModuleWalks

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


def _forward_unimplemented(self, *input):
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


class Module(HookedModule, ModuleWalks, ModuleState, ModuleConversion):
    """Base class of all neural network modules: a subclass sets its parts as attributes and defines `forward`.

    Example:
        >>> class Net(fastgrad.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = fastgrad.nn.Linear(2, 16)
        ...         self.out = fastgrad.nn.Linear(16, 1)
        ...     def forward(self, x):
        ...         return self.out(self.hidden(x).tanh())
        >>> Net()(fastgrad.zeros(4, 2)).shape
        torch.Size([4, 1])
    """

    dump_patches = False
    call_super_init = False  # a subclass sets it to pass __init__'s arguments on to the next class of its MRO

    forward = _forward_unimplemented

    def __init__(self, *args, **kwargs):
        if not self.call_super_init and kwargs:
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
        if not self.call_super_init and args:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        attributes = self.__dict__
        attributes["training"] = True
        for name in TABLES:
            attributes[name] = MemberTable(self)
        attributes["_non_persistent_buffers_set"] = set()
        self._init_hooks()
        self._init_state_hooks()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Members

    def _check_name(self, name, kind, table):
        """Refuse a name that cannot be a member's. `table` is None before Module.__init__()."""
        if table is None:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in table:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name, tensor, persistent=True):
        """Add a tensor that is part of the module's state but no parameter.

        Args:
            name: attribute name.
            tensor: tensor of any shape and dtype, or None for a buffer that is not there.
            persistent: whether it appears in `state_dict`.
        """
        self._check_name(name, "buffer", self.__dict__.get("_buffers"))
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = run_registration_hooks(buffer_registration_hooks, self, name, tensor)
        change = set.discard if persistent else set.add
        change(self._non_persistent_buffers_set, name)

    def register_parameter(self, name, param):
        """Add a Parameter, or None for one that is not there, as attribute `name`."""
        self._check_name(name, "parameter", self.__dict__.get("_parameters"))
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                    f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
                )
            param = run_registration_hooks(parameter_registration_hooks, self, name, param)
        self._parameters[name] = param

    def add_module(self, name, module):
        """Add a child module, or None for one that is not there, as attribute `name`."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name(name, "module", self.__dict__.get("_modules"))
        self._modules[name] = run_registration_hooks(module_registration_hooks, self, name, module)

    def register_module(self, name, module):
        """The same as add_module."""
        self.add_module(name, module)

    def __setattr__(self, name, value):
        tables = self.__dict__
        if "_parameters" not in tables:
            self._refuse_early_member(value)
        elif (
            isinstance(value, (Tensor, Module))
            or name in tables["_parameters"]
            or name in tables["_modules"]
            or name in tables["_buffers"]
            or name in TABLES
        ) and self._set_member(name, value):
            return
        super().__setattr__(name, value)

    def _set_member(self, name, value):
        """Set a member, a buffer's value or a table; gives False if it is an ordinary attribute after all."""
        if isinstance(value, Parameter):
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif name in self._parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, None)
        elif isinstance(value, Module) or name in self._modules:
            self._set_child(name, value)
        elif name in self._buffers or isinstance(value, Buffer):
            self._set_buffer(name, value)
        elif name in TABLES:
            self.__dict__[name].release()
            self.__dict__[name] = MemberTable(self, value)
        else:
            return False
        return True

    def _refuse_early_member(self, value):
        for kind, name in ((Parameter, "parameters"), (Module, "module"), (Buffer, "buffer")):
            if isinstance(value, kind):
                raise AttributeError(f"cannot assign {name} before Module.__init__() call")

    def _forget(self, name, kept):
        """Drop attribute `name` and the member of that name in every table but `kept`."""
        if name in getattr(self, kept):
            return
        self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        for table in TABLES:
            if table != kept:
                getattr(self, table).pop(name, None)

    def _set_child(self, name, module):
        if isinstance(module, Module):
            self._forget(name, "_modules")
        elif module is not None:
            raise TypeError(
                f"cannot assign '{typename(module)}' as child module '{name}' (torch.nn.Module or None expected)"
            )
        self._modules[name] = run_registration_hooks(module_registration_hooks, self, name, module)

    def _set_buffer(self, name, value):
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        persistent = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
        if persistent:  # an overriding register_buffer may not know the argument
            self.register_buffer(name, value)
        else:
            self.register_buffer(name, value, persistent=False)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        plain = cls.__getattr__ is Module.__getattr__ and cls.__getattribute__ is object.__getattribute__
        if plain and type(cls) is type:                 # a metaclass of its own (abc.ABC) keeps the usual way
            _e.use_plain_attributes(cls)

    def __getattr__(self, name):
        """For those who call it by name: members are in `__dict__`, so reading an attribute does not come here."""
        for table in TABLES:
            members = self.__dict__.get(table)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name):
        for table in TABLES:
            if name in getattr(self, table):
                del getattr(self, table)[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__}
        return sorted(name for name in names if not name[0].isdigit())

    # Access by dotted name

    def get_submodule(self, target):
        """The module with the dotted name `target`; this one for ""."""
        module = self
        for name in target.split(".") if target else ():
            module = module._named_attribute(name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False):
        """Put `module` at the dotted name `target`; with strict, only where there is one already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            if not isinstance(parent._named_attribute(name), Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The parameter with the dotted name `target`."""
        path, _, name = target.rpartition(".")
        parameter = self.get_submodule(path)._named_attribute(name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target):
        """The buffer with the dotted name `target`."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        buffer = module._named_attribute(name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    def _named_attribute(self, name):
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    # Training

    def train(self, mode=True):
        """Set training mode here and below; Dropout and the like behave by it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self):
        """Set evaluation mode here and below: train(False)."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Set whether the parameters here and below want gradients."""
        for parameter in self._parameter_list():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drop the parameters' gradients, or fill them with zeros if set_to_none is False."""
        _e.zero_grads(self._parameter_list(), set_to_none)

    # Printing

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What repr shows between the parentheses, besides the children; one line or several."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        children = [f"({name}): {indent(repr(child))}" for name, child in self._modules.items()]
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return self._get_name() + "(\n  " + "\n  ".join(lines) + "\n)"

    # Pickling and copying

    def __reduce_ex__(self, protocol):
        return super().__reduce_ex__(max(protocol, 2))  # the older ones cannot restore a class with a base in C

    def __getstate__(self):
        attributes = self.__dict__
        members = {name for table in TABLES for name, member in attributes[table].items() if attributes.get(name) is member}
        # tables go as plain dictionaries, which a file read with weights_only may hold
        return {name: dict(value) if name in TABLES else value for name, value in attributes.items() if name not in members}

    def __setstate__(self, state):
        attributes = self.__dict__
        attributes["_non_persistent_buffers_set"] = set()  # a state from an older version may lack this and some hooks
        self._init_hooks()
        self._init_state_hooks()
        attributes.update(state)
        for name in TABLES:
            attributes[name] = MemberTable(self, attributes[name])
        self._adopt_hooks()


def indent(text):
    """The text with every line but the first moved right by two; blank lines stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *("  " + line if line.strip() else "" for line in rest)])
