"""Half precision: what is computed in float16 or bfloat16, and what stays in float32.

Weights are stored in the narrow type and convolutions and dense layers run in it (their sums are
float32 inside the kernels of every device). What sums, squares or exponentiates by itself stays in
float32 (`Op.in_float32`): normalisation and its statistics, softmax, averages, norms
(Micikevicius et al. 2018, section 3.3). So does every ONNX node whose operator does not take the
type at the wanted opset, or that CUDA has no kernel for in it: the tensors around it are cast.
"""

from __future__ import annotations

DTYPES = ("f32", "f16", "bf16")
WORDS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}

# The ONNX operators that run in bfloat16, by the opset from which they take it. Missing are those
# for which ONNX Runtime's CUDA provider has no bfloat16 kernel: MaxPool, ConvTranspose, Pad,
# Resize, LeakyRelu, PRelu, Elu, Selu, Clip, DepthToSpace and others.
BFLOAT16_SINCE = {
    "Add": 13,
    "Concat": 13,
    "Conv": 22,
    "Div": 13,
    "Erf": 13,
    "Flatten": 13,
    "Gelu": 20,
    "Gemm": 13,
    "HardSigmoid": 22,
    "HardSwish": 22,
    "Identity": 13,
    "MatMul": 13,
    "Max": 13,
    "Mul": 13,
    "Relu": 13,
    "Reshape": 13,
    "Sigmoid": 13,
    "Slice": 13,
    "Softplus": 22,
    "Sub": 13,
    "Sum": 13,
    "Tanh": 13,
    "Transpose": 13,
}

# The default opset of each type: bfloat16 convolutions exist from 22 on.
OPSETS = {"f32": 21, "f16": 21, "bf16": 22}


class PrecisionError(ValueError):
    """Numbers that the wanted type cannot hold, or no such type: the call is at fault."""


def takes_bfloat16(op_type: str, opset: int) -> bool:
    """Whether the ONNX nodes of an operator can compute in bfloat16."""
    return opset >= BFLOAT16_SINCE.get(op_type, opset + 1)
