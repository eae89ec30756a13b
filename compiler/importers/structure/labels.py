"""How the kept names of a run follow from one name for the whole run.

Three ways, the first that fits all runs: no name is kept; the names share a dotted path
(`layer1.0.conv1`, `layer1.0.bn1`), which becomes the label of the call; they differ from those of
the other runs in a word (`res2a_branch1`, `bn2a_branch1`), which becomes a parameter of the block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from compiler.importers.structure.tree import Expression
from grammar.records import dataclass

Label = str | None
DIGITS = "0123456789"


@dataclass(frozen=True)
class Shared:
    """The label of each call, the labels inside the block, and the word that a call passes.

    `words` is empty when the labels inside are plain.
    """

    calls: tuple[Label, ...]
    inside: tuple[Label, ...]
    words: tuple[str, ...] = ()


ABSENT = object()


def shared_labels(runs: Sequence[Sequence[object]], taken: Set[str] = frozenset()) -> Shared | None:
    """What the labels of several runs have in common; None when they cannot be one block's.

    Each run is the labels of its stages in order: a name, None where none is kept, `ABSENT` where
    the run lacks the stage. No call may have a label that is `taken`.
    """
    columns = [
        [label for label in column if label is not ABSENT] for column in zip(*runs, strict=True)
    ]
    if any(isinstance(label, Expression) for column in columns for label in column):
        return None
    if any(len({label is None for label in column}) > 1 for column in columns):
        return None
    kept = [place for place, column in enumerate(columns) if column[0] is not None]
    if not kept:
        return Shared((None,) * len(runs), (None,) * len(columns))
    return by_path(runs, kept, taken) or by_word(runs, kept)


def named(run: Sequence[object], kept: Sequence[int]) -> dict[int, str]:
    """The kept names of a run by their places."""
    return {place: str(run[place]) for place in kept if run[place] is not ABSENT}


def by_path(
    runs: Sequence[Sequence[object]], kept: Sequence[int], taken: Set[str]
) -> Shared | None:
    """A dotted path for each call, the longest that leaves the same names inside."""
    names = [named(run, kept) for run in runs]
    fullest = max(names, key=len)
    path = common_path(list(fullest.values()))
    for depth in range(len(path), 0, -1):
        start = len(".".join(path[:depth])) + 1
        inside = {place: label[start:] for place, label in fullest.items()}
        prefixes = [prefix_of(own, inside) for own in names]
        fits = all(prefixes) and len(set(prefixes)) == len(prefixes)
        if fits and not taken & set(prefixes):
            width = len(runs[0])
            return Shared(tuple(prefixes), tuple(inside.get(place) for place in range(width)))
    return None


def prefix_of(names: dict[int, str], inside: dict[int, str]) -> str:
    """The path before the names inside, which learn those that they lack; empty when it varies."""
    place = next((place for place in names if place in inside), None)
    if place is None or not names[place].endswith(f".{inside[place]}"):
        return ""
    prefix = names[place][: -len(inside[place]) - 1]
    own = {p: n[len(prefix) + 1 :] for p, n in names.items() if n.startswith(f"{prefix}.")}
    same = all(inside.get(place, rest) == rest for place, rest in own.items())
    if not same or len(own) < len(names):
        return ""
    inside |= own
    return prefix


def common_path(labels: Iterable[str]) -> list[str]:
    """The dotted parts that all labels begin with, never a whole label."""
    parts = [label.split(".")[:-1] for label in labels]
    shared = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return shared


def by_word(runs: Sequence[Sequence[object]], kept: Sequence[int]) -> Shared | None:
    """A word for each call that stands in all its names, what is around it being the same.

    The words are where the first names that all runs have differ: `2a` and `3b` of
    `res2a_branch1` and `res3b_branch1`.
    """
    names = [named(run, kept) for run in runs]
    full = [place for place in kept if all(place in own for own in names)]
    if not full or min(map(len, names)) < 2:
        return None
    words = differing([own[full[0]] for own in names])
    if not all(words) or len(set(words)) < len(words):
        return None
    inside: dict[int, Label] = {}
    for place in kept:
        pairs = [(own[place], word) for own, word in zip(names, words, strict=True) if place in own]
        around = surroundings(pairs)
        if around is None:
            return None
        before, after = around
        inside[place] = Expression(f"{before}{{name}}{after}")
    width = len(runs[0])
    return Shared(("",) * len(runs), tuple(map(inside.get, range(width))), tuple(words))


def differing(labels: Sequence[str]) -> list[str]:
    """What is left of each label without the beginning and the end of all; no number is cut."""
    start = len(common_beginning(labels).rstrip(DIGITS))
    rests = [label[start:] for label in labels]
    end = len(common_beginning([rest[::-1] for rest in rests]).rstrip(DIGITS))
    return [rest[: len(rest) - end] for rest in rests]


def surroundings(pairs: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """What stands before and after the word in every label, of pairs of both."""
    label, word = pairs[0]
    for start in range(len(label) - len(word) + 1):
        before, after = label[:start], label[start + len(word) :]
        if all(before + own + after == other for other, own in pairs):
            return before, after
    return None


def common_beginning(labels: Sequence[str]) -> str:
    """The letters that all labels begin with."""
    first, last = min(labels), max(labels)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]
