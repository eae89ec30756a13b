"""The definition recovered from a network is that network, whatever its form and its names."""

from __future__ import annotations

import pytest

from compiler.importers.define import checked
from compiler.importers.structure.recover import recover
from tests.importers.random_graphs import Modular, Wild


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("kind", [Wild, Modular])
def test_recovered_definitions_are_the_same_network(kind: type[Wild | Modular], seed: int) -> None:
    imported = kind(seed).build()
    checked(imported, recover(imported))
