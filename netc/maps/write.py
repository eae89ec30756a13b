"""Where maps are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from netc.maps import Maps
from netc.maps.page import files, page, png_of, poster
from runtime.errors import CallError
from runtime.files import reasons, refuse_inputs, write_whole


def check_form(path: Path) -> None:
    """Raise `CallError` for a name that says neither a page, nor a picture, nor a folder."""
    if path.suffix.lower() not in (".html", ".png", "") and not path.is_dir():
        raise CallError(f"maps are drawn as .html, .png, or into a folder, not {path.suffix}")


def write_maps(maps: Maps, path: Path, read: Iterable[Path | str] = ()) -> Path:
    """Write a page, a picture, or a folder of pictures; each file whole or not at all.

    Raises `CallError` where one of them is a file that was `read`.
    """
    match path.suffix.lower():
        case ".html":
            refuse_inputs([path], read)
            write_whole(path, page(maps).encode())
        case ".png":
            refuse_inputs([path], read)
            write_whole(path, png_of(poster(maps)))
        case _:
            pictures = files(maps)
            refuse_inputs((path / name for name in pictures), read)
            with reasons(path):
                path.mkdir(parents=True, exist_ok=True)
            for name, content in pictures.items():
                write_whole(path / name, content)
    return path
