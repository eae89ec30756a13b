"""A network on a device, ready to be run again and again, from several threads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any

from compiler.graph import Graph
from netc.given import documented, list_of, one_of, text_of, whole
from netc.runnable import Engine, Runnable, runnable_of_graph
from runtime.batches import Arrays, collect, run_batches
from runtime.errors import CallError
from runtime.inputs import Sample, samples_of
from runtime.pictures import VIEWS, Augment
from runtime.valid_sizes import check_sizes

MOST_OPEN = 4  # choices of other tensors that a session keeps open besides its own outputs


class Session:
    """A network opened on a device: `net.session(device="cuda")`.

    Opening compiles and loads, running does neither. `run` may be called from several threads at
    once; they share the weights. A session does not survive a fork: open one in each process.
    """

    def __init__(self, graph: Graph, engine: Engine) -> None:
        self._graph = graph
        self._engine = engine
        self._process = os.getpid()
        self._lock = Lock()
        self._opened: dict[tuple[str, ...], Runnable] = {}
        runner = self._runnable(()).runner
        self.device = runner.device
        self.note = runner.note

    def __repr__(self) -> str:
        return f"<Session of {self._graph.name} on {self.device}>"

    @documented
    def run(
        self,
        given: Any,
        *,
        tensors: Sequence[str] = (),
        batch_size: int | None = None,
        tta: Augment = "none",
    ) -> Arrays:
        """The outputs by name, one row a sample.

        `given` is a picture (a path, a Pillow picture, an array of uint8 [H, W, 3]), an array of
        one sample or of a batch, a folder or glob, a list of any of these, or a mapping of them by
        input name. With `tensors` the tensors of these labels come instead of the outputs: a layer
        ("conv1"), a block ("i4a", what flows out of it), an output. `batch_size` bounds how many
        samples run at once (all, if None); `tta` averages the views of flip or tencrop.
        """
        if isinstance(tensors, str):
            tensors = (tensors,)
        tensors = [text_of("a tensor", label) for label in list_of("tensors", tensors)]
        if batch_size is not None:
            batch_size = whole("batch_size", batch_size, 1)
        one_of("tta", tta, tuple(VIEWS))
        runnable = self._runnable(tuple(tensors))
        samples = samples_by_input(runnable, given, tta)
        count = len(next(iter(samples.values())))
        return collect(
            run_batches(
                runnable.runner,
                samples,
                size=batch_size or count,
                augment=tta,
                check=partial(check_sizes, runnable.inputs, runnable.violated),
            )
        )

    def _runnable(self, tensors: tuple[str, ...]) -> Runnable:
        """The network with these tensors as outputs: opened before, or now.

        Each holds weights of its own, so those that were not asked for lately are closed.
        """
        if os.getpid() != self._process:
            raise CallError("a session does not survive a fork: open one in each process")
        with self._lock:
            runnable = self._opened.pop(tensors, None)
            if runnable is None:
                runnable = runnable_of_graph(self._graph, self._engine, tensors)
            self._opened[tensors] = runnable  # the one used last stands last
            for other in [labels for labels in self._opened if labels][:-MOST_OPEN]:
                del self._opened[other]
            return runnable


def samples_by_input(runnable: Runnable, given: Any, augment: Augment) -> dict[str, list[Sample]]:
    """What was given, as samples for every input; raises `CallError`."""
    names = [spec.name for spec in runnable.inputs]
    if not isinstance(given, Mapping):
        if len(names) != 1:
            raise CallError(f"{runnable.name} has several inputs, give them by name: {names}")
        given = {names[0]: given}
    found = {name: samples_of(runnable.spec(name), value, augment) for name, value in given.items()}
    missing = [name for name in names if name not in found]
    if missing:
        raise CallError(f"nothing is given for the input {missing[0]}")
    return found
