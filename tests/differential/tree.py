"""A definition while it is drawn: statements that can be written down and run for their shapes.

The classes are those of the language. Running one raises `Invalid` where the compiler would refuse
it: so a body drawn for one turn of a loop, or one call of a block, is tried for the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.differential.scope import Scope

INDENT = "    "


@dataclass(frozen=True)
class Stage:
    """`head(arguments) { body } as label like like : pattern`; a group has no head.

    Arguments are (keyword or "", text); labels stand here as they are written, the sizes of the
    pattern as texts.
    """

    head: str = ""
    arguments: tuple[tuple[str, str], ...] | None = None
    body: Body | None = None
    label: str = ""
    like: str = ""
    pattern: tuple[str, ...] | None = None

    def written(self, level: int) -> str:
        """The stage as text whose later lines are indented by so many levels."""
        text = self.head
        if self.arguments is not None:
            given = (f"{key}={value}" if key else value for key, value in self.arguments)
            text += f"({', '.join(given)})"
        if self.body is not None:
            text = f"{text} {braces(self.body, level)}".strip()
        text += f" as {self.label}" if self.label else ""
        text += f" like {self.like}" if self.like else ""
        return text + (f" : [{', '.join(self.pattern)}]" if self.pattern is not None else "")


@dataclass(frozen=True)
class Chain:
    """`a -> b -> c`, over several lines when `broken`; `b(a) -> c` when it is `called`."""

    stages: tuple[Stage, ...]
    broken: bool = False
    called: bool = False

    def written(self, level: int) -> str:
        arrow = f"\n{INDENT * (level + 1)}-> " if self.broken else " -> "
        stages = self.stages
        if self.called:
            begin, layer, *rest = stages
            given = (("", begin.head), *(layer.arguments or ()))
            stages = (replace(layer, arguments=given), *rest)
        return arrow.join(stage.written(level) for stage in stages)


@dataclass(frozen=True)
class Flow:
    """A chain on a line of its own."""

    chain: Chain

    def written(self, level: int) -> str:
        return self.chain.written(level)


@dataclass(frozen=True)
class Bind:
    """`name = chain`"""

    name: str
    chain: Chain

    def written(self, level: int) -> str:
        return f"{self.name} = {self.chain.written(level)}"


@dataclass(frozen=True)
class Apart:
    """`a, b = block(…)`, a block of several results; or `block(…) as t; a = t.y; b = t.z`."""

    names: tuple[str, ...]
    stage: Stage
    parts: tuple[str, ...] = ()

    def written(self, level: int) -> str:
        call = self.stage.written(level)
        if not self.parts:
            return f"{', '.join(self.names)} = {call}"
        label = f"{self.names[0]}_of"
        pairs = zip(self.names, self.parts, strict=True)
        taken = [f"{name} = {label}.{part}" for name, part in pairs]
        return "; ".join([f"{label} = {call}", *taken])


@dataclass(frozen=True)
class Function:
    """`let name(v, d=1) = value`"""

    name: str
    value: str

    def written(self, level: int) -> str:
        return f"let {self.name}(v, d=1) = {self.value}"


@dataclass(frozen=True)
class Output:
    """`output name = chain` or, without one, what flows."""

    name: str
    chain: Chain | None = None
    pattern: tuple[str, ...] | None = None

    def written(self, level: int) -> str:
        if self.chain is not None:
            return f"output {self.name} = {self.chain.written(level)}"
        pattern = f" : [{', '.join(self.pattern)}]" if self.pattern is not None else ""
        return f"output {self.name}{pattern}"


@dataclass(frozen=True)
class Let:
    """`let name = value`"""

    name: str
    value: str

    def written(self, level: int) -> str:
        return f"let {self.name} = {self.value}"


@dataclass(frozen=True)
class Assert:
    """`assert condition, "why"`, which holds."""

    condition: str
    why: str = ""

    def written(self, level: int) -> str:
        return f"assert {self.condition}" + (f', "{self.why}"' if self.why else "")


@dataclass(frozen=True)
class Expect:
    """`expect condition`, which holds."""

    condition: str

    def written(self, level: int) -> str:
        return f"expect {self.condition}"


@dataclass(frozen=True)
class For:
    """`for name, name in values { body }`"""

    names: tuple[str, ...]
    values: str
    body: Body

    def written(self, level: int) -> str:
        return f"for {', '.join(self.names)} in {self.values} {braces(self.body, level)}"


@dataclass(frozen=True)
class Repeat:
    """`repeat count { body }`"""

    count: str
    body: Body

    def written(self, level: int) -> str:
        return f"repeat {self.count} {braces(self.body, level)}"


@dataclass(frozen=True)
class If:
    """`if condition { then } else { otherwise }`; an `otherwise` that is an `If` is `else if`."""

    condition: str
    then: Body
    otherwise: Body | If | None = None

    def written(self, level: int) -> str:
        text = f"if {self.condition} {braces(self.then, level)}"
        if isinstance(self.otherwise, If):
            return f"{text} else {self.otherwise.written(level)}"
        return text if self.otherwise is None else f"{text} else {braces(self.otherwise, level)}"


Statement: TypeAlias = Flow | Bind | Apart | Output | Let | Assert | Expect | For | Repeat | If
Body: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True)
class Block:
    """`block name(parameters) { body }`, or a net with one input that is called like one.

    Parameters are (name, default or ""); `input` is the name and the sizes of a net's input,
    `output` the name of its output; `results` are those of a block that has several.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    body: Body
    input: tuple[str, tuple[str, ...]] | None = None
    output: str = ""
    results: tuple[str, ...] = ()

    def written(self) -> str:
        """The definition."""
        given = ", ".join(f"{p}={default}" if default else p for p, default in self.parameters)
        head = f"{'net' if self.input else 'block'} {self.name}({given})".removesuffix("()")
        lines = [statement.written(1) for statement in self.body]
        if self.input:
            name, sizes = self.input
            lines = [f"input {name}: f32[{', '.join(sizes)}]", *lines, f"output {self.output}"]
        return "\n".join([f"{head} {{", *(INDENT + line for line in lines), "}"])


def braces(body: Body, level: int) -> str:
    """Statements between braces: on one line when that is short."""
    lines = [statement.written(level + 1) for statement in body]
    if len(lines) <= 2 and sum(map(len, lines)) < 70 and not any("\n" in line for line in lines):
        return f"{{ {'; '.join(lines)} }}"
    inner, outer = INDENT * (level + 1), INDENT * level
    return "\n".join(["{", *(inner + line for line in lines), f"{outer}}}"])


__all__ = [
    "Apart", "Assert", "Bind", "Block", "Body", "Chain", "Expect", "Flow", "For", "Function", "If",
    "Let", "Output", "Repeat", "Scope", "Stage", "Statement",
]  # fmt: skip
