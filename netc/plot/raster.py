"""A picture as .png or .pdf, by CairoSVG."""

from __future__ import annotations

from importlib import import_module

from runtime.errors import MachineError

SCALE = 2.0  # of a .png: pixels for each of the picture's own
MOST = 30_000  # pixels along a side, which is what Cairo can hold


def converted(svg: str, suffix: str) -> bytes:
    """A picture in the form of a suffix; raises `MachineError` where CairoSVG is missing."""
    try:
        cairosvg = import_module("cairosvg")
    except (ImportError, OSError) as error:  # the latter without the Cairo library itself
        raise MachineError(
            f"a picture as {suffix} needs CairoSVG, which cannot be loaded: {error}",
            "pip install '.[figures]' in a checkout of netc; or write an .svg",
        ) from None
    if suffix == ".pdf":
        return bytes(cairosvg.svg2pdf(bytestring=svg.encode()))
    largest = max(map(float, sizes(svg)))
    scale = min(SCALE, MOST / largest)
    return bytes(cairosvg.svg2png(bytestring=svg.encode(), scale=scale))


def sizes(svg: str) -> list[str]:
    """The width and the height that a picture of ours begins with."""
    head = svg.partition(">")[0]
    return [head.partition(f' {side}="')[2].partition('"')[0] for side in ("width", "height")]
