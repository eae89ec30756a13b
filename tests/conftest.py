"""What all tests share: the flag that renews the expected files."""

from __future__ import annotations

import os

import pytest

os.environ["NETC_DEBUG"] = "1"  # every rewrite is verified


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="write the expected files anew")


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are written instead of compared."""
    return bool(request.config.getoption("--bless"))
