"""How many times as long as its definition a net's PyTorch source is, in tokens.

    python -m tests.library.source_length [NET …]

The definition is the net with all that it reaches, in the files that it uses too. Comments and
docstrings, line ends and what only imports count on neither side.
"""

from __future__ import annotations

import ast
import sys

from compiler.driver import check_net
from compiler.symbols.modules import Closure
from compiler.torch.source import write_source
from grammar.lexemes import scan
from netc.library import library_nets, open_module
from tests.library.lengths import definition_of, python_tokens


def whole_definition_tokens(name: str) -> int:
    """The tokens of a net of the library with all that it reaches."""
    lexemes = (each for item in definition_of(name) for each in scan(item.span.text))
    return sum(each.kind not in ("newline", "comment") for each in lexemes)


def source_tokens(source: str) -> int:
    """The tokens of Python without its imports and docstrings."""
    lines = (
        line
        for line in source.splitlines(keepends=True)
        if not line.startswith(("import ", "from "))
    )
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = sum(
        isinstance(node, documented) and ast.get_docstring(node) is not None
        for node in ast.walk(ast.parse(source))
    )
    return python_tokens("".join(lines)) - docstrings


def net_of(name: str) -> Closure:
    """A net of the library."""
    module, _ = open_module(name)
    return next(net for net in module.nets() if net.name == name)


def ratio(name: str) -> float:
    """The tokens of the source over those of the definition."""
    source = write_source(check_net(net_of(name)).graph)
    return source_tokens(source) / whole_definition_tokens(name)


def main() -> None:
    """A line for each net, the longest first."""
    names = sys.argv[1:] or sorted(library_nets())
    for found, name in sorted(((ratio(name), name) for name in names), reverse=True):
        print(f"{name:28}{whole_definition_tokens(name):6}{found:7.2f}")


if __name__ == "__main__":
    main()
