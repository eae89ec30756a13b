"""One training step as one plain ONNX model: forward, backward, update.

ONNX Runtime's packages that run models have no gradient and no optimiser operators, so everything
is written in nodes that every runtime has. Nothing is drawn inside: noise and dropout masks are
inputs, so that a step can be repeated and checked. What goes in and comes out by which name says
`compiler/training/layout.py`, and the model's metadata under `netc.step`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import onnx
from onnx import TensorProto, helper

from compiler.graph import Graph, Input, Node
from compiler.onnx.checkpoint import Segments, cut
from compiler.onnx.differentiate import Derivatives, differentiate, sweep
from compiler.onnx.emitter import INTEGER, ONNX_TYPES, Emitter, Lowering, Writer, tensor_names
from compiler.onnx.lower import IR_OF_OPSET, add_layer, add_tensor, set_metadata
from compiler.onnx.mixed import is_finite, narrowed_products, only_where, scale_anew, unscaled
from compiler.onnx.optimisers import UPDATES, blended, scalars
from compiler.onnx.precision import OPSETS
from compiler.onnx.training import running_statistics
from compiler.ops.training import BatchNormTraining
from compiler.training.layout import (
    APPLY,
    BY_TENSOR,
    GRADIENT,
    LOSS,
    LOSS_SCALE,
    NEXT,
    NORM,
    STEP,
    SUM,
    TENSOR,
    StepLayout,
    layout_of,
)
from compiler.training.model import StepPlan, UpdatePlan
from compiler.training.optimisers import Optimiser
from grammar.records import dataclass

TYPES = ONNX_TYPES | {INTEGER: TensorProto.INT64}


@dataclass(frozen=True)
class StepNodes:
    """A step's nodes while it is put together: the layers' emitters and the derivatives."""

    lowering: Lowering
    emitters: Mapping[str, Emitter]
    derivatives: Derivatives

    def outputs(self) -> dict[str, str]:
        """The tensors of all layers and the derivatives, by the names of the outputs."""
        names = self.lowering.tensor_of
        layers = {f"{TENSOR}{name}": names[name] for name in self.emitters}
        found = self.derivatives
        tensors = {f"{BY_TENSOR}{name}": tensor for name, tensor in found.by_tensor.items()}
        arrays = {f"{GRADIENT}{name}": tensor for name, tensor in found.by_parameter.items()}
        return layers | tensors | arrays


def build_step(
    plan: StepPlan,
    *,
    opset: int | None = None,
    show: bool = False,
    checkpoint: bool = False,
) -> onnx.ModelProto:
    """The model of one step of a plan; with `checkpoint` activations are worked out twice.

    With `show` the layers' tensors and the derivatives are outputs, too, called `tensor/NAME`,
    `gradient/tensor/NAME` and, by parameters, `gradient/NAME`. Raises `DefinitionError`
    where a layer on the way to a parameter has no derivative.
    """
    layout = layout_of(plan)
    scaled = LOSS_SCALE in layout.states
    opset = opset or OPSETS[plan.dtype]
    written = write_derivatives(
        layout.graph,
        plan.objective,
        layout.learned,
        opset=opset,
        sign=-1.0 if plan.maximize else 1.0,
        segments=cut(layout.graph) if checkpoint else None,
        scaled=scaled,
    )
    lowering, gradients = written.lowering, written.derivatives.by_parameter
    outputs = {LOSS: mean(lowering, plan.objective)}
    outputs |= {name: mean(lowering, name) for name in plan.reports}
    outputs[NORM] = norm(lowering, NORM, [gradients[n] for n in layout.learned if n in gradients])
    changed = statistics(written, layout)
    finite = is_finite(lowering, outputs[NORM]) if scaled else None
    totals = summed(lowering, layout, gradients, finite)
    for update, rate in zip(plan.updates, layout.rates, strict=True):
        changed |= moved(lowering, layout, update, totals, rate)
    changed |= withheld(lowering, layout, changed, totals)
    if finite is not None:
        # A sum over several batches has left out what is no number, and may move them.
        held = layout.buffers if layout.accumulate > 1 else (*changed,)
        changed |= only_where(lowering, finite, {name: changed[name] for name in held})
        changed |= scale_anew(lowering, finite)
    if plan.dtype != "f32":
        lowering.nodes = narrowed_products(lowering.nodes, plan.dtype, opset)
    outputs |= {name + NEXT: changed.get(name, name) for name in layout.changing()}
    if show:
        outputs |= written.outputs()
    infos = [
        *batch_infos(layout.graph),
        *float_infos(layout.arrays),
        *float_infos({name: state.shape for name, state in layout.states.items()}),
        *float_infos(dict.fromkeys(layout.rates, ())),
        helper.make_tensor_value_info(STEP, TensorProto.INT64, []),
    ]
    if layout.accumulate > 1:
        infos.append(helper.make_tensor_value_info(APPLY, TensorProto.BOOL, []))
    shapes = output_shapes(layout.graph)
    shapes |= {name + NEXT: [*state.shape] for name, state in layout.states.items()}
    model = model_of(lowering, infos, outputs, shapes)
    set_metadata(model, {"netc.step": json.dumps(layout.as_dict())})
    return model


def build_gradients(
    graph: Graph,
    objective: str,
    parameters: Collection[str] = (),
    inputs: Collection[str] = (),
    *,
    opset: int = OPSETS["f32"],
) -> onnx.ModelProto:
    """A model of the derivatives of the mean of an output, by parameters and inputs.

    Its inputs are those of the graph and all parameters, its outputs `loss`, `tensor/NAME` for
    every layer, `gradient/NAME` for each parameter named, and `gradient/tensor/NAME` for each input
    named and every layer on the way.
    """
    written = write_derivatives(graph, objective, parameters, inputs, opset=opset)
    outputs = {LOSS: mean(written.lowering, objective), **written.outputs()}
    arrays = {name: weight.shape for name, weight in graph.parameters().items()}
    infos = [*batch_infos(graph), *float_infos(arrays)]
    return model_of(written.lowering, infos, outputs, output_shapes(graph))


def write_derivatives(
    graph: Graph,
    objective: str,
    parameters: Collection[str],
    inputs: Collection[str] = (),
    *,
    opset: int,
    sign: float = 1.0,
    segments: Segments | None = None,
    scaled: bool = False,
) -> StepNodes:
    """All layers, and the derivatives of the mean of an output times `sign`.

    With `scaled` they are worked out times the scale of the loss.
    """
    lowering, emitters = write_layers(graph, opset)
    last = graph.outputs[objective]
    write = Writer(lowering, "gradient", "f32")
    tensor = lowering.tensor_of[last]
    count = write.node("Cast", write.node("Size", tensor), to=TensorProto.FLOAT)
    share = write.node("Div", write.floats(sign), count)
    if scaled:
        share = write.node("Mul", share, LOSS_SCALE)
    seed = write.node("Expand", share, write.node("Shape", tensor))
    lowering.nodes += write.nodes
    found = differentiate(lowering, emitters, last, seed, parameters, inputs, segments)
    return StepNodes(lowering, emitters, unscaled(lowering, found) if scaled else found)


def write_layers(graph: Graph, opset: int) -> tuple[Lowering, dict[str, Emitter]]:
    """The nodes of all layers, whose parameters are inputs of the model."""
    lowering = Lowering(graph, opset, None, "f32", "f32")
    # The names of the graph's outputs are those of their means.
    taken = {LOSS, NORM, *graph.outputs}
    unnamed = tensor_names(replace(graph, outputs={}))
    lowering.tensor_of = {
        name: f"{name}/value" if name in taken else tensor for name, tensor in unnamed.items()
    }
    lowering.fed = frozenset(graph.parameters())
    lowering.differentiated = lowering.spread = True
    lowering.kinds |= dict.fromkeys(lowering.fed, "f32")
    emitters = {}
    for node in graph.nodes():
        if isinstance(node.op, Input):
            lowering.kinds[lowering.tensor_of[node.name]] = node.op.dtype
        else:
            emitters[node.name] = add_layer(lowering, node, False)
    return lowering, emitters


def mean(lowering: Lowering, output: str) -> str:
    """The mean over the batch of an output of the graph, a scalar."""
    write = Writer(lowering, f"mean/{output}", "f32")
    found = write.node("ReduceMean", lowering.tensor_of[lowering.graph.outputs[output]], keepdims=0)
    lowering.nodes += write.nodes
    return found


def norm(lowering: Lowering, name: str, tensors: list[str]) -> str:
    """The 2-norm of several tensors taken together."""
    write = Writer(lowering, name, "f32")
    squares = [write.node("ReduceSumSquare", tensor, keepdims=0) for tensor in tensors]
    found = write.node("Sqrt", write.node("Sum", *squares))
    lowering.nodes += write.nodes
    return found


def statistics(written: StepNodes, layout: StepLayout) -> dict[str, str]:
    """The running statistics after the step; a layer called twice moves them twice."""
    lowering = written.lowering
    found = {name: name for name in layout.buffers}
    for node in layout.graph.nodes():
        if not isinstance(node.op, BatchNormTraining):
            continue
        emit = Emitter(lowering, node, "statistics/")
        emit.kept = written.emitters[node.name].kept
        names = {name: node.array(name) for name in ("running_mean", "running_var")}
        held = {name: found[full] for name, full in names.items()}
        for name, tensor in running_statistics(node.op, emit, held).items():
            found[names[name]] = tensor
        lowering.nodes += emit.nodes
    return found


def summed(
    lowering: Lowering, layout: StepLayout, gradients: Mapping[str, str], finite: str | None
) -> dict[str, str]:
    """The gradients that move the parameters: of this batch, or their mean over several so far.

    Those of a batch that are not `finite` do not count among several.
    """
    if layout.accumulate == 1:
        return dict(gradients)
    write = Writer(lowering, "accumulate", "f32")
    share, zero = write.floats(1 / layout.accumulate), write.floats(0.0)
    found = {}
    for name in layout.learned:
        if name in gradients:
            part = write.node("Mul", gradients[name], share)
            part = part if finite is None else write.node("Where", finite, part, zero)
            found[name] = write.node("Add", f"{name}/{SUM}", part)
    lowering.nodes += write.nodes
    return found


def withheld(
    lowering: Lowering, layout: StepLayout, changed: Mapping[str, str], totals: Mapping[str, str]
) -> dict[str, str]:
    """What moves only when `apply` says so; the sums begin anew then."""
    if layout.accumulate == 1:
        return {}
    write = Writer(lowering, "apply", "f32")
    moving = {name for name in (*layout.learned, *layout.states) if name in changed}
    found = {name: write.node("Where", APPLY, changed[name], name) for name in sorted(moving)}
    zero = write.floats(0.0)
    for name, total in totals.items():
        found[f"{name}/{SUM}"] = write.node("Where", APPLY, zero, total)
    lowering.nodes += write.nodes
    return found


def moved(
    lowering: Lowering,
    layout: StepLayout,
    update: UpdatePlan,
    gradients: Mapping[str, str],
    rate: str,
) -> dict[str, str]:
    """The parameters of one update and their states anew; what the loss does not reach stays."""
    optimiser = update.optimiser
    names = [name for name in update.parameters if name in gradients]
    clipped = clip(lowering, update, {name: gradients[name] for name in names}, rate)
    write = Writer(lowering, f"update/{rate}", "f32")
    shared = scalars(optimiser, write, rate, STEP)
    lowering.nodes += write.nodes
    found = {}
    for name in names:
        write = Writer(lowering, f"update/{name}", "f32")
        states = {
            key.removeprefix(f"{name}/"): key
            for key, state in layout.states.items()
            if state.parameter == name
        }
        result = UPDATES[type(optimiser)](
            without_decay(optimiser, layout.arrays[name]),
            write,
            name,
            clipped[name],
            states,
            shared,
        )
        found[name] = result.parameter
        found |= {f"{name}/{key}": tensor for key, tensor in result.states.items()}
        if optimiser.average is not None:
            found[f"{name}/average"] = blended(
                write, states["average"], result.parameter, optimiser.average
            )
        lowering.nodes += write.nodes
    return found


def without_decay(optimiser: Optimiser, shape: tuple[int, ...]) -> Optimiser:
    """The optimiser as it treats a parameter of this shape: biases and scales need not decay."""
    if optimiser.decay_all or len(shape) > 1:
        return optimiser
    return replace(optimiser, decay=0.0)  # type: ignore[call-arg]


def clip(
    lowering: Lowering, update: UpdatePlan, gradients: Mapping[str, str], rate: str
) -> Mapping[str, str]:
    """The gradients of an update within the bounds of its optimiser, that of the norm first."""
    bound, most = update.optimiser.clip, update.optimiser.clip_value
    if bound is not None:
        length = norm(lowering, f"clip/{rate}", [*gradients.values()])
        write = Writer(lowering, f"clip/{rate}/share", "f32")
        share = write.node("Min", write.node("Div", write.floats(bound), length), write.floats(1.0))
        gradients = {name: write.node("Mul", g, share) for name, g in gradients.items()}
        lowering.nodes += write.nodes
    if most is not None:
        write = Writer(lowering, f"clip/{rate}/value", "f32")
        ends = write.floats(-most), write.floats(most)
        gradients = {name: write.node("Clip", g, *ends) for name, g in gradients.items()}
        lowering.nodes += write.nodes
    return gradients


def model_of(
    lowering: Lowering,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Mapping[str, str],
    shapes: Mapping[str, list[int | str]],
) -> onnx.ModelProto:
    """The model with these outputs by the tensors that hold them; what none needs is left out.

    Outputs without a shape are scalars.
    """
    given = {info.name for info in inputs}
    nodes = named(sweep(lowering.nodes, {*outputs.values()}), outputs, given)
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes.get(name, []))
        for name in outputs
    ]
    model = helper.make_model(
        helper.make_graph(nodes, lowering.graph.name, inputs, infos),
        opset_imports=[helper.make_opsetid("", lowering.opset)],
        ir_version=IR_OF_OPSET[lowering.opset],
        producer_name="netc",
    )
    taken = {name for node in nodes for name in node.input}
    for name, array in lowering.initializers.items():
        if name in taken:
            add_tensor(model, name, array)
    return model


def float_infos(shapes: Mapping[str, tuple[int, ...]]) -> list[onnx.ValueInfoProto]:
    """The types of arrays."""
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]


def batch_infos(graph: Graph) -> list[onnx.ValueInfoProto]:
    """The types of what is fed for each sample."""
    return [
        helper.make_tensor_value_info(node.name, TYPES[node.op.dtype], batched(node))
        for node in graph.inputs()
        if isinstance(node.op, Input)
    ]


def batched(node: Node) -> list[int | str]:
    """The shape of a batch of a node's tensor."""
    return ["N", *(size if isinstance(size, int) else str(size) for size in node.shape)]


def output_shapes(graph: Graph) -> dict[str, list[int | str]]:
    """The shapes of derivatives and of arrays anew."""
    found = {f"{BY_TENSOR}{node.name}": batched(node) for node in graph.nodes()}
    found |= {f"{TENSOR}{node.name}": batched(node) for node in graph.nodes()}
    for name, weight in graph.parameters().items():
        found[f"{GRADIENT}{name}"] = found[name + NEXT] = [*weight.shape]
    return found


def named(
    nodes: list[onnx.NodeProto], outputs: Mapping[str, str], given: Collection[str]
) -> list[onnx.NodeProto]:
    """The nodes with each output under its name: its tensor renamed, or a copy of it."""
    names: dict[str, str] = {}
    copies = []
    for output, tensor in outputs.items():
        if tensor in names or tensor in given:
            copies.append((tensor, output))
        else:
            names[tensor] = output
    for node in nodes:
        for places in (node.input, node.output):
            for place, name in enumerate(places):
                if name in names:
                    places[place] = names[name]
    return nodes + [
        helper.make_node("Identity", [names.get(tensor, tensor)], [output], name=f"copy/{output}")
        for tensor, output in copies
    ]
