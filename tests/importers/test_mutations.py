"""Changed fields of Caffe, Darknet and ONNX files count, or are told."""

from __future__ import annotations

import pytest

from tests.mutations import attempt, changes


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_field_changes_the_network_or_is_told(seed: int) -> None:
    verdicts = [(change, attempt(kind, change)) for kind, change in changes(25, seed)]
    assert not [pair for pair in verdicts if pair[1].startswith("!")]
    assert {verdict.partition(":")[0] for _, verdict in verdicts} >= {"refused", "other"}
