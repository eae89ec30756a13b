"""A step of a training as a file for any runtime, and held against NumPy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from compiler.options import CompileOptions
from compiler.training.layout import layout_of
from compiler.training.model import StepPlan, TrainingPlan
from netc.errors import say
from netc.options import NetChoice
from netc.training import changed, checked_training, require_training
from netc.verifying import VerifyCall, tell_all
from runtime.errors import CallError
from runtime.verify.comparison import Comparison


def chosen(file: str, name: str, choice: NetChoice, dtype: str = "f32") -> TrainingPlan:
    """The training that a call means, its products in a type."""
    training = require_training(checked_training(file, name, choice.settings, choice.files))
    return changed(training, dtype=dtype)


def compile_steps(
    file: str,
    name: str,
    choice: NetChoice,
    output: Path | None,
    options: CompileOptions,
    checkpoint: bool = False,
) -> Iterator[str]:
    """Write a model for each step, and where its arrays begin; says what was written."""
    from compiler.onnx.step import build_step
    from netc import __version__
    from runtime.files import check_writable, refuse_inputs, write_whole
    from runtime.models import write_model
    from runtime.training.loop import first_arrays
    from runtime.weights.saving import write_safetensors

    training = chosen(file, name, choice, options.dtype)
    target = output or Path(f"{training.name}.onnx")
    several = len(training.steps) > 1
    paths = [target.with_suffix(f".{s.name}.onnx") if several else target for s in training.steps]
    beside = target.with_suffix(".safetensors")
    if beside in paths:
        raise CallError(f"{target} would be written twice, as a model and as weights: use .onnx")
    refuse_inputs([*paths, beside], choice.files.seen)
    check_writable([*paths, beside])
    arrays = first_arrays(training, tuple(map(layout_of, training.steps)), options.seed)
    texts = {}
    for plan, path in zip(training.steps, paths, strict=True):
        model = build_step(plan, opset=options.opset, checkpoint=checkpoint)
        model.producer_version = __version__
        model.doc_string = described(training, plan)
        write_model(model, path)
        # Runtimes in a browser tell no metadata of a model.
        texts[f"netc.{plan.name}"] = json.dumps(layout_of(plan).as_dict())
        nodes = len(model.graph.node)
        yield f"{training.name}, {plan.name}: {nodes:,} nodes -> {path}"
    write_whole(beside, lambda place: write_safetensors(place, arrays, texts))
    yield f"where its {len(arrays):,} arrays begin, by seed {options.seed}: {beside}"


def compile_script(file: str, name: str, choice: NetChoice, target: Path) -> str:
    """Write a training as a PyTorch program; says what was written."""
    from compiler.torch.script.write import write_script
    from runtime.files import refuse_inputs, write_whole

    training = chosen(file, name, choice)
    source = write_script(training)
    refuse_inputs([target], choice.files.seen)
    write_whole(target, source.encode())
    lines = source.count("\n")
    return f"{training.name}: {training.epochs} epochs -> {target} ({lines} lines)"


def described(training: TrainingPlan, plan: StepPlan) -> str:
    """What the model says of itself to people."""
    return (
        f"One step of the training {training.name} ({plan.name}): forward, loss, backward, update. "
        "Inputs: the batch, dropout masks (0 or 1/(1 - p)), parameters, the optimiser's arrays, "
        "the rate, and the number of the update from 1. Outputs: the loss, reports, and each array "
        "that changes, under its name with /next behind. The metadata netc.step lists them."
    )


def verify_training(file: str, name: str, call: VerifyCall, choice: NetChoice) -> bool:
    """Hold each step of a training against NumPy; whether everything agrees."""
    from runtime.verify.step import verify_step

    training = chosen(file, name, choice, call.options.dtype)

    def comparisons() -> Iterator[tuple[str, Comparison]]:
        for plan in training.steps:
            word = training.name if len(training.steps) == 1 else f"{training.name}, {plan.name}"
            yield word, verify_step(training, plan, call.options)

    return tell_all(comparisons(), call)


def step_memories(
    file: str, name: str, choice: NetChoice, checkpoint: bool
) -> dict[str, dict[str, int]]:
    """The bytes that each step of a training takes, by step, and its batch."""
    from compiler.onnx.memory import step_memory
    from compiler.onnx.step import build_step

    training = chosen(file, name, choice)
    found = {}
    for plan in training.steps:
        memory = step_memory(
            build_step(plan, checkpoint=checkpoint), layout_of(plan), training.batch
        )
        found[plan.name] = {
            "batch_size": training.batch,
            "parameters": memory.parameters,
            "states": memory.states,
            "batch": memory.batch,
            "kept": memory.kept,
            "gradients": memory.gradients,
            "working": memory.working,
            "total": memory.total,
        }
    return found


MEMORY_ROWS = {
    "parameters": "parameters and running statistics",
    "states": "the optimiser's arrays",
    "batch": "data, noise and masks",
    "working": "activations, gradients, all that is made anew",
    "kept": "  of it kept for the backward pass",
    "gradients": "  of it gradients of parameters",
    "total": "in all",
}


def tell_memories(found: Mapping[str, Mapping[str, int]], name: str) -> None:
    """Say what each step of a training takes, a row for each kind."""
    for step, memory in found.items():
        word = name if len(found) == 1 else f"{name}, {step}"
        say(f"{word}: a step of {memory['batch_size']:,} samples takes")
        for key, text in MEMORY_ROWS.items():
            say(f"  {text:<46}{mebibytes(memory[key]):>14}")


def mebibytes(count: int) -> str:
    """A number of bytes in words."""
    return f"{count / 2**20:,.1f} MiB" if count >= 2**20 else f"{count / 2**10:,.1f} KiB"
