"""The hooks for pre-commit."""

from __future__ import annotations

import re
from pathlib import Path

from netc.main import COMMANDS

HOOKS = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"


def test_every_hook_is_a_command_for_definition_files() -> None:
    hooks = HOOKS.read_text(encoding="utf-8").split("\n\n")
    assert len(hooks) == 2
    for hook in hooks:
        found = dict(re.findall(r"^[- ] (\w+): (.*)$", hook, re.MULTILINE))
        command = found["entry"].removeprefix("netc ")
        assert command in COMMANDS
        assert found["id"] == f"netc-{command}"
        assert found["language"] == "python"
        assert re.search(found["files"], "nets/a.netdef")
        assert not re.search(found["files"], "nets/a.netdefs")
