"""Dataclasses that are quick to make: they do what those of the standard library do."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any, Dict, Mapping

import pytest

from sms_watch import frozen
from tests.support.behaviour import behaviour


def _without_default(library: Any) -> Any:
    @library.dataclass(frozen=True)
    class Kind:
        """Some values."""

        __qualname__ = "Kind"  # where pickle finds it

        one: str
        two: int

    return Kind


def _single(library: Any) -> Any:
    @library.dataclass(frozen=True)
    class Kind:
        """One value."""

        __qualname__ = "Kind"  # where pickle finds it

        one: str = "a"

    return Kind


def _all_kinds_of_fields(library: Any) -> Any:
    @library.dataclass(frozen=True)
    class Kind:
        """Values of every kind."""

        __qualname__ = "Kind"  # where pickle finds it

        one: str
        secret: str = library.field(repr=False)
        two: int = 2
        token: str = library.field(default="", repr=False)
        many: Mapping[str, str] = library.field(default_factory=dict)

        def first(self) -> str:
            """Return a part."""
            return self.one

    return Kind


def _mutable(library: Any) -> Any:
    @library.dataclass
    class Kind:
        """Values that may change."""

        __qualname__ = "Kind"  # where pickle finds it

        one: str = ""
        two: bool = False

    return Kind


KINDS = (_without_default, _single, _all_kinds_of_fields, _mutable)


@pytest.mark.parametrize("make", KINDS)
def test_they_do_what_those_of_the_standard_library_do(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is made, compared, shown, changed or refused comes to the same, errors included."""
    usual, quick = make(dataclasses), make(frozen)
    monkeypatch.setitem(globals(), "Kind", usual)
    told = behaviour(usual, dataclasses.replace)
    monkeypatch.setitem(globals(), "Kind", quick)
    assert behaviour(quick, frozen.replace) == told
    assert len(told) > 20


@pytest.mark.parametrize("library", [dataclasses, frozen])
def test_a_value_without_a_mapping_has_one_of_its_own(library: ModuleType) -> None:
    """What a factory makes is made for each value anew."""
    kind = _all_kinds_of_fields(library)
    first, second = kind("a", "b"), kind("a", "b")
    assert first.many == {}
    assert first.many is not second.many
    given: Dict[str, str] = {}
    assert kind("a", "b", many=given).many is given


@pytest.mark.parametrize("library", [dataclasses, frozen])
def test_fields_are_told_of_class_and_value(library: Any) -> None:
    """The codec finds names, defaults and what makes them; what is no dataclass has none."""
    kind = _all_kinds_of_fields(library)
    for asked in (kind, kind("a", "b")):
        assert library.is_dataclass(asked)
        told = {each.name: (each.default, each.default_factory) for each in library.fields(asked)}
        assert told["one"] == (library.MISSING, library.MISSING)
        assert told["two"] == (2, library.MISSING)
        assert told["many"] == (library.MISSING, dict)
    assert not library.is_dataclass("a")
