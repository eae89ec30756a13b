"""Cases run by onnx's own runner: what passed, what failed, what was skipped and why."""

from __future__ import annotations

import unittest
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from onnx.backend.test import BackendTest

from tests.conformance.backend import Interpreter
from tests.conformance.core import core_cases


@dataclass(frozen=True)
class Report:
    """The names of the cases that passed; those that failed and were skipped, with the reason."""

    passed: tuple[str, ...]
    failed: dict[str, str]
    skipped: dict[str, str]

    def __add__(self, other: Report) -> Report:
        return Report(
            self.passed + other.passed, self.failed | other.failed, self.skipped | other.skipped
        )

    def reasons(self) -> Counter[str]:
        """How often each reason for a skip was given."""
        return Counter(self.skipped.values())

    def lines(self) -> list[str]:
        """The report in words."""
        total = len(self.passed) + len(self.failed) + len(self.skipped)
        rows = [
            f"{total} cases: {len(self.passed)} passed, {len(self.failed)} failed, "
            f"{len(self.skipped)} skipped"
        ]
        rows += [f"FAILED {name}: {reason}" for name, reason in self.failed.items()]
        for reason, count in sorted(self.reasons().items()):
            rows.append(f"skipped {count}: {reason}")
            rows += [f"    {name}" for name, why in self.skipped.items() if why == reason]
        return rows


class Outcomes(unittest.TestResult):
    """Collects the outcome of each test by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[str] = []
        self.failed: dict[str, str] = {}
        self.left: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        self.passed.append(name_of(test))

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.failed[name_of(test)] = " ".join(str(err[1]).split())[:200]

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.failed[name_of(test)] = f"{err[0].__name__}: {' '.join(str(err[1]).split())[:200]}"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.left[name_of(test)] = reason


def name_of(test: unittest.TestCase) -> str:
    """The name of a case: `test_relu` of `test_relu_cpu`."""
    return test.id().rpartition(".")[2].removesuffix("_cpu")


def run_core() -> Report:
    """Run every core case."""
    return run("OnnxBackendNodeModelTest", [f"{name}_cpu" for name in core_cases()])


def run_exports() -> Report:
    """Run the models of one or a few nodes that PyTorch once exported, with their outputs."""
    return run("OnnxBackendPyTorchConvertedModelTest") + run("OnnxBackendPyTorchOperatorModelTest")


def run(category: str, names: Iterable[str] | None = None) -> Report:
    """Run tests of a category of onnx's own runner on the CPU, all of them by default."""
    cases = BackendTest(Interpreter, __name__).test_cases[category]
    wanted = [n for n in dir(cases) if n.endswith("_cpu")] if names is None else names
    outcomes = Outcomes()
    unittest.TestSuite(cases(name) for name in sorted(wanted)).run(outcomes)
    return Report(tuple(outcomes.passed), outcomes.failed, outcomes.left)
