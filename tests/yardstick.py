"""NumPy's derivatives against torch autograd and onnx-ad; run by the Python that has them.

    /path/to/python -m tests.yardstick

prints a line for each op: the largest difference of a derivative, relative to its largest number,
from PyTorch's in float64 and from onnx-ad's model of our ONNX in float32. It exits with 1 when one
is beyond what rounding explains. The calls are those of the op tests. onnx-ad 0.3.0 differs for the
grouped dilated convolution and for means of windows that overhang, where PyTorch and central
differences agree with NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as f

from compiler.initialise import scatter
from compiler.onnx.lower import lower
from compiler.ops import OPS
from compiler.ops.base import Op
from compiler.ops.training import BatchNormTraining
from compiler.options import CompileOptions
from runtime.gradients import run_gradient
from runtime.kernels.windows import slides
from runtime.reference import run_kernel
from tests.opcheck import make, one_op
from tests.ops.examples import EXAMPLES

BATCH = 3
NOT_TRUSTED = ("conv", "avgpool")  # of onnx-ad
BOUND, BOUND_FLOAT32 = 1e-7, 1e-4  # PyTorch's hardsigmoid has a sixth in float32
Tensors = dict[str, Any]


def windowed(op: Any, x: Any, mode: str = "constant", fill: float = 0.0) -> tuple[Any, Any]:
    """The input padded as the op says, and its windows."""
    axes = slides(
        x.shape[2:], op.kernel, op.stride, op.pad, op.dilation, getattr(op, "ceil", False)
    )
    widths = [w for a in reversed(axes) for w in (a.before, a.after + a.overhang)]
    return f.pad(x, widths, mode, fill) if mode == "constant" else f.pad(x, widths, mode), axes


def conv(op: Any, x: Any, a: Tensors) -> Any:
    modes = {"zero": "constant", "replicate": "replicate", "reflect": "reflect"}
    x, axes = windowed(op, x, modes.get(op.pad_mode, "circular"))
    function = (f.conv1d, f.conv2d, f.conv3d)[len(axes) - 1]
    strides, dilations = [s.stride for s in axes], [s.dilation for s in axes]
    return function(x, a["weight"], a.get("bias"), strides, 0, dilations, op.groups)


def maxpool(op: Any, x: Any, a: Tensors) -> Any:
    x, axes = windowed(op, x, fill=-float("inf"))
    function = (f.max_pool1d, f.max_pool2d, f.max_pool3d)[len(axes) - 1]
    kernel, strides = [s.kernel for s in axes], [s.stride for s in axes]
    return function(x, kernel, strides, 0, [s.dilation for s in axes])


def avgpool(op: Any, x: Any, a: Tensors) -> Any:
    if not isinstance(op.pad, int):
        raise NotImplementedError("PyTorch pads both sides alike")
    function = (f.avg_pool1d, f.avg_pool2d, f.avg_pool3d)[x.ndim - 3]
    return function(x, op.kernel, op.stride, op.pad, op.ceil, op.count_pad)


def batch_norm(op: Any, x: Any, a: Tensors) -> Any:
    training = isinstance(op, BatchNormTraining)
    held = (a["running_mean"].clone(), a["running_var"].clone())
    return f.batch_norm(x, *held, a.get("weight"), a.get("bias"), training, op.momentum, op.eps)


def layer_norm(op: Any, x: Any, a: Tensors) -> Any:
    places = [place + 1 for place in op.places(x.shape[1:])]
    if places != list(range(places[0], x.ndim)):
        raise NotImplementedError("PyTorch normalises the last axes")
    return f.layer_norm(x, x.shape[places[0] :], a.get("weight"), a.get("bias"), op.eps)


def lrn(op: Any, x: Any, a: Tensors) -> Any:
    return f.local_response_norm(x, op.size, op.alpha, op.beta, op.k)


def prelu(op: Any, x: Any, a: Tensors) -> Any:
    return f.prelu(x, a["weight"])


def resize(op: Any, x: Any, a: Tensors) -> Any:
    if op.mode == "nearest" or op.scale is not None:
        raise NotImplementedError("PyTorch rounds otherwise")
    mode = {"linear": {3: "linear", 4: "bilinear", 5: "trilinear"}[x.ndim], "cubic": "bicubic"}
    return f.interpolate(x, op.size, mode=mode[op.mode], align_corners=op.align == "corners")


def upsample(op: Any, x: Any, a: Tensors) -> Any:
    scale = op.scale if isinstance(op.scale, int) else tuple(op.scale)
    linear = {3: "linear", 4: "bilinear", 5: "trilinear"}[x.ndim]
    return f.interpolate(x, scale_factor=scale, mode=linear if op.mode == "bilinear" else "nearest")


PLAIN: dict[str, Callable[..., Any]] = {
    "relu": f.relu,
    "relu6": f.relu6,
    "selu": f.selu,
    "silu": f.silu,
    "mish": f.mish,
    "hardswish": f.hardswish,
    "hardsigmoid": f.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": f.logsigmoid,
    "tanh": torch.tanh,
    "softplus": f.softplus,
    "softsign": f.softsign,
    "abs": torch.abs,
    "exp": torch.exp,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: lambda op, x, a, function=function: function(x) for name, function in PLAIN.items()
} | {
    "conv": conv,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "bn": batch_norm,
    "layernorm": layer_norm,
    "lrn": lrn,
    "prelu": prelu,
    "resize": resize,
    "upsample": upsample,
    "flatten": lambda op, x, a: x.flatten(op.first % (x.ndim - 1) + 1),
    "leaky_relu": lambda op, x, a: f.leaky_relu(x, op.slope),
    "elu": lambda op, x, a: f.elu(x, op.alpha),
    "celu": lambda op, x, a: f.celu(x, op.alpha),
    "gelu": lambda op, x, a: f.gelu(x, approximate="tanh" if op.approximate else "none"),
    "clip": lambda op, x, a: x.clamp(op.lo, op.hi),
    "softmax": lambda op, x, a: f.softmax(x, op.axis % (x.ndim - 1) + 1),
    "log_softmax": lambda op, x, a: f.log_softmax(x, op.axis % (x.ndim - 1) + 1),
    "power": lambda op, x, a: x**op.exponent,
    "gap": lambda op, x, a: x.mean(tuple(range(2, x.ndim)), keepdim=True),
    "groupnorm": lambda op, x, a: f.group_norm(
        x, op.groups, a.get("weight"), a.get("bias"), op.eps
    ),
    "instancenorm": lambda op, x, a: f.instance_norm(
        x, weight=a.get("weight"), bias=a.get("bias"), eps=op.eps
    ),
    "pixel_shuffle": lambda op, x, a: f.pixel_shuffle(x, op.r),
    "pixel_unshuffle": lambda op, x, a: f.pixel_unshuffle(x, op.r),
    "add": lambda op, *x: sum(x[:-1]),
    "sub": lambda op, x, y, a: x - y,
    "div": lambda op, x, y, a: x / y,
    "concat": lambda op, *x: torch.cat(x[:-1], op.axis % (x[0].ndim - 1) + 1),
    "adaptive_avgpool": lambda op, x, a: (
        f.adaptive_avg_pool1d,
        f.adaptive_avg_pool2d,
        f.adaptive_avg_pool3d,
    )[x.ndim - 3](x, op.size),
}


def main() -> None:
    """A line for each op."""
    failed = False
    print(f"{'op':18s}{'torch':>12s}{'onnx-ad':>12s}")
    for name in sorted(OPS):
        calls = EXAMPLES.get(name, [({}, [(3, 4, 5)])])
        ops = [(make(OPS[name], **arguments), shapes) for arguments, shapes in calls]
        if name == "bn":
            ops += [(BatchNormTraining(), [(3, 4, 5)])]
        torches = [against_torch(name, op, shapes) for op, shapes in ops]
        others = [against_onnx_ad(op, shapes) for op, shapes in ops]
        failed |= any(t is not None and t > BOUND for t in torches)
        trusted = name not in NOT_TRUSTED
        failed |= trusted and any(o is not None and o > BOUND_FLOAT32 for o in others)
        print(f"{name:18s}{shown(torches):>12s}{shown(others):>12s}")
    sys.exit(1 if failed else 0)


def shown(found: list[float | None]) -> str:
    """The largest difference, of those that could be compared."""
    known = [value for value in found if value is not None]
    return f"{max(known):.1e}" if known else "-"


def drawn(op: Op, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    """Random inputs, arrays, output and derivatives."""
    random = np.random.default_rng(0)
    graph = scatter(one_op(op, *shapes), 0)
    values = {
        n.removeprefix("layer").removeprefix("."): v.astype(np.float64)
        for n, v in graph.values.items()
    }
    if "running_var" in values:
        values["running_var"] = np.abs(values["running_var"]) + 0.1
    positive = op.name in ("log", "power", "div")
    inputs = tuple(random.standard_normal((BATCH, *shape)) for shape in shapes)
    inputs = tuple(np.abs(x) + 0.1 for x in inputs) if positive else inputs
    output = run_kernel(op, inputs, values)
    return graph, inputs, values, output, random.standard_normal(output.shape)


def distance(ours: Any, theirs: Any) -> float:
    """The largest difference over the largest number."""
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-30))


def against_torch(name: str, op: Op, shapes: list[tuple[int, ...]]) -> float | None:
    """How far the derivatives are from autograd's; None without a counterpart."""
    if name not in FUNCTIONS:
        return None
    _, inputs, values, output, dy = drawn(op, shapes)
    found = run_gradient(op, inputs, values, output, dy)
    given = [torch.tensor(x, requires_grad=True) for x in inputs]
    arrays = {n: torch.tensor(v, requires_grad=n in found.arrays) for n, v in values.items()}
    try:
        result = FUNCTIONS[name](op, *given, arrays)
    except NotImplementedError:
        return None
    assert np.allclose(result.detach().numpy(), output, atol=1e-9), name
    result.backward(torch.tensor(dy))
    pairs = [(a, b.grad) for a, b in zip(found.inputs, given, strict=True)]
    pairs += [(found.arrays[n], arrays[n].grad) for n in found.arrays]
    return max(distance(a, b.numpy()) for a, b in pairs)


