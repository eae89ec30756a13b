"""Which name may be meant, and which rename rules would make a file fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias

from runtime.errors import CallError
from runtime.weights.rename import parse_rule, rename

Shape: TypeAlias = tuple[int, ...]

MOST_RULES = 12
MOST_TRIED = 8
MOST_SPELLED = 32  # spelling is compared only among so few


def nearest(name: str, shape: Shape, candidates: Mapping[str, Shape]) -> str | None:
    """The candidate that may be meant: of the same shape if there is one, and alike in name."""
    alike = [other for other, its_shape in candidates.items() if its_shape == shape]
    pool = alike or list(candidates)
    parts = name.split(".")
    best = max(pool, key=lambda other: shared_parts(parts, other.split(".")), default=None)
    if best is None or len(alike) == 1 or shared_parts(parts, best.split(".")):
        return best
    close = get_close_matches(name, pool, n=1) if len(pool) <= MOST_SPELLED else []
    return close[0] if close else None


def shared_parts(a: Sequence[str], b: Sequence[str]) -> int:
    """How many parts two names have in common at their beginning and end."""
    return shared_start(a, b) + shared_start(a[::-1], b[::-1])


def shared_start(a: Sequence[str], b: Sequence[str]) -> int:
    """How many parts two names have in common before the first that differs."""
    for index, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return index
    return min(len(a), len(b))


def suggest_rules(
    needed: Mapping[str, Shape], stored: Mapping[str, Shape], missing: Mapping[str, Shape]
) -> tuple[str, ...]:
    """Rules for `--rename` that bring more arrays to their place; none that moves one away.

    Greedy: the rule that places most comes first, and the next is sought in what it leaves.
    Where every array is placed and some are left over, rules that leave those out.
    """
    rules: list[str] = []
    names = dict(stored)
    while len(rules) < MOST_RULES and missing and placed(needed, names) < len(needed):
        found = best_rule(needed, names)
        if found is None:
            break
        rule, names = found
        rules.append(rule)
    for name, target in pairs(needed, names).items():
        rules.append(f"{name}={target}")
        names[target] = names.pop(name)
    surplus = [name for name in names if name not in needed]
    if surplus and all(names.get(name) == shape for name, shape in needed.items()):
        rules += [f"{head}=" for head in heads(surplus, needed)]
    return tuple(rules[:MOST_RULES])


def placed(needed: Mapping[str, Shape], names: Mapping[str, Shape]) -> int:
    """How many needed arrays are there in their shape."""
    return sum(names.get(name) == shape for name, shape in needed.items())


def best_rule(
    needed: Mapping[str, Shape], names: Mapping[str, Shape]
) -> tuple[str, dict[str, Shape]] | None:
    """The rule that places most arrays, and the names after it; None when none places more."""
    before = placed(needed, names)
    best: tuple[int, str, dict[str, Shape]] | None = None
    for rule in candidates(needed, names):
        try:
            made = {new: names[old] for new, old in rename(names, [parse_rule(rule)]).items()}
        except CallError:
            continue
        count = placed(needed, made)
        if count > before and (best is None or count > best[0]):
            best = (count, rule, made)
    return None if best is None else best[1:]


def candidates(needed: Mapping[str, Shape], names: Mapping[str, Shape]) -> list[str]:
    """Patterns worth a try, commonest first: a prefix or a level more or less, a part replaced."""
    missing = {n: s for n, s in needed.items() if n not in names}
    surplus = {n: s for n, s in names.items() if n not in needed}
    counts: Counter[str] = Counter()
    for name in surplus:
        counts.update(f"{head}*=*" for head, tail in splits(name) if tail in missing)
    for name in missing:
        counts.update(f"*={head}*" for head, tail in splits(name) if tail in surplus)
    for name, shape in surplus.items():
        target = nearest(name, shape, missing)
        if target and missing[target] == shape:
            counts.update(between(name, target))
    return [rule for rule, _ in counts.most_common(MOST_TRIED)]


def pairs(needed: Mapping[str, Shape], names: Mapping[str, Shape]) -> dict[str, str]:
    """Single arrays of the same shape and like names: what is left over, with what is missing."""
    missing = {n: s for n, s in needed.items() if n not in names}
    found: dict[str, str] = {}
    for name, shape in names.items():
        if name in needed or {"*", "=", "/"} & {*name} or len(missing) > MOST_SPELLED:
            continue
        target = nearest(name, shape, missing)
        if target is not None and missing[target] == shape and are_alike(name, target):
            found[name] = target
            del missing[target]
    return found


def are_alike(a: str, b: str) -> bool:
    """Whether two names share a part, or are spelled alike."""
    return bool(shared_parts(a.split("."), b.split(".")) or get_close_matches(a, [b]))


def splits(name: str) -> list[tuple[str, str]]:
    """Each way to take leading parts off a name: `a.b.c` is `a.` + `b.c` and `a.b.` + `c`."""
    parts = name.split(".")
    return [
        (".".join(parts[:count]) + ".", ".".join(parts[count:])) for count in range(1, len(parts))
    ]


def between(name: str, target: str) -> list[str]:
    """The patterns that turn one name into the other where they differ in one run of parts.

    Where a level came in or went, what stands before it says where, its numbers left open:
    `n3.weight` and `n3.bn1.weight` give `n*.*=n*.bn1.*`.
    """
    if {"*", "=", "/"} & {*name}:
        return []
    ours, theirs = name.split("."), target.split(".")
    start = shared_start(ours, theirs)
    end = shared_start(ours[start:][::-1], theirs[start:][::-1])
    old, new = (".".join(parts[start : len(parts) - end]) for parts in (ours, theirs))
    after = ".*" if end else ""
    if old and new and (start or end):
        before = "*." if start else ""
        return [f"{before}{old}{after}={before}{new}{after}"]
    if not start:
        return []
    stems = [re.sub(r"[0-9]+", "*", part) for part in ours[:start]]
    near = stems[-1] if start == 1 else f"*.{stems[-1]}"
    return [
        f"{before}{dotted(old)}{after}={before}{dotted(new)}{after}"
        for before in dict.fromkeys((near, ".".join(stems)))
    ]


def dotted(part: str) -> str:
    """A part behind another, if there is one."""
    return f".{part}" if part else ""


def heads(surplus: list[str], needed: Mapping[str, Shape]) -> list[str]:
    """Patterns that cover the surplus and nothing that is needed.

    A slash stands in no needed name, but in those of constants: `relu61/constant_0`.
    """
    found: list[str] = []
    for name in surplus:
        _, slash, last = name.rpartition("/")
        if stem := last.rstrip("0123456789") if slash else "":
            found.append(f"*/{stem}*")
            continue
        for head, _ in splits(name):
            if not any(other.startswith(head) for other in needed):
                found.append(f"{head}*")
                break
        else:
            found.append(name)
    return list(dict.fromkeys(found))
