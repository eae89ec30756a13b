"""What an editor's settings say; unknown or ill-formed ones count as not set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Shapes = Literal["all", "changes", "off"]


@dataclass(frozen=True)
class Options:
    """The settings under `netc`.

    `shapes` (`inlayHints.shapes`) says after which stages the output shape is shown: "all", or
    only where it "changes", or "off". `macs` and `receptive_field` add to it. `include` are
    folders in which `use` may look.
    """

    shapes: Shapes = "all"
    macs: bool = False
    receptive_field: bool = False
    include: tuple[Path, ...] = ()

    @classmethod
    def of(cls, settings: Any, include: tuple[Path, ...] = ()) -> Options:
        """The settings as an editor sends them, `include` added to theirs."""
        settings = settings if isinstance(settings, dict) else {}
        settings = settings.get("netc", settings)
        settings = settings if isinstance(settings, dict) else {}
        hints = settings.get("inlayHints")
        hints = hints if isinstance(hints, dict) else {}
        shapes: Any = hints.get("shapes")
        folders = settings.get("include")
        given = [f for f in folders if isinstance(f, str)] if isinstance(folders, list) else []
        return cls(
            shapes if shapes in get_args(Shapes) else "all",
            hints.get("macs") is True,
            hints.get("receptiveField") is True,
            (*include, *map(Path, given)),
        )
