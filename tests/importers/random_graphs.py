"""Random networks as an importer builds them: wild ones, and ones of repeated modules."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from compiler.dims import evaluate
from compiler.importers.builder import GraphBuilder
from compiler.importers.imported import Imported
from compiler.rewriting import Rewriting
from compiler.values import Tensor
from grammar.source import Source, Span

SOURCE = Source("random", "r")
SPAN = Span(SOURCE, 0, 1)


def finished(builder: GraphBuilder) -> Imported:
    """What the builder holds, without layers that lead nowhere."""
    graph = builder.graph.finished(outputs=builder.outputs, values=builder.values)
    graph = Rewriting(graph).finished()
    names = {node.name for node in graph.nodes()}
    return Imported(graph, frozenset(builder.kept & names), (), "random")


def size(tensor: Tensor, axis: int) -> int:
    """A size of a tensor: a number, as no input here is symbolic."""
    return evaluate(tensor.shape[axis], {})


@dataclass
class Wild:
    """Tensors that fork, join and end anywhere; names of any pattern, some misleading."""

    seed: int
    count: int = 0
    live: list[Tensor] = field(default_factory=list)

    def build(self) -> Imported:
        self.random = random.Random(self.seed)
        self.builder = GraphBuilder("wild", SOURCE)
        self.naming = self.random.choice(["none", "all", "some", "paths"])
        for number in range(self.random.choice([1, 1, 1, 2])):
            shape = (self.random.choice([3, 4, 8]), 8, 8)
            self.live.append(self.builder.input(f"in{number}", shape, SPAN))
        for _ in range(self.random.randint(3, 40)):
            self.step()
        for number, tensor in enumerate(self.live[-self.random.randint(1, 3) :]):
            self.builder.output(f"out{number}", tensor)
        return finished(self.builder)

    def step(self) -> None:
        """One more layer, several branches, or a join of two tensors."""
        choice = self.random.random()
        place = self.random.randrange(len(self.live))
        if choice < 0.55 or len(self.live) < 2:
            made = self.unit(self.live[place])
            if self.random.random() < 0.75:
                self.live[place] = made
            else:
                self.live.append(made)
        elif choice < 0.8:
            branches = [self.branch(self.live[place]) for _ in range(self.random.randint(2, 3))]
            op = self.random.choice(["concat", "concat", "add"])
            if op == "add":
                branches = [self.add("conv", b, channels=4, kernel=1, named=True) for b in branches]
            self.live[place] = self.add(op, *branches)
        else:
            first, second = self.random.sample(range(len(self.live)), 2)
            self.live[first] = self.add("concat", self.live[first], self.live[second])
            if self.random.random() < 0.6:
                self.live.pop(second)

    def branch(self, tensor: Tensor) -> Tensor:
        """Up to three layers."""
        for _ in range(self.random.randint(0, 3)):
            tensor = self.unit(tensor)
        return tensor

    def unit(self, tensor: Tensor) -> Tensor:
        """A layer that keeps the size of the map, or a convolution with what follows it."""
        kind = self.random.random()
        if kind < 0.6 and kind >= 0.35:
            return self.add(self.random.choice(["relu", "tanh", "sigmoid", "dropout"]), tensor)
        if kind < 0.8 and kind >= 0.6:
            named = self.random.random() < 0.3
            return self.add("maxpool", tensor, kernel=3, stride=1, pad=1, named=named)
        if kind >= 0.8:
            return self.add("leaky_relu", tensor, slope=self.random.choice([0.1, 0.2]))
        channels, kernel = self.random.choice([4, 4, 8]), self.random.choice([1, 3])
        biased = self.random.random() < 0.5
        tensor = self.add(
            "conv", tensor, channels=channels, kernel=kernel, pad="half", bias=biased, named=True
        )
        if self.random.random() < 0.5:
            tensor = self.add("bn", tensor, named=True)
        return self.add("relu", tensor) if self.random.random() < 0.7 else tensor

    def add(self, op: str, *inputs: Tensor, named: bool = False, **arguments: Any) -> Tensor:
        name = self.name(op) if named else {}
        return self.builder.layer(op, inputs, SPAN, **name, **arguments)

    def name(self, op: str) -> dict[str, Any]:
        """A name of its own, or none."""
        self.count += 1
        if self.naming == "none" or (self.naming == "some" and self.random.random() < 0.5):
            return {}
        own = f"{op}{self.count}"
        if self.naming == "paths":
            scope = self.random.choice(["a", "b", "layer1", "layer1.0", "stage"])
            return {"name": f"{scope}.{own}", "kept": True}
        odd = ["relu1" if self.count == 3 else f"c{self.count}", f"{op}_{self.count}", f"x.{own}"]
        return {"name": self.random.choice([own, *odd]), "kept": True}


@dataclass
class Modular:
    """Stages of equal modules, as published networks have them; some first strides of two."""

    seed: int
    count: int = 0

    def build(self) -> Imported:
        self.random = random.Random(self.seed)
        self.builder = GraphBuilder("modular", SOURCE)
        self.naming = self.random.choice(["none", "paths", "blocks", "words", "counted"])
        tensor = self.builder.input("x", (self.random.choice([3, 4, 8]), 32, 32), SPAN)
        for stage in range(self.random.randint(1, 3)):
            module, width = self.module(), self.random.choice([4, 8, 16])
            for turn in range(self.random.randint(1, 5)):
                halved = turn == 0 and stage > 0 and self.random.random() < 0.5
                stride = [2 if halved and size(tensor, 1) > 2 else 1]
                self.scope, self.place = self.scope_of(stage, turn), 0
                wide = width if self.random.random() < 0.7 else 2 * width
                tensor = self.chain(module, tensor, wide, stride)
                if size(tensor, 0) > 400:
                    break
            if self.random.random() < 0.4 and size(tensor, 1) > 2:
                tensor = self.builder.layer("maxpool", (tensor,), SPAN, kernel=2, stride=2)
        self.builder.output("y", tensor)
        return finished(self.builder)

    def scope_of(self, stage: int, turn: int) -> str:
        """What the names of a module's layers begin with."""
        self.count += 1
        scopes = {"paths": f"layer{stage}.{turn}.", "blocks": f"b{self.count}."}
        return scopes.get(self.naming, f"res{stage}_{turn}_")

    def module(self, depth: int = 0) -> list[tuple[Any, ...]]:
        """The steps of a module: convolutions, poolings, residual sums, concatenated branches."""
        steps: list[tuple[Any, ...]] = []
        for _ in range(self.random.randint(1, 4)):
            kind, chance = self.random.random(), self.random.random() < 0.5
            if kind < 0.5 or depth > 1:
                width = self.random.choice(["c", "c", "2c", "in", "16"])
                act = self.random.choice([None, "relu", "relu", "tanh"])
                steps.append(("conv", width, self.random.choice([1, 3]), chance, act))
            elif kind < 0.6:
                steps.append(("maxpool",))
            elif kind < 0.85:
                skip = self.random.choice(["none", "always", "bn"])
                steps.append(
                    ("add", self.module(depth + 1), skip, self.random.choice([None, "relu"]))
                )
            else:
                branches = [self.module(depth + 1) for _ in range(self.random.randint(2, 3))]
                steps.append(("concat", branches))
        return steps

    def chain(
        self, steps: list[tuple[Any, ...]], x: Tensor, width: int, stride: list[int]
    ) -> Tensor:
        """The steps one behind the other; the first convolution takes the stride."""
        for kind, *options in steps:
            if kind == "conv":
                x = self.conv(x, width, stride, *options)
            elif kind == "maxpool":
                x = self.builder.layer("maxpool", (x,), SPAN, kernel=3, stride=1, pad=1)
            elif kind == "add":
                x = self.residual(x, width, stride, *options)
            else:
                branches = [self.chain(branch, x, width, [1]) for branch in options[0]]
                x = self.builder.layer("concat", tuple(branches), SPAN)
        return x

    def conv(
        self,
        x: Tensor,
        width: int,
        stride: list[int],
        wide: str,
        kernel: int,
        bn: bool,
        act: str | None,
    ) -> Tensor:
        channels = {"c": width, "2c": 2 * width, "in": x.shape[0], "16": 16}[wide]
        s, stride[0] = stride[0], 1
        arguments: dict[str, Any] = {"channels": channels, "kernel": kernel, "stride": s}
        x = self.named("conv", x, pad=kernel // 2, bias=not bn, **arguments)
        if bn:
            x = self.named("bn", x)
        return self.builder.layer(act, (x,), SPAN) if act else x

    def residual(
        self, x: Tensor, width: int, stride: list[int], body: list[Any], skip: str, act: str | None
    ) -> Tensor:
        y = self.chain(body, x, width, stride)
        other = x
        if y.shape != x.shape or skip == "always":
            step = size(x, 1) // size(y, 1)
            other = self.named("conv", x, channels=y.shape[0], kernel=1, stride=step, bias=False)
            if skip == "bn":
                other = self.named("bn", other)
        added = self.builder.layer("add", (y, other), SPAN)
        return self.builder.layer(act, (added,), SPAN) if act else added

    def named(self, op: str, x: Tensor, **arguments: Any) -> Tensor:
        self.count += 1
        self.place += 1
        name = f"{op}{self.count}" if self.naming == "counted" else f"{self.scope}{op}{self.place}"
        words: dict[str, Any] = {} if self.naming == "none" else {"name": name, "kept": True}
        return self.builder.layer(op, (x,), SPAN, **words, **arguments)
