"""The forms that a block's PyTorch source takes: chains, options, recursion, lists."""

from __future__ import annotations

import ast

import pytest

from compiler.torch.alignment import aligned, counted, uncounted
from compiler.torch.classes import arithmetic
from compiler.torch.layer import Call
from compiler.torch.statements import Item
from compiler.torch.variants import late
from tests.define import define

INPUT = "input image: f32[4, 16, 16]"


def source(text: str) -> str:
    """The source of a definition, which is Python."""
    written = define(text).torch_source()
    ast.parse(written)
    return written


def classes(written: str) -> list[str]:
    """The classes of a source."""
    return [node.name for node in ast.parse(written).body if isinstance(node, ast.ClassDef)]


def test_a_net_that_is_a_chain_is_a_function() -> None:
    body = "conv(4, 3x3) as a -> relu -> conv(4, 3x3) as b -> conv(2, 1x1) as c"
    written = source(f"# Four layers.\nnet LeNet5 {{ {INPUT}; {body}; output y }}")
    assert "# Four layers.\ndef le_net5():\n    return nn.Sequential(OrderedDict(\n" in written
    assert '"""LeNet5, written by netc: image [4, 16, 16], batch first."""' in written
    assert "class" not in written and "relu1=nn.ReLU()," in written


def test_a_chain_with_a_loop_is_a_class_that_names_its_input() -> None:
    body = 'for i in range(9) { conv(4, 3, pad=1) as "a{i}" -> relu as "b{i}" }; conv(2, 1) as c'
    written = source(f"net t {{ {INPUT}; {body}; output y }}")
    assert "class T(nn.Sequential)" in written and "for i in range(9):" in written
    assert "def forward(self, image):\n        return super().forward(image)" in written
    plain = source(f"net t {{ {INPUT.replace('image', 'input')}; {body}; output y }}")
    assert "class T(nn.Sequential)" in plain and "forward" not in plain


@pytest.mark.parametrize(
    ("name", "function"),
    [("nn", "nn_"), ("math", "math_"), ("print", "print_net"), ("depthwise", "depthwise_")],
)
def test_no_function_is_called_as_what_a_source_uses(name: str, function: str) -> None:
    written = source(f"net {name} {{ {INPUT}; conv(2, 1) as a -> relu; output y }}")
    assert f"\ndef {function}():\n" in written


def test_a_layer_that_leads_nowhere_is_no_link_of_a_chain() -> None:
    written = source(f"""net t {{
        {INPUT}
        aside = conv(2, 1x1) as unused
        conv(4, 3x3) as a -> relu -> conv(4, 3x3) as b -> conv(2, 1x1) as c
        output y
    }}""")
    assert "class T(nn.Module)" in written and "self.unused(" not in written


def test_a_function_that_nothing_needs_is_not_written() -> None:
    aside = "block halves { side = mean(in, in) }"
    written = source(f"{aside}\nnet t {{ {INPUT}; halves -> reduce_mean(axis=0); output y }}")
    assert "halves" not in written and "def forward(self, image)" in written


def test_no_class_is_called_as_what_a_source_imports() -> None:
    blocks = "\n".join(
        f"block {name}(c) {{ add {{ conv(c, 1x1) -> relu; identity }} }}"
        for name in ("f", "ordered_dict", "named_tuple", "drop_path_")
    )
    calls = "f(4); ordered_dict(4); named_tuple(4); drop_path_(4)"
    found = classes(source(f"{blocks}\nnet t {{ {INPUT}; {calls}; output y }}"))
    assert not {"F", "OrderedDict", "NamedTuple", "DropPath"} & {*found} and len(found) == 4


def test_arithmetic_in_the_place_of_a_number_keeps_its_value() -> None:
    ramp = "const([[[0 if i < n - 7 else 1] for i in range(n)]])"
    written = source(f"""block step(n) {{ add {{ identity; {ramp} }} -> conv(in.c, [5, 1]) }}
    net t {{ input x: f32[2, 40, 1]; step(40); step(36); step(32); output y }}""")
    assert "[0] * (n - 7) + [1] * 7" in written


