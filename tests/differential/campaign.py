"""Many nets in batches; the one that fails is made small, and the rest goes on."""

from __future__ import annotations

import contextlib
import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from compiler.onnx.lower import IR_OF_OPSET
from tests.differential.agreement import Findings, check
from tests.differential.coverage import WANTED
from tests.differential.definitions import Definition, definitions
from tests.differential.sizes import Invalid

Hold: TypeAlias = Callable[[Definition, Findings], None]

BATCH = 50  # nets of one seed; hypothesis varies what it has drawn, so many seeds are more varied
MOST_FAILURES = 10  # after which a campaign ends
SHRINKING = 60.0  # seconds from the first failure of a batch, after which the smallest stands
OPSETS = tuple(sorted(IR_OF_OPSET, key=lambda opset: (opset != 21, opset)))


@dataclass(frozen=True)
class Failure:
    """The smallest definition found on which two accounts disagree, and the seed of its batch.

    There is none when drawing one fails.
    """

    definition: Definition | None
    error: Exception
    seed: int
    options: str = ""

    def __str__(self) -> str:
        again = f"python -m tests.differential --count {BATCH} --seed {self.seed}{self.options}"
        said = "\n".join(str(self.error).splitlines()[:12])
        return f"{type(self.error).__name__}: {said}\n{self.definition!r}\nagain: {again}"


@dataclass
class Summary:
    """What a campaign has done so far."""

    findings: Findings = field(default_factory=Findings)
    failures: list[Failure] = field(default_factory=list)
    drawn: int = 0
    started: float = field(default_factory=time.perf_counter)

    def lines(self) -> Iterator[str]:
        """The summary as it is printed."""
        found = self.findings
        yield (
            f"{found.nets} nets ({self.drawn} drawn), {found.layers} layers, "
            f"{found.symbolic} with symbolic sizes, {time.perf_counter() - self.started:.0f} s"
        )
        yield "ops: " + counts(found.ops)
        yield "opsets: " + counts(found.opsets)
        never = sorted(WANTED - {*found.forms})
        yield f"{len(WANTED) - len(never)} of {len(WANTED)} forms of the language"
        if never:
            yield f"never: {', '.join(never)}"
        yield f"{found.ill_conditioned} nets ill-conditioned: rounding explains it, or too large"
        yield f"{len(self.failures)} differences"


def counts(counter: Counter[str] | Counter[int]) -> str:
    """`relu 12, conv 7, …`"""
    return ", ".join(f"{key} {count}" for key, count in counter.most_common())


class Enough(BaseException):
    """Shrinking has had its time; hypothesis lets through what is no `Exception`."""


@dataclass
class Batch:
    """One batch while it runs: what failed, the first one first, and how long to go on."""

    failed: list[tuple[Definition | None, Exception]] = field(default_factory=list)
    deadline: float = 0.0

    def fail(self, definition: Definition | None, error: Exception) -> None:
        """Keep a failure; the first one starts the clock."""
        if not self.failed:
            self.deadline = time.perf_counter() + SHRINKING
        self.failed.append((definition, error))

    def go_on(self) -> None:
        """Raise `Enough` when a smaller failure has been looked for long enough."""
        if self.failed and time.perf_counter() > self.deadline:
            raise Enough

    def smallest(self) -> tuple[Definition | None, Exception]:
        """The failure with the shortest text, the last one of several."""
        return min(reversed(self.failed), key=lambda found: len(found[0].text if found[0] else ""))


def run(
    count: int,
    first_seed: int,
    tell: Callable[[str], None],
    progress: Callable[[Summary], None] = lambda summary: None,
    hold: Hold = check,
) -> Summary:
    """Run at least so many different nets, in whole batches, or until too many differ.

    `tell` hears of each difference as it is found, `progress` of the summary after each batch;
    `hold` holds the accounts of one net against one another.
    """
    summary = Summary()
    seen: set[str] = set()
    while summary.findings.nets < count and len(summary.failures) < MOST_FAILURES:
        failure = run_batch(BATCH, first_seed, summary, seen, hold)
        first_seed += 1
        if failure is not None:
            summary.failures.append(failure)
            tell(str(failure))
        progress(summary)
    return summary


def run_batch(
    count: int, number: int, summary: Summary, seen: set[str], hold: Hold = check
) -> Failure | None:
    """Draw and check so many nets of one seed; those seen before are left out."""
    batch = Batch()

    @st.composite
    def watched(draw: st.DrawFn) -> Definition:
        batch.go_on()
        try:
            return draw(definitions(OPSETS))
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            if batch.failed and isinstance(error, Invalid):
                reject()  # what shrinking left out would have been needed
            batch.fail(None, error)
            raise

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(watched())
    def every_account_agrees(definition: Definition) -> None:
        if batch.failed:  # a smaller one of the same failure is looked for
            findings = Findings()
        else:
            findings = summary.findings
            summary.drawn += 1
            if definition.text in seen:
                return
            seen.add(definition.text)
        try:
            hold(definition, findings)
        except Exception as error:
            batch.fail(definition, error)
            raise

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            every_account_agrees()
    except (Exception, Enough):
        if not batch.failed:
            raise
        return Failure(*batch.smallest(), number, "" if hold is check else " --gradients")
    return None
