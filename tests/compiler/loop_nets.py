"""Random nets of loops in loops, whose numbers, labels and `let`s follow the counters, or no rule.

Names are those that written Python has a use for, so that they clash where they can.
"""

from __future__ import annotations

from random import Random

NAMES = ("s", "i", "j", "k", "x", "c", "first", "depth", "count", "lambda", "layer", "enumerate")
UNIT = 'block unit(c, kernel) { conv(c, kernel, pad="half") -> bn -> relu }\n'
WIDTHS, DEPTHS = (2, 4, 6, 8, 10), (1, 2, 3)


class LoopNet:
    """The text of a random net; the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.names = self.random.sample(NAMES, 6)
        self.has_unit = self.random.random() < 0.6

    def sometimes(self, text: str, chance: float) -> list[str]:
        """A statement, or none."""
        return [text] if self.random.random() < chance else []

    def conv(self, channels: str, label: str = "") -> str:
        """A convolution, or a block of one."""
        kernel = self.random.choice(("1x1", "3x3"))
        made = f"unit({channels}, {kernel})"
        if not self.has_unit:
            made = f'conv({channels}, {kernel}, pad="half")'
        return f'{made} as "{label}"' if label else made

    def loop(self) -> str:
        """A loop, with another in it."""
        at, width, depth, let, inner_let, turn = self.names
        turns = range(self.random.randint(2, 4))
        widths = [self.random.choice(WIDTHS) for _ in turns]
        rows = [[wide, self.random.choice(DEPTHS)] for wide in widths]
        start = self.random.randint(0, 3)
        head, wide, times = self.random.choice(
            (
                (f"{at} in range({start}, {start + len(turns)})", "4", f"{at} + 1"),
                (f"{at}, {width} in enumerate({widths})", width, "2"),
                (f"{at}, ({width}, {depth}) in enumerate({rows})", width, depth),
            )
        )
        formulas = (wide, f"2 * {wide}", f"4 * 2 ** {at}", f"4 + 2 * {at}", f"{wide} + {at}")
        body = self.sometimes(f"let {let} = {self.random.choice(formulas)}", 0.6)
        wide = let if body else wide
        label = f"{{{at}}}" if self.random.random() < 0.6 else ""
        after = self.random.choice(("", " + 1", " + 3"))
        first = label and f"p{{{at}{after}}}"
        body.append(self.conv(self.random.choice((wide, f"2 * {wide}", "4")), first))
        inner = [*self.sometimes(f"let {inner_let} = {wide} + 2 * {turn}", 0.4)]
        chosen = inner_let if inner else wide
        inner.append(self.conv(chosen, label and f"q{label}_{{{turn}}}"))
        inner += self.sometimes(self.conv(wide), 0.5) + self.sometimes("tanh", 0.4)
        count = f"{self.random.randint(0, 1)}, {times} + 1"
        body += self.sometimes(f"for {turn} in range({count}) {{ {'; '.join(inner)} }}", 0.7)
        body += self.sometimes(self.conv(wide, label and f"r{label}"), 0.5)
        if first:
            body += self.sometimes(f'add {{ conv(4, 1x1); "{first}" -> conv(4, 1x1) }}', 0.3)
        return f"for {head} {{ {'; '.join(body)} }}"

    def text(self) -> str:
        """A net, whose loop may stand in a block."""
        body = "; ".join([self.conv("4"), self.loop(), *self.sometimes(self.conv("3"), 0.5)])
        if self.random.random() < 0.5:
            return f"{UNIT}net t {{ input image: f32[3, 8, 8]; {body}; output y }}"
        calls = "; ".join(["stages(4)", *self.sometimes("conv(2, 1x1)", 0.5)])
        block = f"block stages(q) {{ {body} }}\n"
        return f"{UNIT}{block}net t {{ input image: f32[3, 8, 8]; {calls}; output y }}"