def test_a_number_that_grows_with_another_is_said_by_it() -> None:
    assert arithmetic([8, 4, 2], [53, 25, 11], "n") == "7 * n - 3"
    assert arithmetic([8, 4, 2], [9, 5, 3], "n") == "n + 1"
    assert arithmetic([8, 4], [53, 25], "n") == arithmetic([8, 4, 2], [53, 25, 12], "n") == ""


@pytest.mark.parametrize(
    ("behind", "form"),
    [
        ("add(x, m)", "x + self.mask1()"),
        ("concat(x, m)", "self.mask1(x)"),  # joins one of each sample
        ("add(x, n); n = m -> bn(affine=false)", "self.mask1(x)"),  # learns of how many there are
    ],
)
def test_what_comes_from_no_input_is_made_once_where_that_is_the_same(
    behind: str, form: str
) -> None:
    *before, last = reversed(behind.split("; "))
    written = source(f"""block mask {{ const([[[0, 1]]]) -> scale(2) -> abs }}
    net t {{
        input x: f32[1, 1, 2]
        m = mask()
        {" ".join(before)}
        output y = {last}
    }}""")
    assert form in written and ("def forward(self):" in written) == form.endswith("()")


def test_a_chain_that_is_made_once_stands_there_with_its_comment() -> None:
    said = " ".join(["what"] * 19)
    blocks = f"""# {said}
    block head(c) {{ conv(c, 1x1) -> relu -> conv(c, 1x1) as two }}"""
    behind = "add { identity; shift(1) }; output y"
    written = source(f"{blocks}\nnet t {{ {INPUT}; head(4) as top; {behind} }}")
    assert classes(written) == ["T"] and "self.top = nn.Sequential(OrderedDict(" in written
    assert written.count("what") == 19 and max(map(len, written.splitlines())) <= 100
    twice = source(f"{blocks}\nnet t {{ {INPUT}; head(4) as top; head(4) as end; {behind} }}")
    assert classes(twice) == ["T"] and "def head():" in twice and "self.end = head()" in twice


def test_a_slice_to_the_end_is_written_without_it() -> None:
    written = source("""net t {
        input x: f32[3, 8, 7]
        concat {
            channels(1, 2) -> slice(1, 7, axis=1) -> slice(0, 6, step=2, axis=2)
            channels(0, 1) -> slice(0, 6, axis=1) -> slice(0, 6, step=2, axis=2)
        }
        output y
    }""")
    assert "x[:, 1:][:, :, 1:][..., ::2]" in written
    assert "x[:, :2][:, :, :7][..., ::2]" in written


def test_calls_in_another_order_are_not_put_together() -> None:
    """A normalisation takes its statistics in the order of its calls."""
    text = """block head { conv(2, 1x1) -> bn -> flatten }
    net t {
        input a: f32[3, 4, 4]; input b: f32[3, 4, 4]; input c: f32[3, 4, 4]
        one = a -> head() as head
        two = b -> head() like head
        three = c -> head() like head
        output y = concat(one, two, three)
        output z = ORDER
    }"""
    plain = text.replace("ORDER", "relu(a)")
    assert "for each in (a, b, c)" in source(plain)
    assert "for each" not in source(text.replace("ORDER", "a -> head() like head"))
    assert "for each" not in source(plain.replace("concat(one, two", "concat(two, one"))


LEVELS = """net t { input image: f32[4, 16, 16]
    image -> conv(4, 3x3, pad=1) as "level.0"
    for i in range(1, 4) {
        "level.{i - 1}" -> conv(4, 3x3, stride=2, pad=1) as "level.{i}"
    }
    for kind in ["boxes", "scores"] {
        output "{kind}" = concat(axis=0) {
            for i in range(4) { "level.{i}" -> conv(2, 1x1) as "head_{kind}.{i}" -> flatten }
        }
    }
}"""


def test_levels_under_several_heads_are_a_list() -> None:
    written = source(LEVELS)
    assert "x.append(self.level[i + 1](x[i]))" in written
    for kind in ("boxes", "scores"):
        assert f"self.head_{kind}[i](x[i]).flatten(1) for i in range(4)" in written


