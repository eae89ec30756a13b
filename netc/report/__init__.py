"""`netc report`: all that there is to see of a network, in one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netc.net import Net
from netc.report.page import page
from netc.report.samples import Ran, ran
from netc.usual_sizes import usual_sizes
from runtime.errors import CallError
from runtime.files import refuse_inputs, write_whole

if TYPE_CHECKING:
    from runtime.layer_times import LayerTimes


@dataclass(frozen=True)
class ReportOptions:
    """What a report shows besides the definition.

    `bench` measures each layer's time; `images` are pictures that are run, with their maps, of
    each layer the `most` that vary the most.
    """

    bench: bool = False
    images: tuple[Path, ...] = ()
    most: int = 16
    gradients: bool = True
    seed: int = 0


def check_suffix(path: Path) -> None:
    """Raise `CallError` for a name that is no page's."""
    if path.suffix.lower() != ".html":
        raise CallError(f"a report is a page, X.html, not {path.name}")


def write_report(
    net: Net, path: Path, options: ReportOptions, read: Iterable[Path | str] = ()
) -> Path:
    """Write the report, whole or not at all; raises `CallError`.

    Nothing that was `read` is written over.
    """
    check_suffix(path)
    refuse_inputs([path], [*read, *options.images])
    times: LayerTimes | None = None
    if options.bench:
        from runtime.layer_times import measured
        from runtime.random_inputs import random_feeds

        sizes = usual_sizes(net.graph)
        feeds = dict(random_feeds(net.graph, options.seed, batch=1, sizes=sizes))
        times = measured(net.model(seed=options.seed), feeds)
    pictures: Ran | None = None
    if options.images:
        pictures = ran(net, options.images, options.most, options.gradients, options.seed)
    write_whole(path, page(net, times, pictures).encode())
    return path
