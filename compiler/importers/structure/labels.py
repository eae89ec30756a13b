"""How the kept names of a run follow from one name for the whole run.

Three ways, the first that fits all runs: no name is kept; the names share a dotted path
(`layer1.0.conv1`, `layer1.0.bn1`), which becomes the label of the call; they share the beginning
of a word (`res2a_branch1`, `res2a_branch2`), which becomes a parameter of the block.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from compiler.importers.structure.tree import Expression

Label = str | None


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
    paths = [common_path(list(own.values())) for own in names]
    for dropped in range(max(map(len, paths)) + 1):
        prefixes = [".".join(path[: len(path) - dropped]) for path in paths]
        if not all(prefixes) or len(set(prefixes)) < len(prefixes) or taken & set(prefixes):
            continue
        inside: dict[int, str] = {}
        fits = True
        for own, prefix in zip(names, prefixes, strict=True):
            for place, label in own.items():
                rest = label[len(prefix) + 1 :]
                fits = fits and inside.setdefault(place, rest) == rest
        if fits:
            width = len(runs[0])
            return Shared(tuple(prefixes), tuple(inside.get(place) for place in range(width)))
    return None


def common_path(labels: Sequence[str]) -> list[str]:
    """The dotted parts that all labels begin with, never a whole label."""
    parts = [label.split(".")[:-1] for label in labels]
    shared = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return shared


def common_beginning(labels: Sequence[str]) -> str:
    """The letters that all labels begin with."""
    first, last = min(labels), max(labels)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]


def by_word(runs: Sequence[Sequence[object]], kept: Sequence[int]) -> Shared | None:
    """A word for each call with which all its names begin, the rests being the same.

    The rests are those of the run that has most names, whose word is the shortest.
    """
    names = [named(run, kept) for run in runs]
    fullest = max(names, key=len)
    if min(map(len, names)) < 2 or len(fullest) < len(kept):
        return None
    shortest = common_beginning(list(fullest.values()))
    inside = {place: label[len(shortest) :] for place, label in fullest.items()}
    words = [word_of(own, inside) for own in names]
    if not all(words) or len(set(words)) < len(words) or not all(inside.values()):
        return None
    width = len(runs[0])
    labels = tuple(
        Expression("{name}" + inside[place]) if place in inside else None for place in range(width)
    )
    return Shared(("",) * len(runs), labels, tuple(words))


def word_of(names: dict[int, str], inside: dict[int, str]) -> str:
    """What stands before the rests in all names of a run; empty when that differs."""
    words = {label.removesuffix(inside[place]) for place, label in names.items()}
    fits = all(label.endswith(inside[place]) for place, label in names.items())
    return words.pop() if fits and len(words) == 1 else ""