def test_tensors_that_are_put_together_otherwise_are_no_list() -> None:
    written = source(f"""net t {{ {INPUT}
        a = conv(4, 3x3, pad=1) as one
        b = conv(4, 3x3, pad=1) as two
        add {{ a -> relu; b -> tanh }}
        mul {{ identity; a; b }}
        output y
    }}""")
    assert "[" not in written.partition("def forward")[2].replace("# [4, 16, 16]", "")


def test_results_that_are_in_a_list_are_given_from_it() -> None:
    written = source("""net t { input image: f32[2, 16, 16]
        for i in range(3) { image -> conv(4, 1x1) as "m.{i}" }
        for i in range(3) {
            add { for j in range(3) { "m.{j}" -> conv(4, 3x3, pad=1) as "f.{i}.{j}" } }
            output "y{i}"
        }
    }""")
    assert "x = [self.m[i](image) for i in range(3)]" in written
    assert "x = [sum(self.f[j][i](x[i]) for i in range(3)) for j in range(3)]" in written
    assert "return TOutputs(x[0], x[1], x[2])" in written


def test_a_sum_along_two_axes_is_given_them_at_once() -> None:
    written = source(f"net t {{ {INPUT}; reduce_sum(axis=[1, 2], keep=false) -> relu; output y }}")
    assert "image.sum((2, 3))" in written


def test_recursion_is_written_as_deep_as_python_reads_it() -> None:
    block = """block level(n) {
        conv(4, 1x1)
        if n > 0 { level(n - 1) }
        add { relu; identity }
    }"""
    shallow, deep = (source(f"{block}\nnet t {{ {INPUT}; level({n}); output y }}") for n in (5, 40))
    assert classes(shallow) == ["Level"] and "inner=Level(" in shallow
    assert len(classes(deep)) > 20


def test_a_tree_of_calls_is_no_longer_than_it_is_high() -> None:
    block = """block tree(n) {
        conv(4, 1x1)
        if n > 0 { add { tree(n - 1) as left; tree(n - 1) as right } }
    }"""
    written = source(f"{block}\nnet t {{ {INPUT}; tree(5); output y }}")
    assert len(classes(written)) <= 7


def test_sequences_are_aligned_by_their_layers() -> None:
    conv, norm = Call("nn.Conv2d", (1, 2, 3)), Call("nn.BatchNorm2d", (2,))
    relu = Call("nn.ReLU")
    short, long = (Call("nn.Sequential", layers) for layers in ((conv,), (relu, conv, norm)))
    made = [str(call) for call in aligned([short, long])]
    assert made == [
        "nn.Sequential(*([nn.ReLU()] if False else []), nn.Conv2d(1, 2, 3), "
        "*([nn.BatchNorm2d(2)] if False else []))",
        "nn.Sequential(*([nn.ReLU()] if True else []), nn.Conv2d(1, 2, 3), "
        "*([nn.BatchNorm2d(2)] if True else []))",
    ]


def test_a_long_chain_that_comes_from_no_input_stands_before_what_it_is_joined_with() -> None:
    chain = [Item((f"c{i}",), (f"c{i - 1}",) if i else (), "k", "") for i in range(3000)]
    other, join = Item(("m",), ("x",), "m", ""), Item(("y",), ("m", "c2999"), "y", "")
    assert late([*chain, other, join]) == [other, *chain, join]


def test_what_a_block_works_out_is_worked_out_in_its_class() -> None:
    written = source(f"""block narrow(c, share=3) {{
        let middle = in.c * c // (in.c + share * c)
        add {{ {{ conv(middle, 3x3, pad=1) -> relu; conv(c, 3x3, pad=1) }}; conv(c, 1x1) }}
    }}
    net t {{ {INPUT}; narrow(12); narrow(21); narrow(33); output y }}""")
    assert "middle = in_channels * c // (in_channels + 3 * c)" in written
    assert "Narrow(12, 21)" in written


def test_what_a_block_works_out_and_does_not_use_is_a_parameter() -> None:
    written = source(f"""block narrow(c, other) {{
        let middle = in.c * c // (in.c + 3 * c)
        add {{ {{ conv(other, 3x3, pad=1) -> relu; conv(c, 3x3, pad=1) }}; conv(c, 1x1) }}
    }}
    net t {{ {INPUT}; narrow(12, 5); narrow(20, 2); narrow(30, 7); output y }}""")
    assert "middle" not in written and "other" in written


