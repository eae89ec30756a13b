"""What is handed out: the source distribution is whole, and no text sends people to strangers."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = re.compile(r"(^|/)(node_modules|dist|build|__pycache__|\.[a-z_]+|[^/]+\.egg-info)(/|$)")
TEXTS = ("*.md", "*.py", "*.ts", "*.toml", "Makefile")


def texts() -> list[Path]:
    """Every text of the project."""
    found = [path for pattern in TEXTS for path in ROOT.rglob(pattern)]
    return [path for path in found if not LEFT_OUT.search(str(path.relative_to(ROOT)))]


def test_no_text_tells_anybody_to_install_netc_from_an_index() -> None:
    told = re.compile(r"pip install\s+(-\S+\s+)*[\"']?netc\b")
    assert len(texts()) > 300
    assert [path for path in texts() if told.search(path.read_text(encoding="utf-8"))] == []


def test_the_source_distribution_has_all_that_its_tests_need(tmp_path: Path) -> None:
    pytest.importorskip("setuptools.build_meta")
    code = "import sys; from setuptools import build_meta as b; b.build_sdist(sys.argv[1])"
    build = tmp_path / "build"
    build.mkdir()
    for path in ROOT.iterdir():  # the build writes beside the sources
        if not LEFT_OUT.search(f"{path.name}/"):
            (build / path.name).symlink_to(path)
    call = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(call, cwd=build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (archive,) = tmp_path.glob("netc-*.tar.gz")
    with tarfile.open(archive) as file:
        held = {name.partition("/")[2] for name in file.getnames()}
    rooms = ("benchmarks", "compiler", "docs", "editors", "grammar", "netc", "netdefs", "runtime")
    wanted = {
        str(path.relative_to(ROOT))
        for room in (*rooms, "tests")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and not LEFT_OUT.search(str(path.relative_to(ROOT)))
    }
    assert sorted(wanted - held) == []
    assert {"README.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= held
    assert not [name for name in held if name.endswith((".whl", ".pyc"))]
