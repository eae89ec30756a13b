"""What is handed out works where it is installed, outside the checkout, on each Python there is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import netc

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
PYTHONS = [f"python3.{minor}" for minor in range(OLDEST[1], OLDEST[1] + 5)]


# A manager of versions keeps them there, whether they are on the path or not.
MANAGED = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def built(kind: str, sources: Path, folder: Path) -> Path:
    """The `wheel` or `sdist` of these sources, made by the project's build backend."""
    pytest.importorskip("setuptools.build_meta")
    code = f"import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"
    call = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(call, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (made,) = folder.glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of these sources."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # the build writes beside them
    rooms = ("grammar", "compiler", "runtime", "netc", "netdefs")
    for room in rooms:
        shutil.copytree(ROOT / room, sources / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / file, sources)
    return built("wheel", sources, folder)


def pythons() -> Iterator[Path]:
    """Each Python of this machine that netc supports; this one is among them."""
    found = [Path(sys.executable), *(Path(p) for p in map(shutil.which, PYTHONS) if p)]
    found += sorted(path for name in PYTHONS for path in MANAGED.glob(f"*/bin/{name}"))
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


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        held = {name: file.read(name) for name in file.namelist()}
    archive = built("sdist", wheel.parent / "sources", tmp_path)
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (sources,) = (path for path in tmp_path.iterdir() if path.is_dir())
    with zipfile.ZipFile(built("wheel", sources, tmp_path)) as file:
        again = {name: file.read(name) for name in file.namelist()}
    assert [name for name in {*held, *again} if held.get(name) != again.get(name)] == []


@pytest.mark.parametrize("python", list(pythons()), ids=lambda path: path.name)
def test_the_installed_wheel_checks_a_net_of_the_library(
    wheel: Path, python: Path, tmp_path: Path
) -> None:
    """What a check imports is pure Python, so that each version can borrow it from this one."""
    home = tmp_path / "home"
    subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
    install = [sys.executable, "-m", "pip", "--python", str(home), "install", "--quiet"]
    done = subprocess.run(
        [*install, "--no-deps", "--no-index", "--no-compile", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (packages,) = (home / "lib").glob("python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{Path(click.__file__).parents[1]}\n")
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for call, said in (
        (["check", "lenet5"], "lenet5 is fine: 61,706 parameters"),
        (["summary", "resnet18", "--short"], "logits [1000]"),
        (["explain", "E302"], "kernel"),
    ):
        done = subprocess.run(
            [home / "bin" / "netc", *call],
            cwd=tmp_path,
            env=alone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
