"""`netc run`: a definition or a compiled model on real input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from compiler.graph import Input
from compiler.initialise import initialise
from compiler.pictures import Picture
from netc.api import Net
from netc.options import Choice
from runtime.compare import random_feeds
from runtime.errors import CallError
from runtime.pictures import read_picture, write_picture
from runtime.reference import run_reference
from runtime.session import open_session
from runtime.weights import load_arrays, save_arrays

Shape = tuple[Any, ...]
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Subject:
    """What is run: input shapes and pictures, class names, and the way to run it."""

    name: str
    inputs: dict[str, Shape]
    pictures: dict[str, Picture]
    labels: dict[str, tuple[str, ...]]
    seeded: bool
    run: Callable[[dict[str, NDArray[Any]]], tuple[str, dict[str, NDArray[Any]]]]
    random: Callable[[], dict[str, NDArray[Any]]]


def execute(file: str, options: dict[str, Any], choice: Choice) -> None:
    """The whole of the `run` command."""
    if Path(file).suffix == ".onnx":
        if choice.net or choice.settings:
            raise CallError("an ONNX file has its parameters inside: no --net, no --set")
        subject = from_model(Path(file), options)
    else:
        subject = from_net(choice.single(file), options)
    feeds = gather(subject, options)
    device, outputs = subject.run(feeds)
    click.echo(
        f"{subject.name} on {device}"
        + (" with initial weights, not trained ones (give --weights)" if subject.seeded else "")
    )
    for name, value in outputs.items():
        describe(name, value, subject.labels.get(name), options["top"])
    if options["out"] is not None:
        write(options["out"], outputs, options["low_high"])


def from_net(net: Net, options: dict[str, Any]) -> Subject:
    """A definition: compiled on the way, or interpreted by NumPy."""
    if options["weights"] is not None:
        net = net.with_weights(options["weights"])
    graph, seed, device = net.graph, options["seed"], options["device"]
    given = len(graph.values)

    def run(feeds: dict[str, NDArray[Any]]) -> tuple[str, dict[str, NDArray[Any]]]:
        if device == "numpy":
            return "numpy", dict(run_reference(initialise(graph, seed), feeds))
        session = open_session(net.model(seed=seed).SerializeToString(), device)
        return session.device, session.run(feeds)

    inputs = {
        n.name: tuple(s if isinstance(s, int) else str(s) for s in n.shape) for n in graph.inputs()
    }
    pictures = {
        n.name: n.op.picture
        for n in graph.inputs()
        if isinstance(n.op, Input) and n.op.picture is not None
    }
    return Subject(
        net.name,
        inputs,
        pictures,
        dict(graph.labels),
        bool(graph.parameters()) and not given,
        run,
        lambda: random_feeds(graph, seed, batch=1),
    )


def from_model(path: Path, options: dict[str, Any]) -> Subject:
    """A compiled model, with what its metadata says of pictures and class names."""
    if options["device"] == "numpy":
        raise CallError("the NumPy device runs definitions, not ONNX files")
    if options["weights"] is not None:
        raise CallError("an ONNX file has its weights inside: no --weights")
    session = open_session(path, options["device"])
    metadata = session.metadata
    pictures, labels = {}, {}
    for key, value in metadata.items():
        try:
            if key.startswith("netc.picture."):
                pictures[key.removeprefix("netc.picture.")] = Picture.from_dict(json.loads(value))
            elif key.startswith("netc.labels."):
                labels[key.removeprefix("netc.labels.")] = tuple(map(str, json.loads(value)))
        except ValueError as error:
            raise CallError(f"the metadata {key} of {path} is broken: {error}") from None
    inputs = {name: tuple(shape[1:]) for name, shape in session.inputs.items()}

    def random() -> dict[str, NDArray[Any]]:
        generator = np.random.default_rng(options["seed"])
        return {
            name: generator.standard_normal(
                (1, *(s if isinstance(s, int) else 64 for s in shape))
            ).astype(np.float32)
            for name, shape in inputs.items()
        }

    return Subject(
        metadata.get("netc.net", path.stem),
        inputs,
        pictures,
        labels,
        False,
        lambda feeds: (session.device, session.run(feeds)),
        random,
    )


def gather(subject: Subject, options: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """The inputs: a picture, arrays, random numbers."""
    feeds: dict[str, NDArray[Any]] = subject.random() if options["random"] else {}
    for text in options["inputs"]:
        name, equals, path = text.partition("=")
        if not equals:
            raise CallError(f"--input takes name=x.npy, not {text}")
        if name not in subject.inputs:
            raise CallError(f"there is no input {name}; there are " + ", ".join(subject.inputs))
        feeds[name] = np.asarray(load_arrays(Path(path)), dtype=np.float32)
        check_feed(name, feeds[name], subject.inputs[name])
    if options["image"] is not None:
        maps = [n for n, shape in subject.inputs.items() if len(shape) == 3 and n not in feeds]
        if options["random"]:
            maps = [n for n, shape in subject.inputs.items() if len(shape) == 3]
        if not maps:
            raise CallError(f"{subject.name} has no input that takes a picture")
        feeds[maps[0]] = read_picture(
            options["image"], subject.inputs[maps[0]], subject.pictures.get(maps[0])
        )
    missing = [name for name in subject.inputs if name not in feeds]
    if missing:
        raise CallError(
            f"nothing is given for the input {missing[0]}: use --image, "
            f"--input {missing[0]}=x.npy or --random"
        )
    return feeds


def check_feed(name: str, value: NDArray[Any], shape: Shape) -> None:
    """Raise `CallError` when an array does not fit its input."""
    fits = value.ndim == len(shape) + 1 and all(
        not isinstance(want, int) or want == have
        for want, have in zip(shape, value.shape[1:], strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, ("N", *shape)))
        raise CallError(
            f"the input {name} is [{wanted}] with the batch first, the array is {list(value.shape)}"
        )


def describe(name: str, value: NDArray[Any], labels: tuple[str, ...] | None, top: int) -> None:
    """A line for each output; the largest entries of a vector."""
    sizes = "x".join(map(str, value.shape[1:]))
    click.echo(
        f"{name}: {sizes}, batch {value.shape[0]}, from {value.min():.4g} to "
        f"{value.max():.4g}, mean {value.mean():.4g}"
    )
    if value.ndim != 2 or value.shape[1] < 2:
        return
    for row in value[:4]:
        for rank, index in enumerate(np.argsort(-row, kind="stable")[:top], start=1):
            label = labels[index] if labels and index < len(labels) else f"class {index}"
            click.echo(f"  {rank}. {label}  {row[index]:.6f}")


def write(path: Path, outputs: dict[str, NDArray[Any]], low_high: str) -> None:
    """The outputs as arrays, or the first image-like one as a picture."""
    if path.suffix.lower() == ".npz":
        save_arrays(path, outputs)
        click.echo(f"wrote {', '.join(outputs)} to {path}")
        return
    if path.suffix.lower() not in PICTURES:
        raise CallError(f"--out writes .npz or a picture ({', '.join(sorted(PICTURES))})")
    maps = {n: v for n, v in outputs.items() if v.ndim == 4 and v.shape[1] in (1, 3, 4)}
    if not maps:
        raise CallError("no output is a picture (1, 3 or 4 channels); write an .npz")
    try:
        low, high = map(float, low_high.split(","))
    except ValueError:
        raise CallError("--range takes two numbers: --range=-1,1") from None
    name, value = next(iter(maps.items()))
    clipped = write_picture(path, value[0], low, high)
    share = clipped / value[0].size
    note = (
        f"; {share:.1%} of the values lay outside {low:g}..{high:g} and were clipped"
        if clipped
        else ""
    )
    click.echo(f"wrote {name} to {path}{note}")
