"""Immutable values to JSON and back, strictly; what equals its default is left out.

Reading checks every type and every range, because the lines it reads come from outside the process:
what does not fit is refused rather than guessed, and what was taken breaks no run afterwards. A
value may have a method ``check`` that raises ValueError if its fields do not fit each other.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Mapping as AnyMapping
from datetime import datetime, timezone
from typing import (
    Any,
    Callable,
    Mapping,
    Type,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")
Reader = Callable[[Any], Any]

# Further off no clock can be, and sums with what is in between stay within what a time can be.
FIRST = datetime(2000, 1, 1, tzinfo=timezone.utc)
LAST = datetime(3000, 1, 1, tzinfo=timezone.utc)
MOST = 10**18  # of any number; bytes are the largest


def dump(value: Any) -> Any:
    """Return a value as ``json`` can write it: dataclasses, enums, aware times, collections.

    A named tuple becomes a list: it is for what is written so often that names would cost too much.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: dump(item)
            for field in dataclasses.fields(value)
            if (item := getattr(value, field.name)) != _default(field)
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, AnyMapping):
        return {str(key): dump(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [dump(item) for item in value]
    return value


def load(kind: Type[T], data: Any) -> T:
    """Return what ``json`` read as a ``kind``. Raise ValueError if it does not fit.

    Unknown fields are passed over, so that an older reader can use a newer line of one format.
    """
    of_kind: Any = kind
    value: T = _reader(of_kind)(data)
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


@functools.cache
def _reader(kind: Any) -> Reader:
    """Return what reads a kind; it is put together once, for a journal has thousands of values."""
    origin = get_origin(kind)
    if origin is Union:  # Optional[X] is the only union in use
        inner = _reader(get_args(kind)[0])
        return lambda data: None if data is None else inner(data)
    if origin is tuple:  # Tuple[X, ...] likewise
        inner = _reader(get_args(kind)[0])
        return lambda data: tuple([inner(item) for item in _checked(data, list)])
    if origin is not None:  # Mapping[str, X]
        inner = _reader(get_args(kind)[1])
        return lambda data: {key: inner(item) for key, item in _checked(data, dict).items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass_reader(kind)
    if issubclass(kind, tuple):
        return _row_reader(kind)
    if issubclass(kind, enum.Enum):
        member: Reader = kind
        return member
    return SIMPLE.get(kind) or (lambda data: _checked(data, kind))


def _dataclass_reader(kind: Any) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    check = getattr(kind, "check", None)

    def read(data: Any) -> Any:
        known = {
            name: readers[name](item)
            for name, item in _checked(data, dict).items()
            if name in readers
        }
        try:
            value = kind(**known)
        except TypeError as error:
            raise ValueError(f"{kind.__name__}: {error}") from error
        if check is not None:
            check(value)
        return value

    return read


def _row_reader(kind: Any) -> Reader:
    readers = [_reader(hint) for hint in get_type_hints(kind).values()]

    def read(data: Any) -> Any:
        if len(_checked(data, list)) < len(readers):
            raise ValueError(f"{kind.__name__}: too short")
        return kind(*[reader(item) for reader, item in zip(readers, data)])

    return read


def _checked(data: Any, kind: type) -> Any:
    if type(data) is not kind:
        raise ValueError(f"expected {kind.__name__}, found {type(data).__name__}")
    return data


def _read_time(data: Any) -> datetime:
    # Without a time of day, later Pythons would read the zone as a part of the date.
    if not isinstance(data, str) or not data.endswith("Z") or data[10:11] != "T":
        raise ValueError("expected a time in UTC")
    moment = datetime.fromisoformat(data[:-1] + "+00:00")
    if not FIRST <= moment < LAST:
        raise ValueError("expected a time of these centuries")
    return moment


def _read_whole(data: Any) -> int:
    """Return a whole number; all that are remembered count something, so none is below 0."""
    whole: int = _checked(data, int)
    if not 0 <= whole <= MOST:
        raise ValueError("expected a number from 0 upwards")
    return whole


def _read_number(data: Any) -> float:
    number = data if type(data) is int else _checked(data, float)
    if not -MOST <= number <= MOST:  # which what is no number is not
        raise ValueError("expected a number of a usual size")
    return float(number)


SIMPLE: Mapping[Any, Reader] = {datetime: _read_time, int: _read_whole, float: _read_number}
