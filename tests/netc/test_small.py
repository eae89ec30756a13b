"""Small things that commands say, or leave unsaid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.netc.command import netc

HEAD = "net n {\n    input x: f32[8, 8, 8]\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "n.netdef"
    file.write_text(text)
    return file


def test_a_net_whose_numbers_are_all_fixed_has_no_initial_weights(tmp_path: Path) -> None:
    weight = "[[[[1]]]]"
    text = (
        f"net n {{ input x: f32[1, 4, 4]\n conv(1, 1x1, bias=false, weight={weight})\n output y }}"
    )
    assert "initial" not in netc("run", written(tmp_path, text), "--random").output
    text = text.replace("bias=false", "bias=true")
    assert "with initial weights" in netc("run", written(tmp_path, text), "--random").output


@pytest.mark.parametrize(
    "broken", ["let a = b\n", "net m { input x: f32[1, 2, 2]\n conv(1, 9x9)\n output y }\n"]
)
def test_nothing_is_fine_in_a_file_with_errors(tmp_path: Path, broken: str) -> None:
    file = written(tmp_path, f"{broken}{HEAD} relu\n output y\n}}\n")
    result = netc("check", file)
    assert result.exit_code == 1 and "is fine" not in result.output


def test_a_label_that_an_interpolation_names_is_used(tmp_path: Path) -> None:
    body = (
        'relu as p1\n tanh as p2\n tanh as q1\n for l in [1, 2] { concat("p{l}", x) }\n output y\n}'
    )
    said = netc("check", written(tmp_path, HEAD + body)).output
    assert "nothing uses `q1`" in said and "`p1`" not in said and "`p2`" not in said


def test_a_shortcut_that_a_block_leaves_out_is_meant(tmp_path: Path) -> None:
    block = """
    block unit(c) {
        let same = in.c == c
        add { conv(c, 3x3, pad=1); if same { OTHER } }
    }
    """
    net = HEAD + "unit(8) -> unit(4)\n output y\n}"
    meant = written(tmp_path, block.replace("OTHER", "identity") + net)
    assert "W111" not in netc("check", meant).output
    other = written(tmp_path, block.replace("OTHER", "conv(c, 1x1)") + net)
    assert "W111" in netc("check", other).output


def test_weights_for_a_net_without_any(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + "relu\n output y\n}")
    np.savez(tmp_path / "w.npz", a=np.zeros(3))
    refused = netc("run", file, "--random", "--weights", tmp_path / "w.npz")
    assert refused.exit_code == 2
    assert "no layer of n has weights: leave out --weights (1 surplus)" in refused.stderr
    assert netc("weights", file).output == "no layer of n has weights\n"
    model, back = tmp_path / "n.onnx", tmp_path / "back.netdef"
    assert netc("compile", file, "-o", model).exit_code == 0
    result = netc("import", model, "-o", back, "--weights", tmp_path / "none.npz")
    assert result.exit_code == 0 and back.exists() and not (tmp_path / "none.npz").exists()
    assert "no layer of n has weights" in result.output


GATED = """
block se {
    mul { identity; gap -> conv(4, 1x1) as fc1 -> relu -> conv(in.c, 1x1) as fc2 -> sigmoid }
}
block unit(gate) {
    add { { conv(in.c, 3x3, pad=1, bias=false) as conv1 -> bn as bn1 -> relu; if gate { se as se } }
          identity } -> relu
}
net n(gate=false) { input x: f32[8, 8, 8]
    for i in range(4) { unit(gate) as "l{i}" }
    output y }
"""


def test_a_difference_keeps_layers_of_one_name_together(tmp_path: Path) -> None:
    one, two = tmp_path / "a.netdef", tmp_path / "b.netdef"
    one.write_text(GATED)
    two.write_text(GATED.replace("gate=false", "gate=true"))
    lines = netc("diff", one, two).output.split("\n\n")[0].splitlines()
    assert len(lines) == 4 * 7
    assert all(line.startswith("+ l") and ".se." in line for line in lines)
