"""ResNet-50 in plain torch, exported to ONNX; run by the Python that has torch.

`python -m benchmarks.torch_resnet50 torchscript|dynamo X.onnx` prints the seconds of the export.
"""

from __future__ import annotations

import json
import sys
import time

import torch

from benchmarks.torch_nets import ResNet50


def main(exporter: str, path: str) -> None:
    """Build, export, and say how long the export took."""
    model = ResNet50().eval()
    assert sum(p.numel() for p in model.parameters()) == 25_557_032
    image = torch.zeros(1, 3, 224, 224)
    start = time.perf_counter()
    torch.onnx.export(model, (image,), path, dynamo=exporter == "dynamo")
    print(json.dumps({"export": time.perf_counter() - start}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
