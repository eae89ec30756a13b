"""What may be written in a `use`: names of other files, and the files themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from compiler.files import LIBRARY
from netc.lsp.context import Context
from netc.lsp.describe import definition_text
from netc.lsp.scope import Proposal, Reachable


def used_names(scope: Reachable, context: Context, text: str) -> Iterator[Proposal]:
    """What the file of a `use` defines; while no file stands there, what any file defines, with it.

    Names that stand there already must be in the same file.
    """
    line_end = text.find("\n", context.start)
    line = text[context.start : line_end if line_end >= 0 else len(text)]
    _, _, path = line.partition("from")
    name = path.strip().strip('"')
    others = {token.text for token in context.statement[1:] if token.kind == "word"}
    for file in [*places(scope, name)] if name else files_beside(scope):
        other = scope.project.text(file)
        known = other.names.definitions if other else ()
        defined = [d for d in known if d.owner is None and d.kind != "used"]
        if not name and not others <= {d.name for d in defined}:
            continue
        for definition in defined:
            if definition.name not in others:
                insert = definition.name if name else f'{definition.name} from "{file.name}"'
                about, rank = definition_text(definition), 5 + file.is_relative_to(LIBRARY)
                yield Proposal(definition.name, "block", file.name, about, insert, rank=rank)


def files(scope: Reachable, written: str) -> Iterator[Proposal]:
    """The files that a path in a `use` can go on to, and the folders on the way."""
    folder = written[: written.rfind("/") + 1]
    if ".." in folder.split("/"):
        return
    here = scope.analysis.source.path
    for place in places(scope, folder):
        for path in entries(place):
            if path.is_dir():
                yield Proposal(f"{folder}{path.name}/", "file", "folder", rank=6)
            elif path != here:
                rank = 5 + 2 * path.is_relative_to(LIBRARY)
                yield Proposal(folder + path.name, "file", place.name, rank=rank)


def files_beside(scope: Reachable) -> list[Path]:
    """The files that `use` can name without a folder."""
    here = scope.analysis.source.path
    found = [path for place in places(scope, "") for path in entries(place)]
    return [path for path in found if path.is_file() and path != here]


def places(scope: Reachable, name: str) -> Iterator[Path]:
    """Where `use` looks for a name: beside this file, in the given folders, in the library."""
    here = scope.analysis.source.path
    for folder in [*([here.parent] if here else []), *scope.analysis.files.include, LIBRARY]:
        yield folder / name


def entries(folder: Path) -> list[Path]:
    """The definition files and the folders in a folder, hidden ones left out."""
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    seen = [path for path in found if not path.name.startswith((".", "__"))]
    return [path for path in seen if path.suffix == ".netdef" or path.is_dir()]
