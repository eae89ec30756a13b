"""Watching files for changes."""

from __future__ import annotations

from pathlib import Path

from netc.watching import changes


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
