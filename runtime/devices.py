"""The devices that a net runs on, as a user names them: `auto`, `cpu`, `cuda:1`, …"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import CallError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
TENSORRT_RTX = "NvTensorRTRTXExecutionProvider"
PLUGGED = {"openvino": OPENVINO, "tensorrt-rtx": TENSORRT_RTX}  # by packages of their own
PROVIDERS = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT, **PLUGGED}
KINDS = ("auto", *PROVIDERS, "numpy")
NUMBERED = ("cuda", "tensorrt")


@dataclass(frozen=True)
class Device:
    """A kind of device, and which one of several."""

    kind: str
    index: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.index}" if self.index else self.kind

    @property
    def provider(self) -> str:
        """What ONNX Runtime calls it; `auto` and `numpy` have no provider."""
        return PROVIDERS[self.kind]

    @property
    def on_gpu(self) -> bool:
        """Whether it is a kind of ONNX Runtime's own that needs an NVIDIA GPU."""
        return self.kind in NUMBERED

    @property
    def is_plugin(self) -> bool:
        """Whether a package of its own brings it."""
        return self.kind in PLUGGED


def parse_device(text: str | Device) -> Device:
    """The device that `text` names; raises `CallError` with what there is."""
    if isinstance(text, Device):
        return text
    kind, colon, number = text.partition(":")
    if kind not in KINDS or (colon and (kind not in NUMBERED or not number.isdecimal())):
        raise CallError(
            f"there is no device {text}: it is one of {', '.join(KINDS)}; "
            "a number chooses among several GPUs, as in cuda:1"
        )
    return Device(kind, int(number or 0))
