"""Quotients of symbolic sizes, written as they are shown: rounded down or up."""

from __future__ import annotations

import pytest

from compiler.dims import symbol
from grammar.diagnostics import DefinitionError
from tests.define import define

NET = "net n {{ input x: f32[1, H, W]; input s: f32[{}]; s -> relu; output y }}"
H, W = symbol("H"), symbol("W")


ROUNDED = {
    "floor(H / 2)": H // 2,
    "floor((H - 1)/2) + 1": (H - 1) // 2 + 1,
    "ceil(H / 2)": (H + 1) // 2,
    "ceil((H + 1) / 3)": (H + 3) // 3,
    "floor(2 * H / 2)": H,
    "floor(H * W / W)": H,
}


@pytest.mark.parametrize("text, size", ROUNDED.items())
def test_a_rounded_quotient_is_a_size(text: str, size: object) -> None:
    net = define(NET.format(text))
    assert net.graph["s"].shape == (size,)


@pytest.mark.parametrize("text", ["H / 2", "floor(H / 0)", "floor(H / 2.5)", "floor(2 / H)"])
def test_another_quotient_is_no_size(text: str) -> None:
    with pytest.raises(DefinitionError) as found:
        define(NET.format(text))
    assert [diagnostic.code for diagnostic in found.value.diagnostics] == ["E205"]
