"""Pictures that are run for a report: the classes that come out, and the maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netc.maps import MapOptions, Maps, maps_of
from netc.net import Net
from netc.top_classes import RankedClass, Ranking, is_vector, top_classes


@dataclass(frozen=True)
class Ran:
    """What came of each picture: the largest entries of every vector, by output; the maps."""

    pictures: tuple[str, ...]
    classes: tuple[dict[str, list[RankedClass]], ...]
    maps: Maps
    trained: bool


def ran(net: Net, pictures: Sequence[Path], most: int, gradients: bool, seed: int) -> Ran:
    """Run pictures through a net; raises `CallError`."""
    ranking = Ranking(net.graph.labels)
    classes = []
    for picture in pictures:
        outputs = net.run(picture, seed=seed)
        vectors = {name: value[0] for name, value in outputs.items() if is_vector(value[0])}
        classes.append({name: top_classes(name, row, ranking) for name, row in vectors.items()})
    options = MapOptions(most=most, gradients=gradients, seed=seed)
    maps = maps_of(net, pictures, options)
    trained = bool(net.graph.values) or not net.analysis.trainable
    return Ran(tuple(picture.name for picture in pictures), tuple(classes), maps, trained)
