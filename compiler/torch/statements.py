"""The body of a `forward`: expressions nested where they read well, names for the rest."""

from __future__ import annotations

import ast
import keyword
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from compiler.torch.helpers import HELPERS
from compiler.torch.imports import IMPORTED
from grammar.records import dataclass

LONGEST, LONGEST_BRANCH = 72, 40  # of a nested expression, of one that is joined with others
LONGEST_CALLS = 66  # of one that is joined, and nothing but calls in calls: it fits in a line
CALLS = re.compile(r"(?:self\.\w+\()+\w+\)+")
NAMES = ("x", "y", "z", "u", "v", "w")
JOIN = re.compile(r"\(M\d+_M(?: [-+*/] M\d+_M)+\)")  # the template of branches that come together
CONCATENATION = "torch.cat("  # what a call of a block makes of it has a line of its own
ANY = "ANY_M"  # a tensor of the batch, whichever is at hand
# What written lines call, and no variable or parameter may be called.
SPOKEN = frozenset(
    {"self", "enumerate", "getattr", "len", "range", "setattr", "sum", "super", "tuple", "zip"}
    | IMPORTED
    | {*HELPERS}
)
KEPT = "/kept"  # ends what a list is called among the tensors whose name no other may have
REFERENCE = re.compile(r"R_([0-9a-f]*)_R")


@dataclass
class Item:
    """A step of a body: the tensors that it takes and makes, and how it is written.

    In its `template` the marks of the inputs stand for them. `comment` stands behind its line.
    """

    makes: tuple[str, ...]
    takes: tuple[str, ...]
    template: str
    comment: str = ""


def tidy(expression: str) -> str:
    """An expression without the brackets that it can do without."""
    text = ast.unparse(ast.parse(expression.strip(), mode="eval").body)
    return text.replace("'", '"')


def identifier(name: str) -> str:
    """A name as Python takes it, which is none that written lines speak of."""
    made = re.sub(r"\W", "_", name)
    made = f"_{made}" if not made or made[0].isdigit() else made
    return f"{made}_" if keyword.iskeyword(made) or made in SPOKEN else made


def mark(place: int) -> str:
    """What stands for an input while an expression is looked at."""
    return f"M{place}_M"


def reference(name: str) -> str:
    """What stands for a module or parameter until it is known how it is reached."""
    return f"R_{name.encode().hex()}_R"


def is_reference(text: str) -> bool:
    """Whether an expression is nothing but a module or parameter."""
    return REFERENCE.fullmatch(text) is not None


def resolved(text: str, reach: Callable[[str], str]) -> str:
    """A text with the references in it replaced by how they are reached."""
    return REFERENCE.sub(lambda found: reach(bytes.fromhex(found[1]).decode()), text)


