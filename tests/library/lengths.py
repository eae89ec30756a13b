"""How long a net of the library is, and how long the class that another has for it, in tokens.

Both are counted as they are read: with all that they use and nothing else, without comments and
docstrings. What the registry of weights says in torchvision and timm is in neither: how a picture
becomes the input, the names of the classes, the published numbers, the decorators.
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from compiler.symbols.names import Names, children
from compiler.symbols.resolve import resolve
from grammar import syntax as s
from grammar.lexemes import scan
from grammar.parse import parse
from grammar.source import Source, Span
from netc.library import library_nets

OTHERS = ("torchvision.models", "torchvision.ops", "timm.models", "timm.layers")
REGISTRIES = ("torchvision.models._api", "timm.models._")  # their loading of weights
LOADING = ("checkpoint_", "_load_", "load_")  # how functions begin that read weights
LAYOUT = {
    *(tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT),
    *(tokenize.ENDMARKER, tokenize.ENCODING),
}
# From Python 3.12 on an f-string is several tokens, from this one to that one.
OPENS = getattr(tokenize, "FSTRING_START", None)
CLOSES = getattr(tokenize, "FSTRING_END", None)


def definition_tokens(net: str) -> int:
    """The tokens of a net of the library, its blocks, functions and tables."""
    return sum(map(tokens_of, definition_of(net)))


def definition_of(net: str) -> list[s.Item]:
    """A net of the library with all that it reaches, in the files that it uses too."""
    waiting, seen = [(library_nets()[net], net)], set[tuple[Path, str]]()
    found: dict[int, s.Item] = {}
    while waiting:
        path, name = place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        file, names = resolved(path)
        for item in file.items:
            if isinstance(item, s.Use):
                if name in [used.id for used in item.names]:
                    waiting.append((path.parent / item.path.span.text.strip('"'), name))
            elif name in defined(item):
                found[id(item)] = item
                waiting += [(path, used) for used in used_by(item, names)]
    return [*found.values()]


@cache
def resolved(path: Path) -> tuple[s.File, Names]:
    """The tree of a file, and what its names mean."""
    file = parse(Source(path.name, path.read_text(encoding="utf-8"), path)).file
    return file, resolve(file)


def defined(item: s.Item) -> list[str]:
    """What a definition at the top of a file is called."""
    if isinstance(item, s.Let):
        return [name.id for name in s.names_in(item.names)]
    return [item.name.id] if isinstance(item, s.Definition | s.Function) else []


def used_by(item: s.Item, names: Names) -> Iterator[str]:
    """What else of its file a definition uses."""
    for use in names.uses:
        for definition in use.definitions:
            top = definition.owner is None and not inside(definition.span, item.span)
            if top and inside(use.span, item.span):
                yield definition.name


def inside(part: Span, whole: Span) -> bool:
    """Whether a place lies in another of the same file."""
    return whole.start <= part.start < whole.end


def tokens_of(item: s.Item) -> int:
    """The words and signs of a definition, those of a registry left out."""
    left_out = [node.span for node in of_registries(item)]
    return sum(
        lexeme.kind not in ("newline", "comment")
        and not any(span.start <= lexeme.start < span.end for span in left_out)
        for lexeme in scan(item.span.source.text[: item.span.end], item.span.start)
    )


def of_registries(node: s.Syntax) -> Iterator[s.Syntax]:
    """Contracts with their conditions, where pictures come from, class names."""
    only_contracts = isinstance(node, s.If) and all(
        isinstance(statement, s.Expect) for statement in node.then.statements
    )
    if only_contracts or isinstance(node, s.Expect | s.ClassNames):
        yield node
        return
    if isinstance(node, s.InputDeclaration) and node.origin is not None:
        yield node.origin
    for child in children(node):
        yield from of_registries(child)


def class_tokens(module: Any, builder: FunctionType) -> int:
    """The tokens of a PyTorch module: of its class, its parts' classes, what builds it.

    Counted are the classes that are not PyTorch's own, with those that they extend, and the
    functions that these call.
    """
    classes = {kind for part in module.modules() for kind in type(part).__mro__}
    waiting: list[Any] = [builder, *(kind for kind in classes if is_theirs(kind))]
    seen: set[Any] = set()
    count = 0
    while waiting:
        thing = inspect.unwrap(waiting.pop())
        if thing in seen:
            continue
        seen.add(thing)
        tree = bare(ast.parse(textwrap.dedent(inspect.getsource(thing))))
        count += python_tokens(ast.unparse(tree))
        waiting += called(tree, vars(sys.modules[thing.__module__]))
    return count


def python_tokens(text: str) -> int:
    """The tokens of a text in Python; a string is one, whatever is worked out in it."""
    count = depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        count += not depth and token.type not in LAYOUT
        depth += (token.type == OPENS) - (token.type == CLOSES)
    return count


def is_theirs(thing: Any) -> bool:
    """Whether a class or function belongs to the networks of another, not to PyTorch."""
    return thing.__module__.startswith(OTHERS) and not thing.__module__.startswith(REGISTRIES)


def called(tree: ast.AST, names: dict[str, Any]) -> Iterator[Any]:
    """The functions that a text names and the modules that it makes, but for what loads weights."""
    heads = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        thing: Any = names.get(node.id) if isinstance(node, ast.Name) else None
        made = id(node) in heads and hasattr(thing, "forward")
        if not made and not isinstance(thing, FunctionType):
            continue
        if is_theirs(inspect.unwrap(thing)) and not thing.__name__.startswith(LOADING):
            yield thing


def bare(tree: ast.Module) -> ast.Module:
    """The text without docstrings and decorators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []
            node.body = without_docstring(node.body) or [ast.Pass()]
    return tree


def without_docstring(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    """The statements that are no text by themselves."""
    return [
        statement
        for statement in body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
