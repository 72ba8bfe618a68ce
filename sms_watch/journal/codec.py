"""Immutable values to JSON and back, strictly; what equals its default is left out.

Reading checks every type, because the lines it reads come from outside the process: what does
not fit is refused rather than guessed.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Mapping as AnyMapping
from datetime import datetime, timezone
from typing import Any, Callable, Type, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


def dump(value: Any) -> Any:
    """Turn a value into what ``json`` can write: dataclasses, enums, aware times, collections."""
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
    """Turn what ``json`` read into a ``kind``. Raises ValueError when it does not fit.

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
    """Give what reads a kind; it is put together once, for a journal has thousands of values."""
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
    if issubclass(kind, enum.Enum):
        member: Reader = kind
        return member
    if kind is datetime:
        return _read_time
    if kind is float:
        return lambda data: float(data) if type(data) is int else _checked(data, float)
    return lambda data: _checked(data, kind)


def _dataclass_reader(kind: Any) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    def read(data: Any) -> Any:
        known = {
            name: readers[name](item)
            for name, item in _checked(data, dict).items()
            if name in readers
        }
        try:
            return kind(**known)
        except TypeError as error:
            raise ValueError(f"{kind.__name__}: {error}") from error

    return read


def _checked(data: Any, kind: type) -> Any:
    if type(data) is not kind:
        raise ValueError(f"expected {kind.__name__}, found {type(data).__name__}")
    return data


def _read_time(data: Any) -> datetime:
    if not isinstance(data, str) or not data.endswith("Z"):
        raise ValueError("expected a time in UTC")
    return datetime.fromisoformat(data[:-1] + "+00:00")
