"""Faults planted one at a time come out as differences, each within a few hundred nets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.agreement import Findings, check
from tests.differential.faults import FAULTS, Fault, forget_windows
from tests.differential.test_definitions import drawn

BATCHES = 24
pytestmark = pytest.mark.xdist_group("drawn")


@pytest.fixture(autouse=True)
def windows_anew() -> Iterator[None]:
    """Windows are kept from net to net: none of a faulty one may stay."""
    forget_windows()
    yield
    forget_windows()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.plant(monkeypatch)
    checked = 0
    for number in range(BATCHES):
        for definition in drawn((fault.soonest + number) % BATCHES):
            if fault.shows not in definition.text:
                continue
            checked += 1
            try:
                check(definition, Findings())
            except Exception:
                return
    raise AssertionError(f"not found in {checked} nets")
