"""Frozen dataclasses whose methods are written late behave as the standard ones."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grammar import records

PACKAGES = ("grammar", "compiler")
ROOT = Path(records.__file__).parents[1]


def pair(namespace: str) -> list[Any]:
    """The same class by the standard decorator and by ours."""
    made = []
    for decorator in (dataclasses.dataclass, records.dataclass):
        known: dict[str, Any] = {
            "dataclass": decorator,
            "field": dataclasses.field,
            "__name__": __name__,
        }
        exec(namespace, known)
        made.append(known["Point"])
    return made


PLAIN = """
@dataclass(frozen=True)
class Point:
    x: int
    y: tuple = (1, 2)
    z: list = field(default_factory=list, compare=False)
    hidden: int = field(default=0, repr=False)
"""
CHECKED = """
@dataclass(frozen=True)
class Point:
    x: int
    y: int = 3
    def __post_init__(self):
        if self.x < 0:
            raise ValueError("negative")
"""
INHERITED = """
@dataclass(frozen=True)
class Base:
    x: int
@dataclass(frozen=True)
class Point(Base):
    y: int = 4
"""
OWN_EQUALITY = """
@dataclass(frozen=True)
class Point:
    x: int
    y: int = 4
    def __eq__(self, other):
        return self.x == other.x
"""


@pytest.mark.parametrize("text", [PLAIN, CHECKED, INHERITED, OWN_EQUALITY])
def test_late_methods_do_what_the_standard_ones_do(text: str) -> None:
    theirs, ours = pair(text)
    for kind in (theirs, ours):
        one, same, other = kind(1), kind(x=1), kind(2)
        assert one == same and one != other
        assert dataclasses.replace(one, x=2) == other
        assert copy.copy(one) == one and copy.deepcopy(one) == one
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.x = 3
        with pytest.raises(dataclasses.FrozenInstanceError):
            del one.x
        with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional"):
            kind()
        with pytest.raises(TypeError, match="unexpected keyword argument 'w'"):
            kind(1, w=2)
    assert repr(ours(1)) == repr(theirs(1))
    assert [f.name for f in dataclasses.fields(ours)] == [
        f.name for f in dataclasses.fields(theirs)
    ]
    assert ours.__match_args__ == theirs.__match_args__


def test_hashes_agree_with_equality() -> None:
    theirs, ours = pair(PLAIN)
    assert hash(ours(1, z=[1])) == hash(ours(1, z=[2])) == hash(theirs(1))
    with pytest.raises(TypeError, match="unhashable"):
        hash(ours([]))


def test_each_instance_has_a_list_of_its_own() -> None:
    _, ours = pair(PLAIN)
    one, other = ours(1), ours(1)
    one.z.append(1)
    assert other.z == []


@pytest.mark.parametrize("ask", [repr, hash, lambda one: one == one.twin])
def test_an_object_made_without_the_constructor_has_them_too(ask: Callable[[Any], Any]) -> None:
    """As a pickle makes one of a class of which this process has no instance yet."""
    _, ours = pair("@dataclass(frozen=True)\nclass Point:\n    x: int\n    twin = None")
    one, twin = object.__new__(ours), object.__new__(ours)
    for made in (one, twin):
        vars(made)["x"] = 1
    ours.twin = twin
    assert ask(one) == {repr: "Point(x=1)", hash: hash(1)}.get(ask, True)
    assert one == twin == ours(1) and len({one, twin, ours(1)}) == 1


def test_all_of_the_text_and_the_graph_is_made_of_them() -> None:
    """One class by the standard decorator costs a check what three of these cost."""
    other = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if re.search(r"from dataclasses import [^\n]*\bdataclass\b", path.read_text("utf-8"))
    ]
    assert other == ["grammar/records.py"]


def test_the_fields_of_a_class_are_read_when_somebody_asks() -> None:
    known: dict[str, Any] = {"dataclass": records.dataclass, "field": dataclasses.field}
    exec("@dataclass(frozen=True)\nclass Base:\n    x: list = field(default_factory=list)", known)
    exec("@dataclass(frozen=True)\nclass Point(Base):\n    y: int = 2", known)
    base, point = known["Base"], known["Point"]
    assert not isinstance(vars(base)["__dataclass_fields__"], dict)
    assert [field.name for field in dataclasses.fields(point)] == ["x", "y"]
    assert isinstance(vars(base)["__dataclass_fields__"], dict)
    assert point() == point([], 2) and base() == base([])
