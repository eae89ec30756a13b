"""Definition files and the names they give each other with `use`."""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path

from compiler.domain import Facts
from compiler.evaluate import Evaluator
from compiler.files import Files, real
from compiler.ops import OPS
from compiler.symbols.names import Makers
from compiler.values import (
    FunctionValue,
    Mistake,
    Scope,
    Silenced,
    TooMuch,
    taken_apart,
    unknown,
    with_later_definition,
)
from grammar import syntax as s
from grammar.diagnostics import CallStep, DefinitionError, Diagnostic, nearest
from grammar.parse import Parsed, parse
from grammar.records import dataclass
from grammar.source import Source, Span


@dataclass(frozen=True)
class Closure:
    """A block, net or training as a value: its definition, its file's names, what may be read."""

    definition: s.Definition
    scope: Scope = field(repr=False, compare=False)
    files: Files = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the definition calls it."""
        return self.definition.name.id

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Module:
    """A loaded file: its tree, its top-level names, and the mistakes in it and what it uses."""

    file: s.File
    scope: Scope
    diagnostics: tuple[Diagnostic, ...] = ()

    def nets(self) -> list[Closure]:
        """The networks that the file itself defines, in order."""
        return self._defined("net")

    def trainings(self) -> list[Closure]:
        """The trainings that the file defines, in order, then those that it uses."""
        return [*self._defined("train"), *self.used_trainings()]

    def used_trainings(self) -> list[Closure]:
        """The trainings of other files that this one names, which is to have them trained."""
        names = (name.id for use in self.file.items if isinstance(use, s.Use) for name in use.names)
        found = (self.scope.values.get(name) for name in dict.fromkeys(names))
        return [c for c in found if isinstance(c, Closure) and c.definition.kind == "train"]

    def _defined(self, kind: str) -> list[Closure]:
        made = (i for i in self.file.items if isinstance(i, s.Definition) and i.kind == kind)
        found = map(self.scope.values.get, dict.fromkeys(item.name.id for item in made))
        return [block for block in found if isinstance(block, Closure)]

    def whole(self) -> Module:
        """The module itself when it has no mistake; raises `DefinitionError` with all it has."""
        if self.diagnostics:
            raise DefinitionError(self.diagnostics)
        return self


class Loader:
    """Loads files and what they use, each once; `use` stays inside the root folders."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._loaded: dict[Path, Module] = {}
        self._loading: list[Path] = []

    def load(self, source: Source, parsed: Parsed | None = None) -> Module:
        """The module of a source, with every mistake at the top level of all that it uses.

        `parsed` is what `parse` made of it, where that is known.
        """
        root = real(source.path).parent if source.path else None
        return self._module(parsed or parse(source), replace(self.files, root=root))

    def _module(self, parsed: Parsed, files: Files) -> Module:
        scope = Scope()
        found = list(parsed.diagnostics)
        evaluator = Evaluator(Facts())
        makers = Makers(parsed.file)
        gave_up = False
        for item in parsed.file.items:
            if isinstance(item, s.Broken) or gave_up:
                scope.lost |= names_of(item)
                continue
            try:
                if isinstance(item, s.Use):
                    self._use(item, scope, files, found)
                elif isinstance(item, s.Let):
                    for name in s.names_in(item.names):
                        self._check_new(name, scope)
                    value = evaluator(item.value, scope)
                    scope.values |= taken_apart(item.names, value, item.value.span, "let")
                elif isinstance(item, s.Function):
                    self._check_new(item.name, scope)
                    scope.values[item.name.id] = FunctionValue(item, scope)
                else:
                    self._check_new(item.name, scope)
                    if item.name.id in OPS:
                        raise Mistake(
                            "E204",
                            f"`{item.name.id}` is the name of an op",
                            item.name.span,
                            help="choose another name",
                        )
                    scope.values[item.name.id] = Closure(item, scope, files)
            except Mistake as mistake:
                mistakes = (mistake, *mistake.others)
                found += [diagnostic(with_later_definition(each, makers)) for each in mistakes]
                gave_up = isinstance(mistake, TooMuch)
                scope.lost |= names_of(item)
            except Silenced:
                scope.lost |= names_of(item)
        return Module(parsed.file, scope, tuple(found))

    @staticmethod
    def _check_new(name: s.Name, scope: Scope) -> None:
        if name.id in scope.values:
            raise Mistake("E204", f"`{name.id}` is defined twice in this file", name.span)

    def _use(self, item: s.Use, scope: Scope, files: Files, found: list[Diagnostic]) -> None:
        """Take names from another file; its own mistakes go to `found` when it is read."""
        path = files.find(item.path)
        if path in self._loading:
            cycle = " -> ".join(p.name for p in [*self._loading[self._loading.index(path) :], path])
            raise Mistake("E207", "files use each other in a circle", item.span, label=cycle)
        if path not in self._loaded:
            self._loading.append(path)
            try:
                parsed = parse(files.read(path, path.name))
                inner = replace(files, root=files.root_of(path))
                self._loaded[path] = self._module(parsed, inner)
            except OSError as error:
                raise unreadable(error, item.path.span) from None
            finally:
                self._loading.pop()
            found += self._loaded[path].diagnostics
        used = self._loaded[path].scope
        for name in item.names:
            if name.id in used.values:
                self._check_new(name, scope)
                scope.values[name.id] = used.values[name.id]
            elif name.id in used.lost:
                scope.lost.add(name.id)
            else:
                message = f"`{path.name}` defines no `{name.id}`"
                raise unknown(message, name.span, nearest(name.id, used.values))


def names_of(item: s.Item) -> frozenset[str]:
    """The names that an item defines, or may have defined."""
    match item:
        case s.Broken():
            return item.names
        case s.Use():
            return frozenset(name.id for name in item.names)
        case s.Let():
            return frozenset(name.id for name in s.names_in(item.names))
        case _:
            return frozenset({item.name.id})


def unreadable(error: OSError, place: Span) -> Mistake:
    """The mistake of naming a file that is there and cannot be read."""
    return Mistake("E207", "the file cannot be read", place, label=error.strerror or str(error))


def diagnostic(
    mistake: Mistake, call_stack: tuple[CallStep, ...] = (), notes: tuple[str, ...] | None = None
) -> Diagnostic:
    """A mistake as a diagnostic; `notes` take the place of its own."""
    found = Diagnostic(mistake.content, mistake.span, call_stack)
    return found if notes is None else found.saying(notes=notes)
