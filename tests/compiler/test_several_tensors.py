"""Chains that begin at any tensor, calls that give several, `seq`, layers that take no level."""

from __future__ import annotations

from compiler.driver import check_net, load
from compiler.graph import Graph
from grammar.source import Source

TRUNK = """
block trunk(c) {
    conv(c, 3x3, stride=2) as low
    output quarter = low
    conv(2 * c, 3x3, stride=2) as high
    output eighth
}
"""


def graph_of(body: str, before: str = "", inputs: str = "input x: f32[3, 32, 32]") -> Graph:
    """The graph of the net `n` with this body."""
    text = f"{before}\nnet n {{\n{inputs}\n{body}\n}}\n"
    nets = {net.name: net for net in load(Source("t.netdef", text)).nets()}
    checked = check_net(nets["n"])
    assert checked.errors == (), list(map(str, checked.errors))
    return checked.graph


def made(graph: Graph) -> list[str]:
    """Every layer with what it takes: `conv1(x)`."""
    return [f"{n.name}({', '.join(n.inputs)})" for n in graph.nodes() if n.inputs]


def test_a_chain_begins_at_a_name_an_element_a_part_or_what_a_string_spells() -> None:
    graph = graph_of(
        """
        for l in [2, 3] { x -> conv(8, 1x1) as "p{l}" }
        let taps = [p2, x]
        for l in [2, 3] { "p{l}" -> relu as "r{l}" }
        taps[0] -> tanh as t
        taps[-1] -> tanh as u
        trunk(8) as both
        both.quarter -> gap as g
        output y
        """,
        TRUNK,
    )
    assert made(graph) == [
        "p2(x)",
        "p3(x)",
        "r2(p2)",
        "r3(p3)",
        "t(p2)",
        "u(x)",
        "both.low(u)",
        "both.high(both.low)",
        "g(both.low)",
    ]


def test_the_call_form_is_a_chain_that_begins_at_its_first_argument() -> None:
    graph = graph_of("y = conv(x, 8, 3x3, pad=1) as a\ny = relu(y)\ny = add(y, a)\noutput z = y")
    assert made(graph) == ["a(x)", "relu1(a)", "add1(relu1, a)"]
    assert graph.outputs == {"z": "add1"}


def test_several_results_are_taken_apart_in_the_order_of_the_outputs() -> None:
    graph = graph_of("a, b = trunk(4) as t\nb -> relu\noutput deep\noutput fine = a", TRUNK)
    assert graph.outputs == {"deep": "relu1", "fine": "t.low"}
    assert graph["t.high"].shape == (8, 7, 7)


def test_several_results_are_a_list_of_tensors_and_one_is_a_tensor() -> None:
    graph = graph_of(
        """
        p = split([1, 2])
        concat { for t in p { t -> conv(t.c, 1x1) } }
        conv(sum([t.c for t in p]) + len(p), 1x1)
        q = split(1) as whole
        concat(p[1], q) : [7, 32, 32]
        q -> conv(q.c, 1x1) -> relu
        add(q[0], q.part0) -> resize(like=q)
        output y = softmax(q)
        """
    )
    assert graph["conv3"].shape == (5, 32, 32) and graph["conv4"].inputs == ("whole.0",)
    assert graph["add1"].inputs == ("whole.0", "whole.0")


def test_a_block_with_one_output_gives_that_and_not_what_flows() -> None:
    block = "block b { conv(4, 1x1) as a; output kept = a; relu as r }"
    assert made(graph_of("b as c\ntanh\noutput y", block))[-1] == "tanh1(c.a)"


def test_tensors_are_arguments_and_lists_of_them_are_values() -> None:
    graph = graph_of(
        """
        a, b = trunk(4) as t
        for i, level in enumerate([a, b]) { level -> conv(2, 1x1) as "head{i}" }
        c = merge(a, [b], 3) as m
        concat(["head0", c]) as all
        output y
        """,
        TRUNK + "block merge(fine, rest, c) { up = rest[0] -> conv(c, 1x1) -> resize(15x15)\n"
        "add { fine -> conv(c, 1x1); up } }",
    )
    assert made(graph)[2:] == [
        "head0(t.low)",
        "head1(t.high)",
        "m.conv1(t.high)",
        "m.resize1(m.conv1)",
        "m.conv2(t.low)",
        "m.add1(m.conv2, m.resize1)",
        "all(head0, m.add1)",
    ]


def test_a_block_on_tensors_needs_nothing_that_flows() -> None:
    two = "input a: f32[3, 8, 8]\ninput b: f32[3, 8, 8]"
    graph = graph_of("both(a, b) as j\noutput y", "block both(s, t) { add(s, t) }", two)
    assert made(graph) == ["j.add1(a, b)"]


