"""Random nets of blocks, whose parameters, `let`s and conditions say what their layers are.

Names are those that written Python has a use for, so that they clash where they can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

PYTHON_NAMES = """
    c k n s w wide depth factor hidden middle input len class self nn F x y lambda in_channels
    out_channels kernel_size torch stride padding bias math super range Tensor OrderedDict forward
    i inner index int def list sum type getattr setattr print enumerate zip num_features groups
    features None_ variant value size lets members nested batch time os take resize Unit Stage
"""
PYTHON_BLOCKS = """
    unit stage Sequential Module Conv2d list range nn F torch self x super class lambda wide_block
    print block1 Unit int Tensor math head input_block resized Stage
"""
NAMES, BLOCKS = PYTHON_NAMES.split(), PYTHON_BLOCKS.split()
ACTS = ("relu", "tanh", "leaky_relu(0.1)", "gelu", "hardswish")
SIZES, KERNELS, DEPTHS = (2, 3, 4, 5, 6, 8), (1, 3, 5), (1, 2, 3)
KINDS = ("width", "width", "width", "factor", "stride", "flag", "kernel", "depth", "list", "act")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a block, with its default as text, or none."""

    name: str
    kind: str
    default: str = ""


@dataclass(frozen=True)
class Block:
    """A block that may be called, with the number of its results."""

    name: str
    parameters: Sequence[Parameter]
    results: int = 1


@dataclass
class Scope:
    """What a body may speak of: names by their kinds, and the channels of what flows, if known."""

    names: dict[str, list[str]] = field(default_factory=dict)
    flow: str = ""
    labels: int = 0
    in_block: bool = False
    is_turn: bool = False  # of a loop, where a label would come again

    def of(self, kind: str) -> list[str]:
        """The names of a kind."""
        return self.names.get(kind, [])

    def of_turn(self, **names: str) -> Scope:
        """The scope of a loop's turn, with a name more for some kinds."""
        more = {kind: [*self.of(kind), name] for kind, name in names.items()}
        return Scope({**self.names, **more}, "", 0, self.in_block, is_turn=True)


