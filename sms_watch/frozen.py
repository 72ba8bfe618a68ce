"""Dataclasses that are quick to make, for the zip: its modules import this for ``dataclasses``.

The standard library writes some six functions for each class and compiles them, at every start of a
process; here they are closures. What this package uses of them behaves alike, and the standard
library's own functions take these classes too. What may stand in a definition is not checked here:
the standard library makes the same classes everywhere but in the zip.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Callable, Tuple

__all__ = ["MISSING", "Field", "dataclass", "field", "fields", "is_dataclass", "replace"]

MISSING = object()
FIELDS = "__frozen_fields__"


class Field:
    """A field: its name, its default or what makes one, and whether it is shown."""

    __slots__ = ("default", "default_factory", "name", "repr")

    def __init__(self, default: Any, default_factory: Any, shown: bool) -> None:
        self.name, self.default, self.default_factory = "", default, default_factory
        self.repr = shown


def field(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    repr: bool = True,  # noqa: A002 - named by the standard library
) -> Any:
    """Return what says of a field in the definition of a class how it is treated."""
    return Field(default, default_factory, repr)


def dataclass(kind: Any = None, *, frozen: bool = False) -> Any:
    """Make a dataclass of a class; without one, return what does."""
    return _made(kind, frozen) if kind else lambda kind: _made(kind, frozen)


def fields(kind: Any) -> Tuple[Field, ...]:
    """Return the fields of a dataclass, or of a value of one."""
    found: Tuple[Field, ...] = getattr(kind, FIELDS)
    return found


def is_dataclass(value: Any) -> bool:
    """Return whether this is a dataclass, or a value of one."""
    return hasattr(value, FIELDS)


def replace(value: Any, /, **changes: Any) -> Any:
    """Return a value with some fields changed. Raise TypeError for one that it has not."""
    state = value.__dict__
    kept = {each.name: state[each.name] for each in fields(value)}
    return value.__class__(**{**kept, **changes})


def _made(kind: Any, frozen: bool) -> Any:
    found = tuple([_field(kind, name) for name in kind.__annotations__])
    names = tuple([each.name for each in found])
    for name, value in ((FIELDS, found), ("__match_args__", names)):
        setattr(kind, name, value)
    kind.__dataclass_fields__ = _Standard()
    values = _values_of(names)
    kind.__init__ = _init(kind, names)
    kind.__repr__ = _repr([each.name for each in found if each.repr])
    kind.__eq__ = _eq(values)
    kind.__hash__ = (lambda self: hash(values(self))) if frozen else None
    if frozen:
        kind.__setattr__, kind.__delattr__ = _refuse("assign to"), _refuse("delete")
    return kind


def _field(kind: Any, name: str) -> Field:
    """Return a field of a class, whose attribute becomes the default, or goes."""
    given = kind.__dict__.get(name, MISSING)
    found = given if isinstance(given, Field) else Field(given, MISSING, True)
    found.name = name
    if found.default is not MISSING:
        setattr(kind, name, found.default)
    elif given is found:
        delattr(kind, name)
    return found


def _values_of(names: Tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what returns all fields of a value, as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple([getattr(value, name) for name in names])


def _init(kind: Any, names: Tuple[str, ...]) -> Callable[..., None]:
    known = frozenset(names)
    defaults = {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    factories = [
        (each.name, each.default_factory)
        for each in fields(kind)
        if each.default_factory is not MISSING
    ]

    def __init__(self: Any, /, *values: Any, **named: Any) -> None:  # noqa: N807 - what it becomes
        state = self.__dict__
        state.update(defaults)
        state.update(zip(names, values))
        state.update(named)
        for name, make in factories:
            if name not in state:
                state[name] = make()
        twice = values and not named.keys().isdisjoint(names[: len(values)])
        if state.keys() != known or twice or len(values) > len(names):
            _standard(kind)(*values, **named)  # which says what is wrong

    return __init__


def _repr(shown: Any) -> Callable[[Any], str]:
    def __repr__(self: Any) -> str:  # noqa: N807 - what it becomes
        told = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
        return f"{self.__class__.__qualname__}({told})"

    return __repr__


def _eq(values: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def __eq__(self: Any, other: Any) -> Any:  # noqa: N807 - what it becomes
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    return __eq__


def _refuse(what: str) -> Callable[..., None]:
    def refuse(self: Any, name: str, *_: Any) -> None:
        from dataclasses import FrozenInstanceError  # noqa: PLC0415 - not before it is needed

        raise FrozenInstanceError(f"cannot {what} field {name!r}")

    return refuse


class _Standard:
    """The fields as the standard library has them, made when it asks for them."""

    def __get__(self, value: Any, kind: Any) -> Any:
        return _standard(kind).__dataclass_fields__


def _standard(kind: Any) -> Any:
    """Return the same class as the standard library makes it."""
    import dataclasses  # noqa: PLC0415 - not before it is needed

    body = {"__annotations__": kind.__annotations__, "__qualname__": kind.__qualname__}
    for each in fields(kind):
        given = {"default": each.default, "default_factory": each.default_factory}
        told: Any = {name: item for name, item in given.items() if item is not MISSING}
        body[each.name] = dataclasses.field(repr=each.repr, **told)
    return dataclasses.dataclass(frozen=True)(type(kind.__name__, (), body))
