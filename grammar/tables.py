"""The LALR tables of the grammar, kept beside it: building them takes longer than checking a net.

`python -m grammar.tables` (or `make tables`) writes them anew after a change of the grammar.
Tables that were made from another text, or by another version of Lark, are never used.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import lark
from lark import Lark
from lark.grammar import NonTerminal, Rule, RuleOptions, Terminal
from lark.lexer import PatternRE, TerminalDef

from grammar.lexer import NewlineFilter, OneScanner

GRAMMAR = Path(__file__).with_name("netdef.lark")
TABLES = Path(__file__).with_name("netdef.tables.json")
STARTS = ["start", "expression"]
LEXER = {"ContextualLexer": OneScanner}
KINDS = {kind.__name__: kind for kind in (NonTerminal, Terminal, RuleOptions)}
SHIFT = 0  # Lark's number for this kind of action, `(SHIFT, next state)`; the other has a rule


def load_parser() -> Lark:
    """The parser of both starts: from the kept tables, or built when they are not current."""
    tables = kept_tables()
    if tables is None:
        return build_parser()
    tables["data"]["options"] |= {"postlex": NewlineFilter(), "_plugins": LEXER}
    return Lark.load(tables)


def build_parser() -> Lark:
    """The parser from the text of the grammar."""
    return Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=STARTS,
        propagate_positions=True,
        maybe_placeholders=True,
        postlex=NewlineFilter(),
        edit_terminals=as_whole_word,
        _plugins=LEXER,
    )


def as_whole_word(terminal: TerminalDef) -> None:
    """Keep a keyword from matching the beginning of a longer word: `network` is not `net work`."""
    if re.fullmatch(r"[a-z]+|\(\?:[a-z|]+\)", terminal.pattern.value):
        terminal.pattern = PatternRE(rf"{terminal.pattern.value}\b")
        terminal.priority += 1  # before NAME, as the keyword was


def origin() -> dict[str, str]:
    """What the tables depend on: the grammar's text and Lark itself."""
    text = GRAMMAR.read_text(encoding="utf-8")
    return {"lark": lark.__version__, "grammar": hashlib.sha256(text.encode()).hexdigest()}


def kept_tables() -> Any:
    """The file's content in the form that `Lark.load` takes; None when it is not current."""
    try:
        found = json.loads(TABLES.read_text(encoding="utf-8"))
        if found["origin"] != origin():
            return None
        found["memo"] = unpacked(found["parts"], found["terminals"], found["rules"])
        table = found["data"]["parser"]["parser"]
        table["tokens"] = by_number(table["tokens"])
        table["states"] = {int(n): by_number(row) for n, row in table["states"].items()}
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None
    return found


def by_number(keyed: dict[str, Any]) -> dict[int, Any]:
    """A mapping whose keys JSON has made texts of."""
    return {int(key): value for key, value in keyed.items()}


def tables_text() -> str:
    """The tables as the file has them."""
    data, memo = build_parser().memo_serialize([TerminalDef, Rule])
    data["options"] |= {"edit_terminals": None, "postlex": None, "_plugins": {}}
    data["parser"]["parser"] = renumbered(data["parser"]["parser"])
    found = {"origin": origin(), **packed(memo), "data": data}
    return json.dumps(found, separators=(",", ":")) + "\n"


def packed(memo: dict[int, Any]) -> dict[str, list[Any]]:
    """Lark's terminals and rules, numbered in this order; their symbols and options once."""
    terminals = [one for one in memo.values() if one["__type__"] == "TerminalDef"]
    rules = [one for one in memo.values() if one["__type__"] == "Rule"]
    assert [*memo.values()] == terminals + rules and [*memo] == [*range(len(memo))]
    numbers: dict[str, int] = {}

    def number(part: Any) -> int:
        return numbers.setdefault(json.dumps(part), len(numbers))

    lines = [
        [
            number(r["origin"]),
            list(map(number, r["expansion"])),
            r["order"],
            r["alias"],
            number(r["options"]),
        ]
        for r in rules
    ]
    return {"parts": [json.loads(part) for part in numbers], "terminals": terminals, "rules": lines}


def unpacked(parts: list[Any], terminals: list[Any], rules: list[Any]) -> dict[int, Any]:
    """The terminals and rules by their numbers, as `Lark.load` wants them: as objects."""
    made = [KINDS[part["__type__"]].deserialize(part, {}) for part in parts]
    found: list[Any] = [TerminalDef.deserialize(terminal, {}) for terminal in terminals]
    for origin, expansion, order, alias, options in rules:
        symbols = [made[number] for number in expansion]
        found.append(Rule(made[origin], symbols, order, alias, made[options]))
    return dict(enumerate(found))


def renumbered(table: dict[str, Any]) -> dict[str, Any]:
    """A parse table with its tokens in alphabetical order and its states in that of a search.

    Lark numbers both as its sets happen to be ordered; the file should change with the grammar
    only.
    """
    tokens, starts, ends = table["tokens"], table["start_states"], table["end_states"]
    rows = {
        state: sorted((tokens[token], *action) for token, action in row.items())
        for state, row in table["states"].items()
    }
    reached = [starts[start] for start in STARTS]
    states = {state: number for number, state in enumerate(reached)}
    for state in reached:
        for _, kind, target in rows[state]:
            if kind == SHIFT and target not in states:
                states[target] = len(states)
                reached.append(target)
    names = {name: number for number, name in enumerate(sorted(tokens.values()))}
    return {
        "tokens": {number: name for name, number in names.items()},
        "states": {
            number: {
                names[name]: (kind, states[target] if kind == SHIFT else target)
                for name, kind, target in rows[state]
            }
            for state, number in states.items()
        },
        "start_states": {start: states[starts[start]] for start in STARTS},
        "end_states": {start: states[ends[start]] for start in STARTS},
    }


if __name__ == "__main__":
    TABLES.write_text(tables_text(), encoding="utf-8")
