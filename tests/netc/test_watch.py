"""Watching files for changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netc.commands import watch
from netc.watching import changes
from tests.netc.command import netc


def test_each_change_wakes_once_and_new_files_are_watched_too(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    files = {first}
    writes = iter([(first, "22"), None, (second, "4444"), (second, "55555")])
    waited = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        step = next(writes)
        if step is not None:
            step[0].write_text(step[1])

    woken = changes(lambda: files, pause)
    next(woken)
    next(woken)
    assert len(waited) == 1
    files.add(second)
    next(woken)  # `second` appears at the third look; it was watched as missing
    assert len(waited) == 3
    next(woken)
    assert len(waited) == 4


def test_a_watch_survives_a_file_that_is_gone_and_knows_all_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, used, names = (tmp_path / name for name in ("main.netdef", "used.netdef", "names.txt"))
    text = 'use a from "used.netdef"\nnet n {\n input x: f32[2]\n a()\n'
    main.write_text(text + ' output y labels "names.txt"\n}\n')
    used.write_text("block a() { relu }\n")
    steps: list[Callable[[], object]] = [
        lambda: names.write_text("cat\ndog\n"),  # it was looked for
        lambda: names.write_text("cat\ndog\nnewt\n"),
        lambda: names.write_text("cat\ndog\n"),
        lambda: used.write_text("block a() { relu -> nonsense }\n"),
        lambda: main.rename(tmp_path / "away"),
        lambda: (tmp_path / "away").rename(main),
    ]

    def pause(seconds: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr("netc.watching.changes.__defaults__", (pause,))
    looks: list[object] = []
    look = watch.check_once
    monkeypatch.setattr(watch, "check_once", lambda *given: looks.append(look(*given)))
    count = len(steps)
    netc("watch", main)
    assert len(looks) == 1 + count, "each of the changes woke it"


def test_each_look_of_a_watch_says_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = tmp_path / "main.netdef"
    main.write_text("net n { input x: f32[2]; relu; output y }")
    monkeypatch.setattr("netc.commands.watch.changes", lambda files: iter([None]))
    assert "n is fine" in netc("watch", main).stdout

    def removed(files: Callable[[], object]) -> Iterator[object]:
        main.unlink()
        return iter([None, files()])

    monkeypatch.setattr("netc.commands.watch.changes", removed)
    result = netc("watch", main)
    assert result.exit_code == 0 and result.stderr.count("there is no file") == 2
