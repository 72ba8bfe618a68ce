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
from typing import Any, Dict, Tuple, Type, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


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
    value: T = _load(kind, data)
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


@functools.cache
def _hints(kind: type) -> Dict[str, Any]:
    return get_type_hints(kind)


def _load(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin is not None:
        return _load_generic(origin, get_args(kind), data)
    if dataclasses.is_dataclass(kind):
        return _load_dataclass(kind, data)
    if issubclass(kind, enum.Enum):
        return kind(data)
    if kind is datetime:
        return _load_time(data)
    if kind is float and type(data) is int:
        return float(data)
    if type(data) is not kind:
        raise ValueError(f"expected {kind.__name__}, found {type(data).__name__}")
    return data


def _load_generic(origin: Any, arguments: Tuple[Any, ...], data: Any) -> Any:
    if origin is Union:  # Optional[X] is the only union in use
        return None if data is None else _load(arguments[0], data)
    if origin is tuple:  # Tuple[X, ...] likewise
        if not isinstance(data, list):
            raise ValueError(f"expected a list, found {type(data).__name__}")
        return tuple(_load(arguments[0], item) for item in data)
    if not isinstance(data, dict):
        raise ValueError(f"expected an object, found {type(data).__name__}")
    return {key: _load(arguments[1], item) for key, item in data.items()}


def _load_dataclass(kind: Any, data: Any) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"expected an object, found {type(data).__name__}")
    hints = _hints(kind)
    known = {name: _load(hints[name], item) for name, item in data.items() if name in hints}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def _load_time(data: Any) -> datetime:
    if not isinstance(data, str) or not data.endswith("Z"):
        raise ValueError("expected a time in UTC")
    return datetime.fromisoformat(data[:-1] + "+00:00")
