"""Frozen dataclasses whose fields are read, and whose methods are written, when first wanted.

The standard decorator reads the annotations of each class it meets and compiles six methods. A
check meets some two hundred classes and makes instances of a third of them: the rest would be a
quarter of its start-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    from dataclasses import MISSING, FrozenInstanceError, fields
    from dataclasses import dataclass as standard
    from operator import attrgetter
    from threading import RLock

    READING = RLock()

    def dataclass(cls=None, /, *, frozen=False, eq=True, **rest):
        """`dataclasses.dataclass`; a frozen class gets its methods at its first instance."""
        if cls is not None:
            return standard(cls)
        if not frozen:
            return standard(eq=eq, **rest)

        def decorate(cls):
            cls.__dataclass_fields__ = FieldsWhenAsked(cls, rest)
            return put_off(cls, eq)

        return decorate

    class FieldsWhenAsked:
        """Stands in the place of a class's fields until somebody asks for them."""

        def __init__(self, cls, options):
            self.cls = cls
            self.options = options

        def __get__(self, instance, owner=None):
            with READING:  # reading takes the defaults out of the class: once
                if vars(self.cls)["__dataclass_fields__"] is self:
                    standard(init=False, repr=False, eq=False, **self.options)(self.cls)
            return self.cls.__dataclass_fields__

    def put_off(cls, eq):
        """Give a class methods that first put the written ones in their places.

        An object may come about without `__init__`: a copy, or from a pickle.
        """
        missing = ["__init__"]
        missing += ["__repr__"] if "__repr__" not in vars(cls) else []
        missing += ["__eq__"] if eq and "__eq__" not in vars(cls) else []
        # Python clears the hash where `__eq__` is written
        missing += ["__hash__"] if eq and vars(cls).get("__hash__") is None else []
        for name in missing:
            setattr(cls, name, first(cls, name, missing))
        cls.__setattr__ = refuse_to_set
        cls.__delattr__ = refuse_to_delete
        return cls

    def first(cls, name, missing):
        """A method that completes its class and does then what it was called for."""

        def method(self, *args, **kwargs):
            complete(cls, missing)
            return getattr(cls, name)(self, *args, **kwargs)

        return method

    def complete(cls, missing):
        """The methods as the standard decorator would have written them."""
        compared = tuple_getter([f.name for f in fields(cls) if f.compare])
        written = {
            "__init__": written_init(cls),
            "__repr__": shown,
            "__eq__": equality(compared),
            "__hash__": lambda self: hash(compared(self)),
        }
        for name in missing:
            setattr(cls, name, written[name])

    def written_init(cls):
        """An `__init__` that sets the fields past the refusal to set them."""
        given, keyword_only, lines = [], [], []
        known = {"set": object.__setattr__, "MISSING": MISSING}
        for field in fields(cls):
            name, value = field.name, field.name
            if field.default is not MISSING:
                known[f"default_{name}"] = field.default
                parameter = f"{name}=default_{name}"
            elif field.default_factory is not MISSING:
                known[f"make_{name}"] = field.default_factory
                parameter = f"{name}=MISSING"
                value = f"make_{name}() if {name} is MISSING else {name}"
            else:
                parameter = name
            (keyword_only if field.kw_only else given).append(parameter)
            lines.append(f"set(self, {name!r}, {value})")
        if hasattr(cls, "__post_init__"):
            lines.append("self.__post_init__()")
        parameters = ["self", *given, *(["*", *keyword_only] if keyword_only else [])]
        body = "\n    ".join(lines or ["pass"])
        exec(f"def __init__({', '.join(parameters)}):\n    {body}", known)
        init = known["__init__"]
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        return init

    def tuple_getter(names):
        """What gives the named attributes of an object: a tuple, or the one value."""
        return attrgetter(*names) if names else lambda self: ()

    def equality(compared):
        """`__eq__` of two instances of one class."""

        def equal(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            return compared(self) == compared(other)

        return equal

    def shown(self):
        """`__repr__`: the class and its fields, as the constructor takes them."""
        parts = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__qualname__}({', '.join(parts)})"

    def refuse_to_set(self, name, value):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def refuse_to_delete(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")