def test_nets_of_several_inputs_and_outputs_are_called() -> None:
    pair = """
    net pair(c=2) {
        input left: f32[3, H, W]
        input right: f32[3, H, W]
        add(left, right) -> conv(c, 1x1) as f
        output sum
        output product = mul(left, right)
    }
    """
    graph = graph_of("t = tanh\np, q = pair(x, t, c=5) as one\np -> relu\noutput y", pair)
    assert made(graph) == [
        "tanh1(x)",
        "one.add1(x, tanh1)",
        "one.f(one.add1)",
        "one.mul1(x, tanh1)",
        "relu1(one.f)",
    ]
    assert graph["one.f"].shape == (5, 32, 32)


def test_outputs_in_a_loop_are_named_by_its_turns() -> None:
    graph = graph_of('for i in range(2) { relu as "r{i}"; output "y{i}" = gap }')
    assert graph.outputs == {"y0": "gap1", "y1": "gap2"}


def test_seq_numbers_its_layers_as_sequential_does() -> None:
    vgg = """
    block unit(c) { seq { conv(c, 3x3, pad=1); bn; relu } as "" }
    block plain(c) { conv(c, 3x3, pad=1); relu }
    """
    graph = graph_of(
        """
        seq {
            for c in [4, 8] {
                plain(c) as ""
                maxpool(2x2)
            }
            unit(8)
            seq { tanh; gelu }
            add { relu; identity }
            conv(2, 1x1) as head
            sigmoid
        } as features
        seq { relu }
        output y
        """,
        vgg,
    )
    names = [n.name for n in graph.nodes() if n.inputs]
    assert names == [
        "features.0",
        "features.1",
        "features.2",
        "features.3",
        "features.4",
        "features.5",
        "features.6.0",
        "features.6.1",
        "features.6.2",
        "features.7.0",
        "features.7.1",
        "features.relu1",
        "features.identity1",
        "features.8",
        "features.head",
        "features.10",
        "seq1.0",
    ]


def test_a_layer_with_the_empty_label_has_the_name_of_its_call() -> None:
    block = 'block wrapper(c) { conv(c, 1x1) as ""; relu }'
    graph = graph_of("wrapper(4) as stem\nwrapper(4)\noutput y", block)
    assert list(graph.parameters()) == [
        "stem.weight",
        "stem.bias",
        "wrapper1.weight",
        "wrapper1.bias",
    ]


def test_seq_shares_its_parameters_and_finds_labels_around_it() -> None:
    graph = graph_of(
        """
        conv(3, 3x3, pad=1) as c
        seq { conv(3, 3x3, pad=1); relu } as one
        seq { conv(3, 3x3, pad=1); relu } as two like one
        seq { conv(3, 3x3, pad=1) like c; relu } as three
        output y
        """
    )
    assert [graph[name].parameters_of for name in ("one.0", "two.0", "three.0")] == [
        "one.0",
        "one.0",
        "c",
    ]


def test_a_layer_with_arguments_is_a_value_to_which_more_may_come() -> None:
    blocks = """
    block unit(c, act=relu, inner=conv(kernel=3x3, pad=1)) { inner(c); act }
    block twice(f) { f(4) as a; f(c=8) as b }
    """
    calls = "unit(4, leaky_relu(0.5)) as u\ntwice(unit(act=tanh)) as t\noutput y"
    graph = graph_of(calls, blocks)
    ops = {n.name: n.op for n in graph.nodes() if n.inputs}
    assert [f"{name}: {op.name}" for name, op in ops.items()] == [
        "u.conv1: conv",
        "u.leaky_relu1: leaky_relu",
        "t.a.conv1: conv",
        "t.a.tanh1: tanh",
        "t.b.conv1: conv",
        "t.b.tanh1: tanh",
    ]
    assert ops["u.leaky_relu1"].slope == 0.5  # type: ignore[attr-defined]
    assert graph["t.b.conv1"].shape == (8, 32, 32)


def test_a_block_calls_itself_while_its_arguments_or_its_input_shrink() -> None:
    blocks = """
    block down(n) { conv(n, 1x1); if n > 1 { down(n - 1) as next } }
    block halve { avgpool(2); if in.h > 4 { halve() as next } }
    """
    graph = graph_of("down(3) as d\nhalve() as h\noutput y", blocks)
    assert [n.name for n in graph.nodes() if n.inputs] == [
        "d.conv1",
        "d.next.conv1",
        "d.next.next.conv1",
        "h.avgpool1",
        "h.next.avgpool1",
        "h.next.next.avgpool1",
        "h.next.next.next.avgpool1",
    ]
