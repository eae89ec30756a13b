"""The graph: its order, its networkx form, and what the verifier says of a broken one."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest

import netc
from compiler.graph import Draft, Graph
from compiler.verify import verify
from tests.define import define

BRANCHES = """
net n {
    input x: f32[3, 8, 8]
    side = conv(4, 1x1)
    add { conv(4, 3x3, pad=1) -> bn
          side }
    add(side, side) -> relu
    output y
}
"""


@pytest.fixture
def graph() -> Graph:
    return define(BRANCHES).graph


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "unet"])
def test_the_order_is_the_lexicographical_topological_one(name: str) -> None:
    graph = netc.load(name, name).graph
    rank = graph.digraph.nodes(data="rank")
    order = nx.lexicographical_topological_sort(graph.digraph, key=lambda node: rank[node])
    assert [node.name for node in graph.nodes()] == list(order)


def test_the_networkx_graph_has_the_nodes_and_an_edge_from_each_input(graph: Graph) -> None:
    digraph = graph.digraph
    assert list(digraph) == [node.name for node in graph.nodes()]
    assert all(digraph.nodes[node.name]["node"] is node for node in graph.nodes())
    assert set(digraph.edges) == {(s, node.name) for node in graph.nodes() for s in node.inputs}


def test_the_networkx_graph_of_a_draft_follows_what_is_added(graph: Graph) -> None:
    draft = Draft(graph.name, dict(graph.layers))
    before = len(draft.digraph)
    last = list(graph.nodes())[-1]
    draft.add(replace(last, name="more", inputs=(last.name,)))
    assert len(draft.digraph) == before + 1
    assert list(draft.digraph.predecessors("more")) == [last.name]


def test_a_graph_stays_as_it_is_when_its_draft_goes_on(graph: Graph) -> None:
    draft = Draft(graph.name, dict(graph.layers))
    made = draft.finished(outputs=graph.outputs)
    last = list(graph.nodes())[-1]
    draft.add(replace(last, name="more", inputs=(last.name,)))
    assert (
        "more" in draft
        and "more" not in made
        and made == graph.rebuilt(made.nodes(), facts=made.facts, tensors={}, domain=None)
    )
    assert not hasattr(made, "add")


def test_upstream_is_a_layer_and_all_it_depends_on_in_order(graph: Graph) -> None:
    assert [node.name for node in graph.upstream(["bn1"])] == ["x", "conv2", "bn1"]
    needed = [node.name for node in graph.upstream(graph.outputs.values())]
    assert needed == ["x", "conv1", "add2", "relu1"]


def test_a_layer_before_its_input_is_no_valid_graph(graph: Graph) -> None:
    nodes = list(graph.nodes())
    assert verify(graph) == []
    broken = verify(graph.rebuilt(reversed(nodes)))
    assert {d.code for d in broken} == {"G001"}
    assert any("comes after it" in d.message for d in broken)


def test_a_circle_is_no_valid_graph(graph: Graph) -> None:
    nodes = [
        replace(node, inputs=("bn1",)) if node.name == "conv2" else node for node in graph.nodes()
    ]
    assert [d.code for d in verify(graph.rebuilt(nodes))] == ["G001"]


def test_an_input_that_nothing_makes_is_no_valid_graph(graph: Graph) -> None:
    nodes = [node for node in graph.nodes() if node.name != "conv2"]
    (found,) = verify(graph.rebuilt(nodes))
    assert found.code == "G001" and "nothing makes" in found.message
