"""Sizes that a model leaves open: which shapes would help, and the commands that take them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError
from runtime.verify.proof import prove
from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc

RANGE = """s = Shape(x) w = Gather(s, i3) r = Range(zero, w, one) f = Cast<to=1>(r)
    y = Add(x, f)"""

HINTS = {
    "columns": (RANGE, "float[N, 4, 8, W] x", "x=4x8x224"),
    "channels last": ("y = Transpose<perm=[0, 3, 1, 2]>(x)", "float[N, h, w, 3] x", "x=224x224x3"),
    "channels first": ("y = Relu(x)", "float[N, C, H, W] x", "x=3x224x224"),
    "a sequence": ("y = Relu(x)", "float[N, C, L] x", "x=3x16000"),
    "a clip": ("y = Relu(x)", "float[N, C, T, 64, W] x", "x=3x16x64x224"),
}


@pytest.mark.parametrize("nodes, shape, wanted", HINTS.values(), ids=HINTS.keys())
def test_open_sizes_that_stand_in_the_way_are_asked_for(
    nodes: str, shape: str, wanted: str
) -> None:
    model = onnx_model(nodes, shape, constants={"i3": 3, "zero": 0, "one": 1})
    with pytest.raises(DefinitionError) as found:
        import_onnx(model)
    assert [d.help for d in found.value.diagnostics] == [f"say the sizes: --shape {wanted}"]


def test_what_blocks_at_any_size_asks_for_no_shape() -> None:
    with pytest.raises(DefinitionError) as found:
        import_onnx(onnx_model("y = Erf(x)", "float[N, 3, H, W] x"))
    assert [d.help for d in found.value.diagnostics] == [None]


CORNERS = 'coordinate_transformation_mode = "align_corners", mode = "linear"'


@pytest.mark.parametrize(
    "nodes, is_read",
    [
        (f"y = Resize<{CORNERS}>(x, , half)", True),
        ('y = Resize<mode = "linear">(x, , half)', False),
        ('p = Concat<axis=2>(x, x) y = Resize<mode = "linear">(p, , tall)', True),
        (f"y = Resize<{CORNERS}>(x, , third)", False),
    ],
)
def test_fractions_of_open_sizes(nodes: str, is_read: bool) -> None:
    """Half of an odd size is rounded down: the factor is then no ratio of sizes."""
    factors = {"half": (0.5, 1.5), "tall": (0.5, 2.0), "third": (1 / 3, 1.0)}
    constants = {name: np.array([1.0, 1.0, *pair]) for name, pair in factors.items()}
    model = onnx_model(nodes, "float[N, 3, H, W] x", constants=constants)
    if is_read:
        imported = import_onnx(model)
        proof = prove(imported, define(imported), model)
        assert proof.failed is None and proof.runs == 2  # at an even and an odd size
    else:
        with pytest.raises(DefinitionError, match="symbolic size"):
            import_onnx(model)


# What is worked out of the height h and the width w, and what is said of it.
WORKED_OUT = """
    q = Div(h, two) i = Mul(q, two)                                 resize([2 * floor(H / 2), W])
    f = Cast<to=1>(h) m = Mul(f, twice) l = Floor(m) i = Cast<to=7>(l)              upsample(2x1)
    i = Sub(h, one)                                                            resize([H - 1, W])
    a = Add(h, one) i = Max(h, a)                                              resize([H + 1, W])
    a = Sub(h, one) i = Min(h, a)                                              resize([H - 1, W])
    b = Slice(s, two, end) v = Slice(b, minus, start, zero, minus)                 resize([W, H])
    f = Cast<to=1>(h) q = Div(f, twice) i = Cast<to=7>(q)                          fractions of a
    f = Cast<to=1>(h) m = Mul(f, half) i = Cast<to=7>(m)                        multiplied by 0.5
    i = Max(h, five)                                         whether H is more than 5 is not known