class StatementWriter:
    """Writes items one by one, keeping track of which names are taken."""

    def __init__(
        self,
        inputs: Mapping[str, str],
        uses: Counter[str],
        repeated: Collection[str] = (),
        named: Collection[str] = (),
        branches: Collection[str] = (),
        whole: Collection[str] = (),
        *,
        nests_calls: bool = True,
    ) -> None:
        self.uses = uses
        self.whole = whole  # tensors of whole numbers, of which no others are made
        self.named = named  # tensors that get a line each
        self.branches = branches  # of joins: a line each unless they are short
        self.nests_calls = nests_calls  # whether one of a block may stand in an expression
        self.repeated = repeated  # modules that are called twice: in the order of the net
        self.names = dict(inputs)  # of tensors that have one
        self.holders = {name: [tensor] for tensor, name in inputs.items()}  # of each name
        self.lowest = 0  # no name before this place is free
        self.nested: dict[str, str] = {}  # expressions that wait for their only user
        self.needs: dict[str, list[str]] = {}  # the tensors in them
        self.lines: list[tuple[str, str]] = []
        self.first = next(iter(inputs.values()), "x")

    def add(self, item: Item) -> None:
        """Write an item, or keep its expression for its only user."""
        template = item.template
        if not item.makes and not item.takes:
            self.lines.append((template, ""))
            return
        for place, source in enumerate(item.takes):
            if source in self.nested and template.count(mark(place)) != 1:
                self.settle(source)
        if f"{ANY}.new_" in template and not self.alive():
            for source in [name for name in item.takes if name in self.nested]:
                self.settle(source)
        texts = [self.nested.get(t) or self.names[t] for t in item.takes]
        simple = [
            text
            for source, text in zip(item.takes, texts, strict=True)
            if text.isidentifier() and source not in self.whole
        ]
        for place, text in enumerate(texts):
            safe = text if re.fullmatch(r"[\w.]+", text) else f"({text})"
            template = template.replace(mark(place), safe)
        if ANY in template:
            template = template.replace(ANY, simple[0] if simple else self.anything())
        needs = [need for source in item.takes for need in self.released(source)]
        expression = tidy(template)
        if len(item.makes) != 1:
            self.used(needs)
            if not item.makes:
                self.lines.append((expression, item.comment))
                return
            names: list[str] = []
            for made in item.makes:
                names.append(self.fresh(made, names))
            self.lines.append((f"{', '.join(names)} = {expression}", item.comment))
            return
        (made,) = item.makes
        if expression in self.holders:  # what hands on what it gets
            self.used(needs)
            self.names[made] = expression
            self.holders[expression].append(made)
            return
        again = any(name in self.repeated for name in references(expression))
        text = plain(expression)
        branch = LONGEST_CALLS if CALLS.fullmatch(text) else LONGEST_BRANCH
        most = branch if made in self.branches else LONGEST
        nests = not item.comment or (self.nests_calls and CONCATENATION not in expression)
        short = nests and len(text) <= most
        short = short and made not in self.named
        if self.uses[made] == 1 and short and not again:
            self.nested[made], self.needs[made] = expression, needs
        else:
            self.used(needs)
            self.assign(made, expression, item.comment)

    def released(self, source: str) -> list[str]:
        """The tensors that an input of an item stands for: itself, or those of its expression."""
        if source not in self.nested:
            return [source]
        del self.nested[source]
        self.uses[source] -= 1
        return self.needs.pop(source)

    def settle(self, source: str) -> None:
        """Give an expression that waits a line of its own."""
        self.used(self.needs.pop(source))
        self.assign(source, self.nested.pop(source), "")

    def anything(self) -> str:
        """The name of some tensor of the batch, of whole numbers only where there is no other."""
        return next(iter(self.alive()), self.first)

    def alive(self) -> list[str]:
        """The names of the tensors that are still needed, but for those of whole numbers."""
        return [
            name
            for tensor, name in self.names.items()
            if self.uses[tensor] > 0 and tensor not in self.whole
        ]

    def assign(self, tensor: str, expression: str, comment: str) -> None:
        """A line that gives an expression a name."""
        self.lines.append((f"{self.fresh(tensor)} = {expression}", comment))

    def used(self, tensors: Sequence[str]) -> None:
        """Each of these is needed once less from now on, and its name may be free."""
        self.uses.subtract(tensors)
        for tensor in tensors:
            if self.uses[tensor] <= 0 and tensor in self.names:
                self.lowest = min(self.lowest, place_of(self.names[tensor], self.lowest))

    def fresh(self, tensor: str, taken: Sequence[str] = ()) -> str:
        """A name for a tensor: the first that no tensor still needs, and that is not `taken`."""
        place = self.lowest
        while (name := name_at(place)) in taken or self.needed(name):
            place += 1
        for other in self.holders.get(name, ()):
            del self.names[other]
        self.names[tensor], self.holders[name] = name, [tensor]
        if not taken and self.uses[tensor] > 0:
            self.lowest = place + 1
        return name

    def needed(self, name: str) -> bool:
        """Whether a tensor of this name is still needed."""
        tensors = self.holders.get(name, ())
        return any(self.uses[tensor] > 0 or tensor.endswith(KEPT) for tensor in tensors)

    def result(self, tensor: str) -> str:
        """The expression of a tensor that is returned."""
        return self.nested.pop(tensor, "") or self.names[tensor]


def name_at(place: int) -> str:
    """The names of tensors in their order: a few letters, then `t0`, `t1`, …"""
    return NAMES[place] if place < len(NAMES) else f"t{place - len(NAMES)}"


def place_of(name: str, otherwise: int) -> int:
    """Where a name stands in that order; some other place for one that does not."""
    if name in NAMES:
        return NAMES.index(name)
    return len(NAMES) + int(name[1:]) if re.fullmatch(r"t\d+", name) else otherwise


def plain(expression: str) -> str:
    """An expression about as long as it will be, whichever numbers are in it."""
    text = resolved(expression, lambda name: f"self.{name.rpartition('.')[2]}")
    return re.sub("[0-9]+", "0", text)


def references(text: str) -> list[str]:
    """The modules and parameters in a text."""
    return [bytes.fromhex(found).decode() for found in REFERENCE.findall(text)]