def against_onnx_ad(op: Op, shapes: list[tuple[int, ...]]) -> float | None:
    """How far those by the inputs are from onnx-ad's; None where it has no rule."""
    try:
        import onnxruntime as ort
        from onnx_ad import reverse
    except ImportError:
        return None
    if isinstance(op, BatchNormTraining):
        return None
    graph, inputs, values, output, dy = drawn(op, shapes)
    feeds = dict(zip("abcdefgh", (x.astype(np.float32) for x in inputs), strict=False))
    feeds["adj_result"] = dy.reshape(-1, 1).astype(np.float32)
    arrays = {f"layer.{n}".removesuffix("."): v.astype(np.float32) for n, v in values.items()}
    graph = graph.rebuilt(graph.nodes(), values=arrays)
    try:
        model = reverse(lower(graph, CompileOptions(batch=BATCH))).SerializeToString()
        options = ort.SessionOptions()
        options.log_severity_level = 4
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        made = dict(zip(names, session.run(names, feeds), strict=True))
    except Exception:  # what it does not know it refuses in many ways
        return None
    found = run_gradient(op, inputs, values, output, dy)
    compared = [
        distance(ours, made[f"adj_{name}"].reshape(ours.shape))
        for name, ours in zip("abcdefgh", found.inputs, strict=False)
        if ours is not None
    ]
    return max(compared, default=None)


if __name__ == "__main__":
    main()
