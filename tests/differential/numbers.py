"""Values written as definitions write them: plainly, by name, or as an expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.differential.pen import Pen
from tests.differential.scope import Extent, Scope
from tests.differential.sizes import Invalid, Size, Symbolic

Form = Callable[[Pen, Scope, int], str | None]


def written(pen: Pen, scope: Scope, value: Any) -> str:
    """The source text of an argument."""
    match value:
        case bool():
            return truth(pen, scope, value)
        case int():
            return whole(pen, scope, value)
        case float():
            return decimal(pen, value)
        case str():
            return f'"{value}"'
        case Extent():
            return extent(pen, scope, value)
        case Symbolic():
            return symbolic(scope, value)
        case tuple():
            return "(" + ", ".join(written(pen, scope, item) for item in value) + ")"
        case list():
            return "[" + ", ".join(written(pen, scope, item) for item in value) + "]"
    raise TypeError(value)


def whole(pen: Pen, scope: Scope, value: int) -> str:
    """A whole number: mostly its digits."""
    if pen.wordy and pen.chance(6 - 2 * pen.wordy):
        text = pen.one(FORMS)(pen, scope, value)
        if text is not None:
            return text
    return str(value)


def named(scope: Scope) -> dict[str, int]:
    """Every whole number that has a name here, sizes of tensors too."""
    found = {
        name: value
        for name, value in scope.all_values().items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    for name, size in sizes_named(scope).items():
        if isinstance(size, int):
            found[name] = size
    return found


def sizes_named(scope: Scope) -> dict[str, Size]:
    """The sizes of the tensors in sight: `in.c`, `x.h`."""
    found: dict[str, Size] = {}
    tensors = dict(scope.all_tensors())
    if scope.call.entered is not None:
        tensors["in"] = scope.call.entered
    for name, shape in tensors.items():
        if not name.isidentifier():
            continue
        letters = {1: "w", 2: "hw", 3: "dhw"}.get(len(shape) - 1, "")
        found |= {
            f"{name}.{letter}": size for letter, size in zip("c" + letters, shape, strict=False)
        }
        found[f"{name}.rank"] = len(shape) - 1
    return found


def by_name(pen: Pen, scope: Scope, value: int) -> str | None:
    """`c`, `c + 1`, `in.c - 2`."""
    names = named(scope)
    if not names:
        return None
    name = pen.one(sorted(names, key=lambda n: (names[n] != value, n)))
    distance = value - names[name]
    if not distance:
        return name
    return f"{name} {'+' if distance > 0 else '-'} {abs(distance)}"


def part(pen: Pen, scope: Scope, value: int) -> str | None:
    """`in.c // 2`, `2 * c`, `c % 3`."""
    names = named(scope)
    options = [f"{n} // {d}" for n, v in names.items() for d in (2, 3) if v // d == value]
    options += [f"{d} * {n}" for n, v in names.items() for d in (2, 3) if v * d == value]
    options += [f"{n} % {d}" for n, v in names.items() for d in (2, 3) if v % d == value]
    return pen.one(options) if options else None


def arithmetic(pen: Pen, scope: Scope, value: int) -> str | None:
    """`1 + 2`, `7 // 2`, `9 % 5`, `2 ** 2`, `-(-3)`."""
    k = pen.whole(1, 3)
    options = [f"{value - k} + {k}", f"{value + k} - {k}", f"{value * 2 + 1} // 2"]
    if value > 0:
        options += [f"{6 * value} % {5 * value}", f"--{value}"]
        options += [f"{value} * {k} // {k}", f"({value} - {k}) + {k}"]
    options += {1: ["2 ** 0"], 2: ["2 ** 1"], 4: ["2 ** 2"]}.get(value, [])
    return pen.one([option for option in options if scope.evaluate(option) == value])


def function(pen: Pen, scope: Scope, value: int) -> str | None:
    """`max(1, 3)`, `len([0, 0, 0])`, `sum([1, 2])`, `ceil(2.5)`, `range(9)[3]`."""
    more = value + pen.whole(0, 3)
    options = [f"min({more}, {value})", f"max([{value}, {value - 1}])", f"sum([{value - 1}, 1])"]
    options += [f"ceil({value - 1}.5)", f"floor({value}.5)"] if value > 0 else []
    options += [f"round({value}.25)", f"floor(sqrt({value * value}))"] if value > 0 else []
    if 0 <= value <= 6:
        options += [f"len({[0] * value})", f"range({value + 2})[{value}]"]
        options += [f"enumerate(range({value + 1}))[{value}][0]"]
        options += [f"zip(range({value + 1}), range({value + 1}))[-1][1]"]
    return pen.one(options)


def indexed(pen: Pen, scope: Scope, value: int) -> str | None:
    """`[1, 3, 5][1]`, `(3, 5)[0]`."""
    before = [str(value + 1)] * pen.whole(0, 2)
    index = len(before) if pen.chance(2) else -2
    return f"[{', '.join([*before, str(value), '0'])}][{index}]"


def chosen(pen: Pen, scope: Scope, value: int) -> str | None:
    """`3 if c > 2 else 1`."""
    condition = truth(pen, scope, pen.chance(2))
    held, other = str(value), str(value + 1)
    if not scope.evaluate(condition):
        held, other = other, held
    return f"{held} if {condition} else {other}"


def listed(pen: Pen, scope: Scope, value: int) -> str | None:
    """`[0, 3][1:][0]`, `([3] * 2)[1]`, `sum([k for k in [3, 4] if k < 4])`."""
    more = value + 1
    options = [
        f"[{more}, {value}][1:][0]",
        f"[0, {value}, 0][:-1][-1]",
        f"[{value}, 0, {more}][::2][0]",
        f"([{value}] * 2)[1]",
        f"sum([k for k in [{more}, {value}] if k not in [{more}]])",
        f"[a - b for i, (a, b) in enumerate([({more}, 1)])][0]",
        f"[a * b for a in [1] for b in [{value}, 0]][0]",
    ]
    return pen.one(options)


def applied(pen: Pen, scope: Scope, value: int) -> str | None:
    """`f0(3)`, `f0(3, d=1)`: functions of the file, which give back what they are given."""
    names = [name for name, of in scope.call.file.items() if callable(of)]
    if not names or value < 1:
        return None
    call = pen.one(("{}({})", "{}(v={})", "{}({}, 1)", "{}({}, d=1)"))
    return call.format(pen.one(names), value)


FORMS: tuple[Form, ...] = (
    by_name, part, arithmetic, function, indexed, chosen, listed, applied
)  # fmt: skip


def truth(pen: Pen, scope: Scope, value: bool) -> str:
    """A condition of this value."""
    if not pen.wordy or not pen.chance(3):
        return "true" if value else "false"
    text = pen.one((comparison, flag, combined))(pen, scope)
    held = scope.evaluate(text)
    return text if held is value else f"not ({text})"


def comparison(pen: Pen, scope: Scope) -> str:
    """`c > 2`, `in.c == 4`, `1 < c <= 3`."""
    names = named(scope)
    left = pen.one(["2", *sorted(names)])
    operators = ("==", "!=", "<", "<=", ">", ">=")
    if pen.chance(5):
        return f"{left} {pen.one(('in', 'not in'))} [{pen.whole(0, 4)}, 2]"
    text = f"{left} {pen.one(operators)} {pen.whole(0, 4)}"
    return f"{text} {pen.one(operators)} {pen.whole(0, 4)}" if pen.chance(4) else text


def flag(pen: Pen, scope: Scope) -> str:
    """The name of a truth value, if there is one."""
    flags = sorted(n for n, value in scope.all_values().items() if isinstance(value, bool))
    return pen.one(["true", *flags])


def combined(pen: Pen, scope: Scope) -> str:
    """`a and b`, `a or not b`."""
    word = pen.one(("and", "or"))
    negated = "not " if pen.chance(2) else ""
    return f"{flag(pen, scope)} {word} {negated}{flag(pen, scope)}"


def decimal(pen: Pen, value: float) -> str:
    """A number with a point."""
    text = repr(value)
    if pen.wordy and pen.chance(4):
        options = [f"{value * 2!r} / 2", f"{value!r} * 1", f"{value!r} ** 1", f"{value:.3e}"]
        return pen.one([option for option in options if eval(option) == value])
    return text


def extent(pen: Pen, scope: Scope, value: Extent) -> str:
    """`3x2`, `[3, 2]`, `(3, 2)`; along one axis only a list or tuple says so."""
    items = [whole(pen, scope, number) for number in value]
    if len(value) > 1 and not pen.chance(4):
        return "x".join(map(str, value))
    if pen.chance(2):
        return f"({', '.join(items)}{',' * (len(items) == 1)})"
    return f"[{', '.join(items)}]"


def symbolic(scope: Scope, value: Symbolic) -> str:
    """A symbolic size: from one in sight, or by the symbols where they have names."""
    for name, size in sizes_named(scope).items():
        if isinstance(size, Symbolic) and (size.atom, size.factor) == (value.atom, value.factor):
            distance = value.offset - size.offset
            if not distance:
                return name
            return f"{name} {'+' if distance > 0 else '-'} {abs(distance)}"
    try:
        if scope.evaluate(value.text) == value:
            return value.text
    except NameError:
        pass
    raise Invalid
