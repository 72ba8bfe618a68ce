"""What a dataclass does, said in texts: two that are made in different ways are compared by them.

It needs nothing but Python, so that it can be run on what is in the zip.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import json
import pickle
import pkgutil
import re
import sys
from functools import partial
from typing import Any, Callable, Dict, Iterator, List

ADDRESS = re.compile(" at 0x[0-9a-f]+")  # of a function, another one in each process


def of_package(name: str) -> Dict[str, List[str]]:
    """Return what every dataclass of a package does, by its full name."""
    package = importlib.import_module(name)
    found = {}
    for each in pkgutil.walk_packages(package.__path__, f"{name}."):
        for kind in vars(importlib.import_module(each.name)).values():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                found[f"{kind.__module__}.{kind.__qualname__}"] = behaviour(kind, _replace(kind))
    return found


def _replace(kind: Any) -> Any:
    """Return the ``replace`` that the module of a class uses."""
    return getattr(sys.modules[kind.__module__], "replace", dataclasses.replace)


def behaviour(kind: Any, replace: Any = dataclasses.replace) -> List[str]:
    """Return what becomes of a dataclass in every use that is made of one."""
    return [_tried(use) for use in [*_uses_of_class(kind), *_uses_of_value(kind, replace)]]


def _uses_of_class(kind: Any) -> Iterator[Callable[[], Any]]:
    names = [each.name for each in dataclasses.fields(kind)]
    texts = [f"value of {name}" for name in names]
    by_name = dict(zip(names, texts))
    yield lambda: [_told(each) for each in dataclasses.fields(kind)]
    yield lambda: getattr(kind, "__match_args__", tuple(names))
    yield lambda: {name: getattr(kind, name, "nothing") for name in names}
    # Positional, too many of them, by name, twice, an unknown one; and one missing after the other.
    for values, named in (
        (texts, {}),
        ([*texts, "more"], {}),
        ([], by_name),
        (texts, {names[0]: "twice"}),
        (texts[:1], {names[0]: "twice"}),
        (texts, {"unknown": "a"}),
        ([], {**by_name, "unknown": "a"}),
        *((texts[:number], {}) for number in range(len(names))),
        *(([], _without(by_name, name)) for name in names),
        *(([], {**_without(by_name, name), "unknown": "a"}) for name in names),
    ):
        yield partial(_made, kind, values, named)


def _uses_of_value(kind: Any, replace: Any) -> Iterator[Callable[[], Any]]:
    names = [each.name for each in dataclasses.fields(kind)]
    texts = [f"value of {name}" for name in names]
    value = kind(*texts)
    yield lambda: dataclasses.is_dataclass(value)
    yield lambda: dataclasses.asdict(value)
    yield lambda: repr(value)
    yield lambda: hash(value) == hash(tuple(texts))
    yield lambda: hash(kind(*[[] for _ in names]))
    yield lambda: (value == kind(*texts), value != kind(*texts))
    yield lambda: (value == tuple(texts), kind.__eq__(value, tuple(texts)))
    yield lambda: (copy.deepcopy(value) == value, pickle.loads(pickle.dumps(value)) == value)  # noqa: S301 - our own
    yield lambda: replace(value, unknown="a")
    yield lambda: dataclasses.replace(value, unknown="a")
    yield lambda: setattr(kind(*texts), "unknown", "a")
    for name in names:
        other = kind(*[_other(each, name) for each in names])
        yield partial(lambda other: (value == other, value != other), other)
        for change in (replace, dataclasses.replace):
            yield partial(lambda change, name: _sorted(change(value, **{name: "a"})), change, name)
        yield partial(setattr, kind(*texts), name, "a")
        yield partial(delattr, kind(*texts), name)


def _made(kind: Any, values: List[str], named: Dict[str, str]) -> Any:
    return _sorted(kind(*values, **named))


def _told(field: Any) -> Any:
    given = (field.default, field.default_factory)
    shown = ["none" if each is dataclasses.MISSING else repr(each) for each in given]
    return [field.name, *shown, field.init, field.repr, field.hash, field.compare]


def _without(values: Dict[str, str], name: str) -> Dict[str, str]:
    return {each: text for each, text in values.items() if each != name}


def _other(name: str, changed: str) -> str:
    return f"another value of {name}" if name == changed else f"value of {name}"


def _sorted(value: Any) -> Any:
    return sorted(vars(value).items())


def _tried(use: Callable[[], Any]) -> str:
    try:
        return ADDRESS.sub("", repr(use()))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    print(json.dumps(of_package("sms_watch")))
