"""A Darknet network being read: the tensor that each layer, counted from 0, makes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from compiler.importers.builder import GraphBuilder, Poisoned, Refused
from compiler.importers.from_darknet.cfg import Section
from compiler.registry import Registry
from compiler.values import Tensor


class DarknetNetwork:
    """One network being read; `section` is the layer at hand, `made` what those before it made."""

    def __init__(self, builder: GraphBuilder, image: Tensor) -> None:
        self.builder = builder
        self.image = image
        self.made: list[Tensor] = []
        self.taken: set[int] = set()
        self.section: Section
        self.parts: list[dict[str, str]] = []  # of each layer the nodes it became, by their op
        self.shared: Mapping[str, str] = {}  # those of the layer that this one shares with
        self.lenders: Collection[int] = ()  # the layers whose parameters others use

    def begin(self, section: Section) -> None:
        """Turn to the next layer."""
        self.section = section
        self.shared = {}
        self.parts.append({})

    def share_with(self, index: int) -> None:
        """Let the layer at hand use the parameters of another one."""
        absolute = lender(index, len(self.made))
        if not 0 <= absolute < len(self.made):
            raise Refused(f"there is no layer {index} before it to share with")
        self.shared = self.parts[absolute]
        if "conv" not in self.shared:
            raise Refused(f"layer {index} is no convolution whose parameters it could share")

    def current(self) -> Tensor:
        """What flows into the layer at hand."""
        tensor = self.made[-1] if self.made else self.image
        self.taken.add(len(self.made) - 1)
        if tensor.node is None:
            raise Poisoned
        return tensor

    def layer(self, index: int) -> Tensor:
        """What another layer made: a negative index counts back from the layer at hand."""
        absolute = index + len(self.made) if index < 0 else index
        if not 0 <= absolute < len(self.made):
            raise Refused(f"there is no layer {index} before it")
        self.builder.note(
            "a negative index of a route or shortcut counts back from it, others from the first"
        )
        self.taken.add(absolute)
        if self.made[absolute].node is None:
            raise Poisoned
        return self.made[absolute]

    def add(self, op: str, *inputs: Tensor, **arguments: Any) -> Tensor:
        """Add a layer, with a name that stays where another shares its parameters."""
        owner, place = self.shared.get(op, ""), len(self.made)
        lends = place in self.lenders and op in ("conv", "bn") and not owner
        name = f"layer{place}_{op}" if lends else ""
        made = self.builder.layer(
            op, inputs, self.section.span, name=name, kept=bool(name), owner=owner, **arguments
        )
        if name or owner:
            self.parts[-1].setdefault(op, owner or name)
        return made


def lender(index: int, place: int) -> int:
    """The layer that the one at a place shares with: a negative index counts back from it."""
    return index + place if index < 0 else index


Reader: TypeAlias = Callable[[DarknetNetwork], Tensor]
READERS: Registry[str, Reader] = Registry("compiler.importers.from_darknet", ("layers", "routes"))
reads = READERS.register
