"""Optimisers and schedules in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.torch.script.steps import parameters_text, refused
from compiler.training.model import StepPlan, TrainingPlan
from compiler.training.optimisers import Adam, AdamW, Lion, Optimiser, RmsProp, Sgd
from compiler.training.schedules import (
    Cosine,
    ExponentialDecay,
    Plateau,
    Schedule,
    Steps,
    Warmup,
)


def optimiser_call(optimiser: Optimiser, parameters: str) -> str:
    """The constructor's call of an optimiser."""
    given: dict[str, Any]
    usual: dict[str, Any]
    match optimiser:
        case Sgd():
            name = "torch.optim.SGD"
            given = {"momentum": optimiser.momentum, "nesterov": optimiser.nesterov}
            usual = {"momentum": 0.0, "nesterov": False}
            if not optimiser.momentum:  # where PyTorch refuses it, and it changes nothing
                given["nesterov"] = False
        case Adam() | AdamW():
            name = "torch.optim.AdamW" if isinstance(optimiser, AdamW) else "torch.optim.Adam"
            given = {"betas": (optimiser.beta1, optimiser.beta2), "eps": optimiser.eps}
            usual = {"betas": (0.9, 0.999), "eps": 1e-8}
        case RmsProp():
            name = "torch.optim.RMSprop"
            given = {"alpha": optimiser.alpha, "eps": optimiser.eps, "momentum": optimiser.momentum}
            usual = {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0}
        case Lion():
            name = "Lion"
            given, usual = {"betas": (optimiser.beta1, optimiser.beta2)}, {}
        case _:
            raise TypeError(optimiser)
    decay = float(optimiser.decay)
    if decay and not optimiser.decay_all:
        parameters = f"apart({parameters}, {decay})"
        decay = 0.0
    given["weight_decay"] = decay
    usual["weight_decay"] = 1e-2 if isinstance(optimiser, AdamW) else 0.0
    more = [f"{key}={value}" for key, value in given.items() if value != usual.get(key)]
    return f"{name}({', '.join([parameters, 'lr=0.0', *more])})"


def first_rate(rate: float | Schedule) -> float:
    """The number that a schedule begins with."""
    return first_rate(rate.rate) if isinstance(rate, Schedule) else float(rate)  # type: ignore[attr-defined]


def rate_text(rate: float | Schedule) -> str:
    """A rate as an expression of `epoch`, `epochs`, `history` and the first rate `lr`."""
    match rate:
        case Steps():
            return f"lr * {rate.by} ** sum(epoch >= at for at in {tuple(rate.at)})"
        case Cosine() if rate.to:
            shape = "(1 + math.cos(math.pi * min(1.0, epoch / epochs))) / 2"
            return f"{rate.to} + (lr - {rate.to}) * {shape}"
        case Cosine():
            return "lr * (1 + math.cos(math.pi * min(1.0, epoch / epochs))) / 2"
        case ExponentialDecay():
            return f"lr * {rate.by}**epoch"
        case Plateau():
            return f"plateau(lr, {rate.by}, {rate.patience}, history)"
        case Warmup():
            inner = rate_text(rate.rate)
            inner = f"({inner})" if " + " in inner else inner
            return f"{inner} * min(1.0, epoch / {rate.epochs})"
    return "lr"


def rate_functions(training: TrainingPlan) -> tuple[list[str], list[list[str]]]:
    """A function for each different rate, and the name of that of each update of each step."""
    known: dict[str, str] = {}
    texts: list[str] = []
    names: list[list[str]] = []
    for step in training.steps:
        names.append([])
        for update in step.updates:
            rate = update.optimiser.rate  # type: ignore[attr-defined]
            body = f"(epoch, epochs, history, lr={first_rate(rate)}):\n"
            body += '    """The rate when so many epochs are done, and what each measured."""\n'
            body += f"    return {rate_text(rate)}"
            if body not in known:
                known[body] = f"rate{len(known) + 1}" if known else "rate"
                texts.append(f"def {known[body]}{body}")
            names[-1].append(known[body])
    return texts, names


def update_texts(training: TrainingPlan, rates: list[list[str]]) -> Iterator[str]:
    """For each step its updates, as a line of Python; raises E605."""
    check_states(training)
    for step, names in zip(training.steps, rates, strict=True):
        parts = []
        for update, rate in zip(step.updates, names, strict=True):
            call = optimiser_call(update.optimiser, parameters_text(training, update.parameters))
            more = [
                f", {word}={value}"
                for word in ("clip", "clip_value", "average")
                if (value := getattr(update.optimiser, word)) is not None
            ]
            parts.append(f"Update({call}, {rate}{''.join(more)})")
        yield f"[{', '.join(parts)}]"


def check_states(training: TrainingPlan) -> None:
    """Raise E605 for a parameter that two steps move, with arrays that both would keep."""
    moved: dict[str, StepPlan] = {}
    for step in training.steps:
        for update in step.updates:
            plain = type(update.optimiser) is Sgd and not update.optimiser.momentum
            keeps = not plain or update.optimiser.average is not None
            for name in update.parameters:
                if name in moved and keeps:
                    raise refused(
                        f"`{name}` is updated in two steps, with one optimiser's arrays",
                        update.span,
                        "each step of a script has an optimiser of its own; "
                        "sgd without momentum keeps none",
                    )
                moved[name] = step