""".strip().splitlines()


@pytest.mark.parametrize("line", WORKED_OUT)
def test_arithmetic_of_open_sizes_is_followed_or_refused(line: str) -> None:
    nodes, wanted = re.split(" {3,}", line.strip())
    sizes = "v" if " v =" in nodes else "i, w"
    numbers = {"zero": [0], "one": [1], "two": [2], "three": [3], "five": [5], "minus": [-1]}
    model = onnx_model(
        f"s = Shape(x) h = Gather(s, two) w = Gather(s, three) {nodes} nc = Slice(s, zero, two)"
        f' z = Concat<axis=0>(nc, {sizes}) y = Resize<mode="nearest">(x, , , z)',
        "float[N, 3, H, W] x",
        constants=numbers
        | {"end": [2**63 - 1], "start": [-(2**63)]}
        | {"twice": np.array([2.0]), "half": np.array([0.5])},
    )
    if not wanted.startswith(("resize", "upsample")):
        with pytest.raises(DefinitionError, match=wanted):
            import_onnx(model)
        return
    imported = import_onnx(model)
    defined = define(imported)
    assert wanted in defined.text
    assert prove(imported, defined, model).failed is None


CALLS = {
    "import": ["import", "m.onnx"],
    "verify": ["verify", "m.onnx"],
    "verify two": ["verify", "m.onnx", "m.onnx"],
    "summary": ["summary", "m.onnx"],
    "diff": ["diff", "m.onnx", "m.onnx"],
    "diff with a definition": ["diff", "m.onnx", "lenet5"],
    "run": ["run", "m.onnx", "--random", "--device", "cpu"],
}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model in the current folder whose channels are open."""
    monkeypatch.chdir(tmp_path)
    onnx.save(
        onnx_model(
            "y = Conv(x, w)",
            "float[N, C, H, W] x",
            weights={"w": (2, 3, 3, 3)},
            outputs="float[N, 2, A, B] y",
        ),
        "m.onnx",
    )


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_commands_that_read_models_take_shapes(call: list[str]) -> None:
    told = netc(*call, "--shape", "x=3x9x10")
    assert told.exit_code == 0, told.output


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("call", [["summary", "lenet5"], ["verify", "lenet5"], ["run", "lenet5"]])
def test_a_definition_takes_no_shapes(call: list[str]) -> None:
    told = netc(*call, "--shape", "image=1x28x28")
    assert told.exit_code == 2 and "--shape is for a model" in told.stderr


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("shape", ["x=3", "z=3x9x10", "x=9"])
def test_a_shape_that_no_input_can_have_is_refused(shape: str) -> None:
    told = netc("run", "m.onnx", "--random", "--device", "cpu", "--shape", shape)
    assert told.exit_code == 2 and "input" in told.stderr


def test_a_map_stretched_to_an_open_size_is_stretched_to_all_there_are(tmp_path: Path) -> None:
    """A mean of one pixel grows by as much as the map is large, which is no factor."""
    text = """net n {
        input x: f32[3, H, W]
        conv(4, 3x3, stride=8, pad=1) as c
        concat { identity; { gap; resize(like=c, mode="linear") } }
        output y
    }"""
    (tmp_path / "n.netdef").write_text(text)
    assert netc("compile", tmp_path / "n.netdef", "-o", tmp_path / "n.onnx").exit_code == 0
    told = netc("import", tmp_path / "n.onnx", "-o", tmp_path / "m.netdef")
    assert told.exit_code == 0 and "in 2 runs of other sizes" in told.stdout
    assert "resize([floor((H - 1) / 8) + 1, " in (tmp_path / "m.netdef").read_text()


@pytest.mark.parametrize("align", ["half_pixel", "asymmetric"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "prefer_floor", "prefer_ceil"])
def test_the_nearest_pixels_of_open_sizes_come_back(
    align: str, rounding: str, tmp_path: Path
) -> None:
    """They are picked by numbers that are worked out at run time, along one axis after the other.

    Twice as many are wanted where H is 3, which is no reason for H to be 3.
    """
    text = f"""net n {{
        input x: f32[3, H, W]
        conv(4, 3x3, stride=3, pad=1) as c
        x -> conv(4, 3x3, stride=2, pad=1) as d
        c -> resize(like=d, align="{align}", rounding="{rounding}") as e
        output y = add(d, e)
    }}"""
    (tmp_path / "n.netdef").write_text(text)
    assert netc("compile", tmp_path / "n.netdef", "-o", tmp_path / "n.onnx").exit_code == 0
    told = netc("import", tmp_path / "n.onnx", "-o", tmp_path / "m.netdef")
    assert told.exit_code == 0 and "in 2 runs of other sizes" in told.stdout
    found = (tmp_path / "m.netdef").read_text()
    assert "assert" not in found and found.count("resize(") == 1


def test_a_size_that_is_one_of_several_is_told_of() -> None:
    model = onnx_model(
        "h = Conv<strides = [2, 2], pads = [1, 1, 1, 1]>(x, w) y = Max(h, k)",
        "float[N, 3, H, W] x",
        weights={"w": (4, 3, 3, 3), "k": (4, 4, 4)},
    )
    found = import_onnx(model)
    assert "H is 7 here; the model may take more for it" in found.notes


def test_a_constant_for_each_channel_of_a_size_that_became_known_is_a_shift() -> None:
    model = onnx_model(
        "a = Add(x, k) y = Conv(a, w) z = Mul(x, m)",
        "float[N, 4, H, W] x",
        outputs="y, z",
        weights={"k": (4, 1, 1), "w": (4, 4, 1, 1), "m": (4, 8, 6)},
    )
    text = define(import_onnx(model)).text
    assert "shift([" in text and "flatten" not in text


def test_a_product_along_a_size_that_became_known_stays_between_transposes() -> None:
    model = onnx_model(
        "m = Mul(x, k) y = MatMul(w, x)",
        "float[N, 4, H, W] x",
        outputs="m, y",
        weights={"k": (4, 8, 6), "w": (2, 8)},
    )
    text = define(import_onnx(model)).text
    assert "assert H == 8" in text and text.count("transpose") == 2


def test_a_size_that_must_be_what_it_is_is_not_told_of() -> None:
    model = onnx_model("y = Max(x, k)", "float[N, 3, H, W] x", weights={"k": (3, 8, 8)})
    found = import_onnx(model)
    assert not [note for note in found.notes if "may take more" in note]
