"""`netc maps`: what every layer makes of a picture."""

from __future__ import annotations

import re
from pathlib import Path

import click

from netc.errors import say
from netc.options import FILE, Command, NetChoice, counted, output, pictures, takes_net
from runtime.errors import CallError
from runtime.files import refuse_inputs
from runtime.weights.rename import WeightsFile

MOST_PICTURES = 2


@click.command("maps", cls=Command)
@FILE
@pictures(
    "A picture; may be repeated for two side by side, maps in the order of the first.",
    required=True,
)
@output(
    "X.html|X.png|FOLDER",
    "Where to draw: one page, one picture, or a folder with a picture for each layer.",
    required=True,
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="NAME",
    help="A layer to show, or a pattern of them; may be repeated. By default all, of a deep net "
    "what leaves its outermost blocks.",
)
@counted(
    "--most", default=64, most=4096, help="How many maps of a layer are shown, the strongest first."
)
@click.option(
    "--at",
    metavar="ROW,COLUMN",
    help="The output of the last maps whose receptive field is drawn; by default the middle one.",
)
@click.option(
    "--class", "chosen", type=int, metavar="N", help="The class whose score is explained."
)
@click.option(
    "--gradients/--no-gradients",
    default=True,
    show_default=True,
    help="Saliency, Grad-CAM and the effective receptive field, which take longest.",
)
@takes_net
def command(
    file: str,
    images: tuple[str, ...],
    output: Path,
    layers: tuple[str, ...],
    most: int,
    at: str | None,
    chosen: int | None,
    gradients: bool,
    seed: int,
    weights: WeightsFile | None,
    choice: NetChoice,
) -> None:
    """Draw what each layer makes of a picture, what outputs see."""
    from netc.maps import MapOptions, maps_of
    from netc.maps.write import check_form, write_maps

    check_form(output)
    if len(images) > MOST_PICTURES:
        raise CallError("one picture, or two side by side")
    options = MapOptions(layers, most, place_of(at), chosen, gradients, seed)
    net = choice.single(file, weights)
    refuse_inputs([output], choice.files.seen)
    maps = maps_of(net, [Path(image) for image in images], options)
    path = write_maps(maps, output, [*images, *choice.files.seen])
    if not net.graph.values and net.analysis.trainable:
        say(f"{net.name} with initial weights, not trained ones (give --weights)")
    for seen in maps.seen:
        if seen.score is not None:
            say(f"{seen.name}: {seen.score.name}")
    shown = len(maps.seen[0].layers)
    left = f" ({maps.left_out:,} more by --layer)" if maps.left_out and not layers else ""
    say(f"{net.name}: {shown:,} layer{'s' if shown != 1 else ''} -> {path}{left}")


def place_of(text: str | None) -> tuple[int, int] | None:
    """`3,4` as a row and a column."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,9}),(\d{1,9})", text)
    if match is None:
        raise CallError(f"--at takes ROW,COLUMN, as 3,4, not {text}")
    return int(match[1]), int(match[2])
