"""What all tests share: the flag that renews the expected files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
QUICK = ("grammar", "compiler", "ops", "gradients", "test_reports.py", "test_imports.py")

os.environ["NETC_DEBUG"] = "1"  # every rewrite is verified


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="write the expected files anew")
    parser.addoption("--quick", action="store_true", help="one case of each of the fast tests")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--quick`, the folders whose tests start processes or run whole networks are left."""
    if config.getoption("--quick") and collection_path.parent == TESTS:
        return collection_path.name not in QUICK
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--quick`, the first case of each test function stands for all of them."""
    if not config.getoption("--quick"):
        return
    first: dict[str, pytest.Item] = {}
    left: list[pytest.Item] = []
    for item in items:
        if first.setdefault(item.nodeid.partition("[")[0], item) is not item:
            left.append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = first.values()


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are written instead of compared."""
    return bool(request.config.getoption("--bless"))
