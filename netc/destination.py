"""Where the results of a run go, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.decode import SUFFIXES
from runtime.errors import CallError

TEXTS = ("table", "jsonl", "csv")  # these can go to the terminal
ARRAYS = ("npz", "npy", "parquet")
FORMS = (*TEXTS, *ARRAYS, "picture")


@dataclass(frozen=True)
class Destination:
    """`path` is None for standard output; `low` and `high` are a picture's black and white.

    Where they are `auto` each picture has its own.
    """

    path: Path | None
    form: str
    low: float = 0.0
    high: float = 1.0
    auto: bool = False

    @property
    def is_data(self) -> bool:
        """Whether standard output carries data for another program, and nothing else."""
        return self.path is None and self.form in ("jsonl", "csv")


def destination(out: Path | None, form: str | None, low_high: str) -> Destination:
    """Work out the form from the file's name, unless it is given; raises `CallError`."""
    auto = low_high == "auto"
    try:
        low, high = (0.0, 1.0) if auto else map(float, low_high.split(","))
    except ValueError:
        raise CallError("--range takes two numbers, --range=-1,1, or auto") from None
    if out is None:
        if form not in (None, *TEXTS):
            raise CallError(f"--format {form} needs a file to write: --out")
        return Destination(None, form or "table", low, high, auto)
    form = form or form_of(out)
    folder = form == "picture" and (out.is_dir() or not out.suffix)
    if not folder and not out.parent.is_dir():
        raise CallError(f"there is no folder {out.parent} to write to")
    if form == "picture":
        if not folder and out.suffix.lower() not in SUFFIXES:
            raise CallError(f"{out} is neither a picture nor a folder")
        if folder and out.exists() and not out.is_dir():
            raise CallError(f"{out} is a file, not a folder")
    elif out.is_dir():
        raise CallError(f"{out} is a folder, into which only pictures go")
    return Destination(out, form, low, high, auto)


def form_of(out: Path) -> str:
    """The form that a file's name stands for."""
    suffix = out.suffix.lower()
    if out.is_dir() or not suffix or suffix in SUFFIXES:
        return "picture"
    if suffix[1:] in FORMS:
        return suffix[1:]
    pictures = " ".join(sorted(SUFFIXES))
    raise CallError(
        f"--out writes .npz, .npy, .parquet, .jsonl, .csv or a picture ({pictures}), or pictures "
        "into a folder; for another name give --format"
    )