UNIT = 'block unit(c, k, stride=1, pad="half") { conv(c, k, stride=stride, pad=pad) -> relu }'


def unit_calls(*calls: str) -> str:
    """The source of a net of several calls of one block."""
    chain = "; ".join(f"unit({call}) as u{place}" for place, call in enumerate(calls))
    return source(f"{UNIT}\nnet t {{ {INPUT}; {chain}; output y }}")


def test_a_block_whose_convolutions_keep_the_size_is_told_no_padding() -> None:
    written = unit_calls("5, 3x3", "12, 1x7", "7, 5x5", "6, 3x3, stride=2", "9, 3x3, pad=0")
    assert 'stride=1, padding="same")' in written
    for call in (
        "unit(5, 12, (1, 7))",
        "(12, 7, 5)",
        "stride=2, padding=1)",
        "unit(6, 9, padding=0)",
    ):
        assert call in written


def test_only_what_keeps_the_size_has_the_padding_that_does() -> None:
    assert "same" not in unit_calls("5, 3x3, stride=2", "6, 5x5, stride=2", "7, 1x7, stride=2")
    assert "same" not in unit_calls("5, 3x3, pad=0", "6, 5x5, pad=1", "7, 4x4, pad=2")
    one = "conv(5, 3x3, pad=1) -> conv(6, 1x5, pad=0x2) -> conv(7, 1x5, stride=2, pad=0x2)"
    written = source(f"net t {{ {INPUT}; {one}; output y }}")
    assert written.count('padding="same"') == written.count("padding=1)") == 1
    assert written.count("(1, 5), 2, (0, 2))") == 1


def test_a_loop_over_layers_in_a_sequence_is_kept_and_none_is_made_up() -> None:
    loop = "seq { repeat 3 { conv(4, 3x3, pad=1); relu } } as features"
    written = source(f"net t {{ {INPUT}; {loop}; output y }}")
    assert "for _ in range(3)" in written and written.count("nn.ReLU()") == 1
    each = "; ".join(3 * ["conv(4, 3x3, pad=1); relu"])
    written = source(f"net t {{ {INPUT}; seq {{ {each} }} as features; output y }}")
    assert "for" not in written.replace("forward", "") and written.count("nn.ReLU()") == 3


def test_a_kernel_is_given_by_its_place_where_it_is_not_the_usual_one() -> None:
    written = unit_calls("5, 1x1", "12, 3x3", "7, 1x1", "6, 5x5, stride=2, pad=0", "9, 1x7")
    assert "kernel_size=1, stride=1, padding" in written
    for call in ("unit(4, 5)", "unit(5, 12, 3)", "unit(7, 6, 5, 2, 0)", "unit(6, 9, (1, 7))"):
        assert call in written


def test_short_branches_of_one_row_stand_where_they_are_joined() -> None:
    written = source(f"""{UNIT}
    block mixed(c) {{
        concat {{
            unit(c, 1x1) as "b1"
            unit(c, 1x1) as "b2_1" -> unit(c, 1x7) as "b2_2" -> unit(2 * c, 7x1) as "b2_3"
        }}
    }}
    net t {{ {INPUT}; mixed(5) as m1; mixed(6) as m2; output y }}""")
    assert "torch.cat((self.b1(x), self.b2_3(self.b2_2(self.b2_1(x)))), 1)" in written


def test_what_comes_more_often_in_some_calls_is_counted() -> None:
    written = source(f"""block down(c) {{ seq {{ conv(c, 3x3, stride=2, pad=1); relu }} as "" }}
    block brought(c, steps) {{
        if steps == 0 {{ identity }} else {{
            seq {{ repeat steps - 1 {{ down(in.c) }}; conv(c, 3x3, stride=2, pad=1); bn }} as ""
        }}
    }}
    net t {{
        {INPUT}
        for i in range(4) {{ let c = 8 * 2 ** i; "image" -> brought(c, i) as "b{{i}}"
                             output "y{{i}}" }}
    }}""")
    assert "for _ in range(steps - 1)" in written and "if steps:" in written


