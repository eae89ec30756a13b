"""One model being read: what each tensor name stands for, and how an operator asks for it.

A name stands for a tensor of the network (batch first), a constant, or sizes: integers known up to
symbols, as `Shape` gives them and `Reshape` takes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim, Size, symbol
from compiler.importers.builder import GraphBuilder, Poisoned, Refused, clean_label
from compiler.importers.from_onnx.names import is_called, is_of_code, is_parameter, layer_name
from compiler.importers.from_onnx.operators import OnnxModel, Operator
from compiler.importers.from_onnx.patterns import Matcher
from compiler.registry import Registry
from compiler.values import POISON, Tensor
from grammar.records import dataclass

BATCH = symbol("batch axis")  # no name of a model: it has a blank


@dataclass(frozen=True)
class Sizes:
    """A tensor of sizes, ints and `Dim`s in an object array of 0 or 1 axes."""

    array: NDArray[Any]


@dataclass(frozen=True)
class Pending:
    """A tensor of the network of which no layer is made yet: see `views.py`."""

    tensor: Tensor


Value: TypeAlias = "Tensor | NDArray[Any] | Sizes | Pending"
Made: TypeAlias = "Value | Sequence[Value]"


def counted(axis: int, rank: int) -> int:
    """An axis counted from the front, as a negative one is not; raises `Refused` for none."""
    if not -rank <= axis < rank:
        raise Refused(f"there is no axis {axis} in a tensor of rank {rank}")
    return axis % rank


def all_counted(axes: Iterable[Size], rank: int) -> list[int]:
    """Axes counted from the front, no two the same; raises `Refused`."""
    found = [counted(axis, rank) for axis in axes if not isinstance(axis, Dim)]
    if len(set(found)) != len(found):
        raise Refused(f"it names an axis twice: {', '.join(map(str, axes))}")
    return found


class Reading:
    """The operator at hand, with what its inputs stand for.

    `batch` is 1 when axis 0 of every tensor is the batch, 0 when a whole tensor is one sample.
    `batch_size` is the batch that the model fixes, if it fixes one. `uses` counts how often each
    tensor name is taken.
    """

    def __init__(self, builder: GraphBuilder, model: OnnxModel, batch: int) -> None:
        self.builder = builder
        self.opset = model.opset
        self.folding = model.folding
        self.matcher = Matcher(model)
        self.learned = model.learned
        self.by_torch = model.producer.startswith("pytorch")
        self.batch = batch
        self.batch_size: int | None = None
        self.uses = Counter(name for operator in model.operators for name in operator.inputs)
        self.uses.update(declared.name for declared in model.outputs)
        self.values: dict[str, Value] = dict(model.constants)
        self.unknown: set[str] = set()  # constants that could not be worked out
        self.origins = dict(model.origins)
        self.worked_on = [*model.worked_on]
        self.worked = {name for operator in model.worked_on for name in operator.outputs}
        self.expanded: dict[str, Operator] = {}  # by which something learned goes to each sample
        self.layers: dict[tuple[str, int], Tensor | None] = {}  # for constants: see `worked.py`
        self.parameters: dict[tuple[str, int], Tensor] = {}
        self.exact = False  # whether initializers are called as ours are
        self.owners: dict[tuple[str, ...], str] = {}
        self.read: set[str] = set()  # the attributes of the operator at hand that were asked for
        self.operator: Operator

    # ---- inputs

    def has(self, index: int) -> bool:
        """Whether the optional input is there."""
        return index < len(self.operator.inputs) and bool(self.operator.inputs[index])

    def value(self, index: int) -> Value:
        """What an input stands for; raises `Poisoned` after an earlier refusal."""
        if not self.has(index):
            raise Refused(f"it lacks its input {index}")
        value = self.values.get(self.operator.inputs[index], POISON)
        if isinstance(value, Tensor) and value.node is None:
            raise Poisoned
        return value

    def tensor(self, index: int = 0) -> Tensor:
        """An input that is a tensor of the network."""
        value = self.value(index)
        if not isinstance(value, Tensor):
            raise Refused(f"its input {self.operator.inputs[index]} is a constant")
        return value

    def tensors(self) -> tuple[Tensor, ...]:
        """All inputs, each a tensor of the network."""
        return tuple(self.tensor(i) for i in range(len(self.operator.inputs)))

    def array(self, index: int) -> NDArray[Any]:
        """An input that is a constant."""
        value = self.value(index)
        if isinstance(value, np.ndarray):
            return value
        name = self.operator.inputs[index]
        raise Refused(f"its input {name} is no constant but computed by the network")

    def sizes(self, index: int) -> list[Size]:
        """An input that is a list of sizes: a constant of integers, or computed from shapes."""
        value = self.value(index)
        if isinstance(value, Tensor):
            raise Refused(f"its input {self.operator.inputs[index]} is computed by the network")
        if isinstance(value, Pending):
            raise Refused(f"its input {self.operator.inputs[index]} is computed by the network")
        array = value.array if isinstance(value, Sizes) else value
        if array.ndim > 1 or array.dtype.kind not in "iuO":
            raise Refused(f"its input {self.operator.inputs[index]} is no list of whole numbers")
        return [s if isinstance(s, Dim) else int(s) for s in np.atleast_1d(array).tolist()]

    # ---- attributes

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        self.read.add(name)
        return self.operator.attributes.get(name, default)

    def axis(self, axis: int, tensor: Tensor) -> int:
        """An axis of the ONNX tensor as one of the sample; raises `Refused` for the batch."""
        found = counted(axis, len(tensor.shape) + self.batch) - self.batch
        if found < 0:
            raise Refused("it acts along the batch")
        return found

    def is_learned(self, names: Sequence[str]) -> bool:
        """Whether any of these constants differs from value to value, as what is learned does."""
        arrays = [self.values.get(name) for name in names]
        return any(isinstance(a, np.ndarray) and a.size > 1 and bool(np.ptp(a)) for a in arrays)

    def is_of_code(self, index: int) -> bool:
        """Whether a constant is numbers of the code or fixed ones, in whatever shape.

        Where the model does not say what is learned, its names do; see `names.is_of_code`.
        """
        name = self.operator.inputs[index]
        name = self.origins.get(name, name)
        return is_of_code(name) if self.learned is None else name not in self.learned

    def work_on(self, operator: Operator, made: Mapping[str, NDArray[Any]]) -> None:
        """Remember an operator that was worked out of parameters, if it makes fractions."""
        if not self.worked & made.keys() and any(a.dtype.kind == "f" for a in made.values()):
            self.worked_on.append(operator)
            self.worked |= made.keys()

    def is_parameter(self, name: str) -> bool:
        """Whether a constant is known to be a parameter's numbers as they stand, in any shape."""
        known = self.origins.get(name, name)
        if self.learned is None or known not in self.learned or not is_parameter(known):
            return False
        own, value = self.values.get(known), self.values.get(name)
        if not isinstance(own, np.ndarray) or not isinstance(value, np.ndarray):
            return False
        return np.array_equal(own.reshape(-1), value.reshape(-1))

    def holds(self, layer: str, weights: Mapping[str, NDArray[Any]]) -> bool:
        """Whether these are the numbers of a layer's parameters."""
        held = self.builder.parameters(layer)
        return held.keys() == weights.keys() and all(
            np.array_equal(held[name].reshape(-1), np.float32(value).reshape(-1))
            for name, value in weights.items()
        )

    # ---- layers

    def add(
        self,
        op: str,
        *inputs: Tensor,
        weights: Mapping[str, NDArray[Any]] | None = None,
        known_by: Sequence[int] = (),
        **arguments: Any,
    ) -> Tensor:
        """Add a layer; `known_by` are the operator's inputs that hold its parameters.

        A layer whose parameters another layer of the same op has already shares that one's.
        """
        operator = self.operator
        taken = [operator.inputs[i] for i in known_by if self.has(i)]
        holders = tuple(self.origins.get(name, name) for name in taken)
        owner = self.owners.get((op, *holders), "") if holders else ""
        # Equal constants that an exporter stored once, or an initializer in another role (with the
        # other sign, transposed, its reciprocal), are no shared parameters; those of the module
        # that the operator is in are, where it is called again.
        learned = self.is_learned(taken) or (bool(owner) and is_called(operator, holders[0]))
        again = bool(owner) and not (learned and self.holds(owner, weights or {}))
        owner = "" if again else owner
        name, kept = layer_name(operator, holders, again)
        if op == "param" and not again:  # called as its numbers, without a suffix
            name, kept = clean_label(holders[0]), True
        if kept and not owner and name in self.builder.graph:
            name, kept = layer_name(operator, holders, True)
        if not kept and not holders:
            name = f"{name or op}/"  # which no label is: those that come later keep their own
        self.exact = self.exact or any(holder.endswith(".weight") for holder in holders)
        made = self.builder.layer(
            op,
            inputs,
            operator.span,
            name=name,
            kept=kept and not owner,
            weights=weights or {},
            owner=owner,
            **arguments,
        )
        if holders and made.node is not None:
            self.owners.setdefault((op, *holders), made.node)
        return made


Converter: TypeAlias = Callable[[Reading], Made]
CONVERTERS: Registry[str, Converter] = Registry(
    "compiler.importers.from_onnx",
    (
        "windows",
        "adaptive",
        "normalise",
        "activate",
        "dense",
        "einsum",
        "joins",
        "reshape",
        "parts",
        "padding",
        "resampling",
        "reducing",
    ),
)
converts = CONVERTERS.register
