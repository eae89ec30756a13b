"""What is handed out works where it is installed: a wheel, outside the checkout, on each Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import netc

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
PYTHONS = [f"python3.{minor}" for minor in range(OLDEST[1], OLDEST[1] + 5)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of these sources."""
    pytest.importorskip("setuptools.build_meta")
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # the build writes beside them
    rooms = ("grammar", "compiler", "runtime", "netc", "netdefs")
    for room in rooms:
        shutil.copytree(ROOT / room, sources / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, sources)
    code = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1])"
    call = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(call, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (made,) = folder.glob("*.whl")
    return made


def pythons() -> Iterator[Path]:
    """Each Python of this machine that netc supports; this one is among them."""
    found = [Path(sys.executable), *(Path(p) for p in map(shutil.which, PYTHONS) if p)]
    seen = set()
    for path in found:
        code = "import sys; print(sys.version_info[:2], sys.prefix)"
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        version = done.stdout.partition(")")[0]  # what a manager of versions has may not be active
        if done.returncode == 0 and version not in seen:
            seen.add(version)
            yield path


def test_the_version_stands_once(wheel: Path) -> None:
    assert wheel.name == f"netc-{netc.__version__}-py3-none-any.whl"
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in text and f'"{netc.__version__}"' not in text


def test_the_wheel_has_every_file_of_its_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        held = {name for name in file.namelist() if ".dist-info" not in name}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for room in ("grammar", "compiler", "runtime", "netc", "netdefs")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(wanted ^ held) == []


@pytest.mark.parametrize("python", list(pythons()), ids=lambda path: path.name)
def test_the_wheel_checks_a_net_of_the_library(wheel: Path, python: Path, tmp_path: Path) -> None:
    """What a check imports is pure Python, so that each version can borrow it from this one."""
    home = tmp_path / "home"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(home)
    borrowed = str(Path(click.__file__).parents[1])
    start = f"import sys; sys.path[:] = [{str(home)!r}, *sys.path, {borrowed!r}]\n"
    start += "from netc.start import start; start()"
    for call, said in (
        (["check", "lenet5"], "lenet5 is fine: 61,706 parameters"),
        (["summary", "resnet18", "--short"], "logits [1000]"),
        (["explain", "E302"], "kernel"),
    ):
        done = subprocess.run(
            [python, "-I", "-c", start, *call],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