def test_sequences_are_counted_where_one_element_comes_more_often() -> None:
    down, last, act = Call("Down", (8,)), Call("Last", (8, 9)), Call("nn.ReLU")
    both = counted(
        [Call("nn.Sequential", row) for row in ((last,), (down, last), (down,) * 2 + (last,))]
    )
    assert both is not None and [str(call) for call in both] == [
        f"nn.Sequential(*(Down(8) for _ in range({n})), Last(8, 9))" for n in range(3)
    ]
    for rows in (((last,), (act, down)), ((down, last), (last, down)), ((down,), (down, down))):
        assert counted([Call("nn.Sequential", row) for row in rows]) is None


def test_what_is_counted_is_said_one_by_one_where_a_sequence_is_no_class() -> None:
    down, last = Call("Down", (8,)), Call("Last", (8, 9))
    rows = [Call("nn.Sequential", (down,) * count + (last,)) for count in range(3)]
    both = counted(rows)
    assert both is not None and [*map(uncounted, both)] == rows


def test_what_is_handed_on_under_its_name_goes_by_its_place() -> None:
    wrapped = "block twice(c, k, stride=1) { unit(c, k, stride) as a; unit(c, 1x1) as b }"
    calls = "twice(5, 3x3); twice(12, 5x5, 2); twice(7, 3x3, 3); unit(5, 3x3, 1, 0)"
    written = source(f"{UNIT}\n{wrapped}\nnet n {{ {INPUT}; {calls}; output y }}")
    assert "nn.Conv2d(in_channels, c, kernel_size, stride, padding)" in written
    assert "unit(in_channels, c, kernel_size, stride, kernel_size // 2)" in written


def test_axes_are_merged_and_split_where_the_others_stay() -> None:
    written = source("""block rows(columns) {
        reshape([in.c // columns, columns, in.h, in.w]) -> transpose([2, 3, 0, 1])
        reshape([-1, columns])
    }
    net t { input image: f32[6, 4, 5]; rows(2) as a; output y }""")
    assert "unflatten(1, (3, 2))" in written and "flatten(1, 3)" in written
    for shape in ("[3, 40]", "[6, 20]", "[3, 2, 4, 5]", "[6, 2, 2, 5]", "[120]"):
        written = source(f"net t {{ input image: f32[6, 4, 5]; reshape({shape}); output y }}")
        assert ("flatten(" in written) == (shape == "[3, 2, 4, 5]"), shape


NUMBERED = 'for i in range(7) { add { conv(4, 3x3, pad=1) as "conv{i}" -> relu; identity } }'


def test_modules_of_numbered_names_are_entries_of_a_dictionary() -> None:
    written = source(f"net t {{ {INPUT}; {NUMBERED}; output y }}")
    assert "class T(nn.ModuleDict)" in written and "getattr" not in written
    assert 'self[f"conv{i}"] = nn.Conv2d(4, 4, 3, padding=1)' in written
    assert 'x = F.relu(self[f"conv{i}"](x)) + x' in written


def test_numbered_parameters_and_names_of_a_dictionary_are_no_entries() -> None:
    scaled = 'for i in range(9) { mul { identity; param([4, 1, 1]) as "gamma{i}" } }'
    written = source(f"net t {{ {INPUT}; {scaled}; output y }}")
    assert "ModuleDict" not in written and 'getattr(self, f"gamma{i}")' in written
    written = source(f"net t {{ {INPUT}; {NUMBERED}; conv(4, 1x1) as keys; output y }}")
    assert "ModuleDict" not in written and 'getattr(self, f"conv{i}")' in written