class BlockNet:
    """The text of a random net; the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.blocks: list[Block] = []
        self.block_names = self.random.sample(BLOCKS, 4)
        self.names = [name for name in NAMES if name not in self.block_names]
        self.has_ranges = "range" not in self.block_names and self.chance(0.6)
        if self.has_ranges:
            self.names.remove("range")

    def chance(self, share: float) -> bool:
        """Whether something is done that is done so often."""
        return self.random.random() < share

    def one(self, *texts: str) -> str:
        """One of several."""
        return self.random.choice(texts)

    def fresh(self, scope: Scope) -> str:
        """A name that the scope has not."""
        taken = {name for names in scope.names.values() for name in names}
        return self.random.choice([name for name in self.names if name not in taken])

    # ── values ───────────────────────────────────────────────────────────────────────────────

    def width(self, scope: Scope, *, plain: bool = False) -> str:
        """A number of channels, above 0."""
        names = scope.of("width")
        if not names or self.chance(0.15):
            return str(self.random.choice(SIZES))
        a, b = self.random.choice(names), self.random.choice(names)
        if plain or self.chance(0.45):
            return a
        n = self.random.randint(2, 4)
        turns = [f"{a} + 2 * {turn}" for turn in scope.of("turn")]
        if turns and self.chance(0.5):
            return turns[-1]
        factor = self.random.choice([*scope.of("factor"), str(n)])
        few = self.random.choice([*scope.of("depth"), *scope.of("kernel"), str(n)])
        return self.one(
            f"{factor} * {a}",
            f"{a} * {factor}",
            f"{a} + {b}",
            f"{a} + {few}",
            f"{a} // {n} + 1",
            f"({a} + {b}) // 2",
            f"max({a} - {few}, 1)",
            f"{factor} * {a} + {b} - 1",
            f"{factor} * {a} // {n} + {few}",
            f"{a} + {b} - 1",
            f"ceil({a} / {n}) * {n}",
            f"({a} if {self.condition(scope)} else {b})",
            f"min({a}, {few} * {b})",
        )

    def kernel(self, scope: Scope) -> str:
        """An odd kernel."""
        names = scope.of("kernel")
        if names and self.chance(0.7):
            return self.random.choice(names)
        return self.one("1", "3", "1x1", "3x3", "1x3")

    def stride(self, scope: Scope) -> str:
        """A stride of 1 or 2."""
        names = scope.of("stride")
        if names and self.chance(0.7):
            return self.random.choice(names)
        return self.one("1", "1", "2", f"2 if {self.condition(scope)} else 1")

    def condition(self, scope: Scope) -> str:
        """What is true or false of the parameters."""
        tests = [f"{name} {self.one('>', '==', '<=')} 4" for name in scope.of("width")]
        tests += [f"{name} != 1" for name in scope.of("stride")]
        tests += [f"{name} > 1" for name in [*scope.of("depth"), *scope.of("kernel")]]
        tests += scope.of("flag") * 2
        tests += [f"not {name}" for name in scope.of("flag")]
        if scope.in_block:
            tests += ["in.h > 6", *(f"in.c != {name}" for name in scope.of("width"))]
        if not tests:
            return self.one("true", "false")
        test = self.random.choice(tests)
        if self.chance(0.15):
            return f"{test} {self.one('and', 'or')} {self.random.choice(tests)}"
        return test

    def value(self, kind: str, scope: Scope) -> str:
        """A value of a kind, as an argument."""
        made: dict[str, Callable[[], str]] = {
            "width": lambda: self.width(scope),
            "factor": lambda: self.random.choice([*scope.of("factor"), "1", "2", "3"]),
            "stride": lambda: self.stride(scope),
            "flag": lambda: self.one("true", "false", self.condition(scope)),
            "kernel": lambda: self.random.choice([*scope.of("kernel"), "1", "3", "5"]),
            "depth": lambda: self.random.choice([*scope.of("depth"), "1", "2", "3"]),
            "act": lambda: self.random.choice([*scope.of("act"), *ACTS]),
            "list": lambda: self.widths(scope),
        }
        return made[kind]()

    def widths(self, scope: Scope) -> str:
        """A list of numbers of channels."""
        names = scope.of("list")
        if names and self.chance(0.5):
            return self.one(names[0], f"[2 * q for q in {names[0]}]", f"{names[0]}[1:]+[2]")
        count = self.random.randint(2, 3)
        return f"[{', '.join(self.width(scope, plain=True) for _ in range(count))}]"

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def label(self, scope: Scope, share: float = 0.25) -> str:
        """A label, or none."""
        if scope.is_turn or not self.chance(share):
            return ""
        scope.labels += 1
        return f" as {self.one('layer', 'conv', 'part')}_{scope.labels}"

    def conv(self, scope: Scope, channels: str = "", stride: str = "1") -> str:
        """A convolution of any stride, whose map is as large whatever the kernel."""
        channels = channels or self.width(scope)
        stride = f", stride={stride}" if stride != "1" else ""
        bias = ", bias=false" if self.chance(0.3) else ""
        text = f'conv({channels}, {self.kernel(scope)}{stride}, pad="half"{bias})'
        scope.flow = channels
        return f"{text}{self.label(scope)}"

    def activation(self, scope: Scope) -> str:
        """What has no channels of its own."""
        return self.random.choice([*scope.of("act"), *ACTS, "bn", "bn", "relu", "dropout(0.2)"])

    def chain(self, scope: Scope) -> str:
        """Some layers one after the other."""
        stride = self.stride(scope) if self.chance(0.3) else "1"
        parts = [self.conv(scope, stride=stride)]
        parts += [self.activation(scope) for _ in range(self.random.randint(0, 2))]
        return self.one(" -> ", "; ").join(parts)

    def call(self, scope: Scope, *, results: bool = False) -> str:
        """A call of a block, its arguments by their places or names."""
        known = [block for block in self.blocks if results or block.results == 1]
        if not known:
            return self.chain(scope)
        block = self.random.choice(known[-4:])
        scope.flow = ""
        if block.results > 1:
            scope.labels += 1
            low, high = f"low_{scope.labels}", f"high_{scope.labels}"
            channels = self.width(scope)
            branches = f"{low} -> conv({channels}, 1x1); {high} -> conv({channels}, 1x1)"
            return f"{low}, {high} = {self.called(block, scope)}; concat {{ {branches} }}"
        return f"{self.called(block, scope)}{self.label(scope)}"

    def called(self, block: Block, scope: Scope) -> str:
        """A block with its arguments."""
        given: list[str] = []
        by_name = False
        for parameter in block.parameters:
            if parameter.default and self.chance(0.5):
                by_name = True
                continue
            by_name |= self.chance(0.2)
            name = f"{parameter.name}=" if by_name else ""
            given.append(f"{name}{self.value(parameter.kind, scope)}")
        return f"{block.name}({', '.join(given)})"

    def join(self, scope: Scope) -> str:
        """Branches that come together."""
        channels = self.width(scope)
        before = scope.flow
        branches = []
        kind = self.one("add", "concat", "add", "mul", "max")
        for _ in range(self.random.randint(2, 3)):
            steps = [self.activation(scope)] if self.chance(0.4) else []
            if self.chance(0.3):
                steps.append(self.conv(scope))
            steps.append(self.conv(scope, channels))
            steps += ["sigmoid"] * (kind == "mul")  # products of products leave all bounds
            branches.append("; ".join(steps))
        if before and kind == "add" and self.chance(0.6):
            shortcut = self.conv(scope, before)
            stays = f"if {self.condition(scope)} {{ {shortcut} }} else {{ identity }}"
            branches = [f"{self.conv(scope)}; {self.conv(scope, before)}", stays]
            channels = before
        scope.flow = channels if kind != "concat" else ""
        branches = [b if b.startswith("if ") else f"{{ {b} }}" for b in branches]
        return f"{kind} {{ {'; '.join(branches)} }}"

    def shared(self, scope: Scope) -> str:
        """Two branches with the parameters of one."""
        scope.labels += 1
        first = f"shared_{scope.labels}"
        known = [block for block in self.blocks if block.results == 1]
        made = f'conv({self.width(scope)}, {self.kernel(scope)}, pad="half")'
        if known and self.chance(0.7):
            made = self.called(self.random.choice(known), scope)
        scope.flow = ""
        return f"add {{ {made} as {first}; {{ tanh; {made} like {first} }} }}"

    def conditional(self, scope: Scope) -> str:
        """What some calls do, or do otherwise."""
        some = self.one(self.activation(scope), self.chain(scope), self.call(scope))
        scope.flow = ""
        other = f" else {{ {self.chain(scope)} }}" if self.chance(0.4) else ""
        scope.flow = ""
        return f"if {self.condition(scope)} {{ {some} }}{other}"

    def loop(self, scope: Scope) -> str:
        """A loop whose turns call blocks, or make layers."""
        at = self.fresh(scope)
        times = self.random.choice([*scope.of("depth"), "2", "3"])
        numbers = ("1, 2, 3", "0, 1, 2")
        first, second = [f"[{row}][:{times}]" for row in numbers]
        if self.has_ranges:
            first, second = f"range(1, {times} + 1)", f"range({times})"
        lists = [*scope.of("list"), f"[{', '.join(map(str, self.random.choices(SIZES, k=3)))}]"]
        head, inner = self.random.choice(
            (
                (f"for {at} in {self.random.choice(lists)}", scope.of_turn(width=at)),
                (f"for {at} in {first}", scope.of_turn(width=at)),
                (f"for {at} in {second}", scope.of_turn(turn=at)),
                (f"repeat {times}", scope.of_turn()),
            )
        )
        body = self.lets(inner, 0.3)
        for _ in range(self.random.randint(1, 2)):
            body.append(self.one(self.chain(inner), self.call(inner), self.call(inner)))
        scope.flow = ""
        return f"{head} {{ {'; '.join(body)} }}"

    def lets(self, scope: Scope, share: float) -> list[str]:
        """What a body works out before its layers."""
        found: list[str] = []
        while self.chance(share) and len(found) < 3:
            name = self.fresh(scope)
            kind = self.random.choice(("width", "width", "width", "flag", "stride", "kernel"))
            text = self.value(kind, scope)
            if kind == "kernel":
                text = f"3 if {self.condition(scope)} else 1"
            if kind == "width" and scope.in_block and self.chance(0.5):
                factor = self.random.choice([*scope.of("factor"), "2"])
                text = self.one(
                    f"{factor} * in.c",
                    f"in.c // {factor} + 1",
                    f"in.c + {text}",
                    f"max(in.c - {text}, 2)",
                    f"in.h // 2 + {text}",
                    f"in.c * {factor} // 3 + 1",
                )
            found.append(f"let {name} = {text}")
            scope.names[kind] = [*scope.of(kind), name]
        return found

    def statement(self, scope: Scope) -> str:
        """Some step of a body."""
        make = self.random.choice(
            (
                self.chain,
                self.chain,
                self.chain,
                self.call,
                self.call,
                self.join,
                self.conditional,
                self.loop,
                self.shared,
            )
        )
        return make(scope)

    # ── items ────────────────────────────────────────────────────────────────────────────────

    def block(self) -> str:
        """A block, which is known to those behind it."""
        scope = Scope(in_block=True)
        parameters: list[Parameter] = []
        for _ in range(self.random.randint(1, 4)):
            name, kind = self.fresh(scope), self.random.choice(KINDS)
            had = bool(parameters) and bool(parameters[-1].default)
            default = self.value(kind, Scope()) if had or self.chance(0.3) else ""
            if kind == "flag" and default:
                default = self.one("true", "false")
            parameters.append(Parameter(name, kind, default))
            scope.names[kind] = [*scope.of(kind), name]
        body = self.lets(scope, 0.6)
        scope.flow = "in.c"
        if self.chance(0.5):
            body.append(self.chain(scope))
            body += [self.chain(scope)] * self.chance(0.3)
        else:
            body += [self.statement(scope) for _ in range(self.random.randint(1, 3))]
        results = 1
        if self.chance(0.12):
            results = 2
            body += ["output low", self.conv(scope), "output high"]
        name = self.block_names[len(self.blocks)]
        self.blocks.append(Block(name, parameters, results))
        given = ", ".join(f"{p.name}={p.default}" if p.default else p.name for p in parameters)
        return f"block {name}({given}) {{ {'; '.join(body)} }}"

    def text(self) -> str:
        """A net that calls blocks at several places with other values."""
        blocks = [self.block() for _ in range(self.random.randint(1, 4))]
        scope = Scope()
        body: list[str] = []
        for _ in range(self.random.randint(2, 6)):
            body.append(self.call(scope, results=True) if self.chance(0.7) else self.loop(scope))
            if self.chance(0.2):
                body.append(self.statement(scope))
        name = self.one("t", "net_of_blocks", "Layer", "None_", "sum")
        net = f"net {name} {{ input image: f32[3, 9, 8]; {'; '.join(body)}; output y }}"
        return "\n".join([*blocks, net, ""])
