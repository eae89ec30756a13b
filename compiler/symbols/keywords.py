"""Which parameter each keyword of a call means; a block passed as an argument is followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.symbols.names import NameDefinition, Reference
from grammar import syntax as s
from grammar.records import dataclass
from grammar.source import Span

Parameters = Mapping[NameDefinition, Mapping[str, NameDefinition]]


@dataclass(frozen=True, eq=False)
class KeywordCall:
    """A call of something that a file defines or uses.

    `values` has for each argument what its value names, when it is a bare name.
    """

    callee: tuple[NameDefinition, ...]
    arguments: tuple[s.Argument, ...]
    values: tuple[tuple[NameDefinition, ...], ...]


def keyword_uses(calls: Iterable[KeywordCall], parameters: Parameters) -> Iterator[Reference]:
    """A use for each keyword; `parameters` has those of each block and net by name."""
    calls = tuple(calls)
    passed = blocks_passed(calls, parameters)
    for call in calls:
        blocks = [b for d in call.callee for b in (d, *passed.get(d, ()))]
        for argument in call.arguments:
            if argument.keyword is None:
                continue
            found = [parameters.get(block, {}).get(argument.keyword) for block in blocks]
            known = tuple(definition for definition in found if definition is not None)
            yield Reference(argument.keyword, keyword_span(argument), "keyword", known, call.callee)


def keyword_span(argument: s.Argument) -> Span:
    """The place of an argument's keyword."""
    start = argument.span.start
    return Span(argument.span.source, start, start + len(argument.keyword or ""))


def blocks_passed(
    calls: tuple[KeywordCall, ...], parameters: Parameters
) -> dict[NameDefinition, dict[NameDefinition, None]]:
    """The blocks that some call gives to a parameter, through other parameters too."""
    passed: dict[NameDefinition, dict[NameDefinition, None]] = {}
    growing = True
    while growing:
        growing = False
        for call in calls:
            for block in [b for d in call.callee for b in (d, *passed.get(d, ()))]:
                for parameter, given in bound(call, parameters.get(block, {})):
                    blocks = [b for d in given for b in (d, *passed.get(d, ()))]
                    known = passed.setdefault(parameter, {})
                    new = {b: None for b in blocks if b in parameters and b not in known}
                    known |= new
                    growing = growing or bool(new)
    return passed


def bound(
    call: KeywordCall, parameters: Mapping[str, NameDefinition]
) -> Iterator[tuple[NameDefinition, tuple[NameDefinition, ...]]]:
    """The parameters of a block with what the arguments of a call name."""
    order = list(parameters)
    for index, (argument, value) in enumerate(zip(call.arguments, call.values, strict=True)):
        name = argument.keyword or (order[index] if index < len(order) else "")
        if name in parameters:
            yield parameters[name], value