@pytest.mark.parametrize(
    ("known", "given", "said"),
    [
        (
            "H % 4 == 0",
            'mode="linear"',
            'resize1=nn.Upsample(scale_factor=(2.0, 4.0), mode="bilinear"),',
        ),
        ("H % 4 == 0 and W == H", 'mode="cubic"', 'scale_factor=(2.0, 4.0), mode="bicubic")'),
        ("H >= 2", 'mode="linear"', 'image.shape[2:], mode="bilinear"'),
        (
            "H % 4 == 0",
            'align="asymmetric", rounding="floor"',
            'scale_factor=(2.0, 4.0), mode="nearest"),',
        ),
        ("H % 4 == 0", 'rounding="floor"', 'image.shape[2:], rounding="floor"'),
        ("H == 8 and W == 16", 'mode="linear", align="corners"', "align_corners=True"),
    ],
)
def test_a_map_is_enlarged_by_a_factor_where_that_is_proved(
    known: str, given: str, said: str
) -> None:
    size = f"input image: f32[2, H, W]; assert {known} and W % 4 == 0"
    body = f"maxpool(2x4) -> conv(2, 3x1, pad=1x0) as a -> resize(like=image, {given})"
    written = source(f"net t {{ {size}; {body} -> conv(2, 1x1) as b; output y }}")
    assert said in written and ("scale_factor" in written) == ("shape" not in written)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("resize(32)", "nn.Upsample(scale_factor=2, "),
        ("resize(48, scale=3)", "nn.Upsample(scale_factor=3, "),
        ('resize(24, scale=1.5, mode="linear")', "scale_factor=1.5"),
        ('resize(16, mode="linear")', "a=nn.Conv1d(3, 4, 3),\n        b=nn"),
        ('resize(24, align="corners")', '(24,), align="corners")'),
        ("upsample(41)", "nearest(self.a(x), (656,))"),  # PyTorch: 41 * (1 / 41) is 0.99…
        ("resize(656)", "resize(self.a(x), (656,))"),
        ("maxpool(16) -> resize(656)", "nn.Conv1d(3, 4, 3)"),
        ('resize(656, mode="linear")', "nn.Upsample(scale_factor=41, "),
        ('maxpool(16) -> resize(16, mode="linear")', ", 16), (16,), "),
    ],
)
def test_a_factor_is_said_where_it_gives_the_same_pixels(layer: str, said: str) -> None:
    body = f"conv(4, 3) as a -> {layer} -> conv(4, 3) as b"
    written = source(f"net t {{ input x: f32[3, 18]; {body}; output y }}")
    assert said in written


def test_a_condition_is_one_of_what_has_the_fewest_values() -> None:
    written = source(f"""block wide(c, stride, expansion) {{
        let hidden = ceil(in.c * expansion)
        add {{
            {{
                seq {{
                    if expansion > 1 {{ conv(hidden, 1x1); relu }}
                    conv(hidden, 3x3, pad=1, stride=stride, groups=hidden)
                    conv(c, 1x1)
                }} as conv
            }}
            if stride == 1 and in.c == c {{ identity }}
        }}
    }}
    net t {{
        {INPUT}
        for c, stride, e in [(4, 1, 1), (6, 2, 6), (6, 1, 6), (8, 2, 6), (8, 1, 6)] {{
            wide(c, stride, e)
        }}
        output y
    }}""")
    assert "def __init__(self, in_channels, c, expansion, stride=1):" in written
    assert "hidden = expansion * in_channels" in written and "groups=hidden" in written
    assert "if expansion == 6" in written and "Wide(8, 8, 6)" in written


def test_a_product_has_a_name_of_the_block_only_where_a_line_works_it_out() -> None:
    pairs = ((2, 3), (4, 5), (6, 2), (3, 5))
    calls = "; ".join(
        f"b{n} = image -> rows({a}, {b}) -> rows(1, {n + 2}); output y{n} = b{n}"
        for n, (a, b) in enumerate(pairs)
    )
    lines = "let wide = ceil(a * b); reshape([-1, wide, 1]) -> shift(0.5)"
    block = f"block rows(a, b) {{ {lines} }}"
    net = f"net t {{ input image: f32[5040, 4, 4]; {calls} }}"
    written = source(f"{block}\n{net}")
    assert "def rows(x, b, a=1):" in written and "-1, a * b, 1" in written and "wide" not in written
    held = source(block.replace("-> shift(0.5)", "-> bn") + f"\n{net}")
    assert "wide = a * b" in held and "self.wide = wide" in held and "self.wide, 1)" in held
