"""Rules that turn the names in a file of weights into a network's: `--rename "from=to"`.

    module.*=*                    each * stands for any text, and again for the same text
    head.*.gamma=fc.*.weight
    aux.*=                        nothing after the = leaves these arrays out
    /^layers\\.(\\d+)\\./=layer\\1.   a regular expression between slashes, replaced wherever it is

Each rule acts on what the rules before it made of the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.files import read_regular
from runtime.errors import CallError


@dataclass(frozen=True)
class RenameRule:
    """One rule: what it matches, and the template that replaces it; `whole` for a * pattern."""

    text: str
    pattern: re.Pattern[str]
    template: str
    whole: bool

    def __call__(self, name: str) -> str | None:
        """The new name, "" for an array that is left out, None for a name it does not match."""
        if self.whole:
            match = self.pattern.fullmatch(name)
            return None if match is None else match.expand(self.template)
        return self.pattern.sub(self.template, name) if self.pattern.search(name) else None


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights as a call gives it, with the rules for its names."""

    path: Path
    rules: tuple[RenameRule, ...] = ()


def parse_rule(text: str) -> RenameRule:
    """`from=to` as a rule; raises `CallError`."""
    if text.startswith("/"):
        expression, slash, template = text[1:].rpartition("/=")
        try:
            pattern = re.compile(expression)
            pattern.sub(template, "")
            re.compile(f"{expression}|").sub(template, "")  # a template's groups must exist
        except (re.error, IndexError) as error:
            raise CallError(f"--rename {text} is no regular expression: {error}") from None
        if not slash or not expression:
            raise CallError(f"--rename {text}: a regular expression is written /from/=to")
        return RenameRule(text, pattern, template, whole=False)
    source, equals, target = (part.strip() for part in text.partition("="))
    if not equals or not source:
        raise CallError(f'--rename takes from=to, as in "module.*=*", not {text}')
    if target and source.count("*") != target.count("*"):
        raise CallError(
            f"--rename {text}: both sides need the same number of *, the left has "
            f"{source.count('*')}, the right {target.count('*')}"
        )
    pattern = re.compile("(.*)".join(map(re.escape, source.split("*"))))
    pieces = [piece.replace("\\", "\\\\") for piece in target.split("*")]
    template = pieces[0] + "".join(f"\\{n}{piece}" for n, piece in enumerate(pieces[1:], start=1))
    return RenameRule(text, pattern, template, whole=True)


def read_rules(path: Path) -> list[str]:
    """The rules in a file, one a line; empty lines and those that begin with # say nothing."""
    try:
        lines = read_regular(path).decode("utf-8-sig").splitlines()
    except OSError as error:
        raise CallError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CallError(f"{path} is no UTF-8 text") from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def rename(names: Iterable[str], rules: Sequence[RenameRule]) -> dict[str, str]:
    """Each new name with the old one; names that are left out are missing.

    Raises `CallError` for a rule that matches nothing, and when two arrays get one name.
    """
    current = {name: name for name in names}
    for rule in rules:
        matched = False
        for old, name in list(current.items()):
            made = rule(name)
            if made is None:
                continue
            matched = True
            if made:
                current[old] = made
            else:
                del current[old]
        if not matched:
            raise CallError(f"--rename {rule.text} matches no name in the file")
    renamed: dict[str, str] = {}
    for old, name in current.items():
        if name in renamed:
            raise CallError(f"--rename makes {name} of both {renamed[name]} and {old}")
        renamed[name] = old
    return renamed
