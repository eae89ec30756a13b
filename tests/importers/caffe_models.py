"""Published Caffe networks as prototxt texts, put together from their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def layer(kind: str, name: str, bottom: str, top: str, fields: str = "") -> str:
    """One layer; `bottom` are the names of blobs between spaces."""
    bottoms = " ".join(f'bottom: "{blob}"' for blob in bottom.split())
    tops = " ".join(f'top: "{blob}"' for blob in top.split())
    return f'layer {{ name: "{name}" type: "{kind}" {bottoms} {tops} {fields} }}'


def conv(name: str, bottom: str, fields: str, relu: str) -> Iterator[str]:
    """A convolution and the ReLU that works on its blob in place."""
    yield layer("Convolution", name, bottom, name, f"convolution_param {{ {fields} }}")
    yield layer("ReLU", relu, name, name)


def dense(name: str, bottom: str, units: int) -> str:
    """A dense layer."""
    return layer(
        "InnerProduct", name, bottom, name, f"inner_product_param {{ num_output: {units} }}"
    )


def pool(name: str, bottom: str, fields: str, kind: str = "MAX") -> str:
    """A pooling, rounded up."""
    return layer("Pooling", name, bottom, name, f"pooling_param {{ pool: {kind} {fields} }}")


def lrn(name: str, bottom: str) -> str:
    """AlexNet's and GoogLeNet's normalisation."""
    fields = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
    return layer("LRN", name, bottom, name, fields)


def text(name: str, layers: Iterable[str], top: str) -> str:
    """The whole file."""
    return "\n".join([f'name: "{name}"', top, *layers]) + "\n"


def alexnet() -> str:
    """Krizhevsky et al. (2012) as the reference file of Caffe has it, with its two groups."""

    def layers() -> Iterator[str]:
        yield from conv("conv1", "data", "num_output: 96 kernel_size: 11 stride: 4", "relu1")
        yield lrn("norm1", "conv1")
        yield pool("pool1", "norm1", "kernel_size: 3 stride: 2")
        yield from conv("conv2", "pool1", "num_output: 256 pad: 2 kernel_size: 5 group: 2", "relu2")
        yield lrn("norm2", "conv2")
        yield pool("pool2", "norm2", "kernel_size: 3 stride: 2")
        yield from conv("conv3", "pool2", "num_output: 384 pad: 1 kernel_size: 3", "relu3")
        yield from conv("conv4", "conv3", "num_output: 384 pad: 1 kernel_size: 3 group: 2", "relu4")
        yield from conv("conv5", "conv4", "num_output: 256 pad: 1 kernel_size: 3 group: 2", "relu5")
        yield pool("pool5", "conv5", "kernel_size: 3 stride: 2")
        for number, bottom in ((6, "pool5"), (7, "fc6")):
            name = f"fc{number}"
            yield dense(name, bottom, 4096)
            yield layer("ReLU", f"relu{number}", name, name)
            yield layer(
                "Dropout", f"drop{number}", name, name, "dropout_param { dropout_ratio: 0.5 }"
            )
        yield dense("fc8", "fc7", 1000)
        yield layer("Softmax", "prob", "fc8", "prob")

    shape = "input_shape { dim: 10 dim: 3 dim: 227 dim: 227 }"
    return text(
        "AlexNet", layers(), layer("Input", "data", "", "data", f"input_param {{ {shape[6:]} }}")
    )


INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def inception(module: str, bottom: str) -> Iterator[str]:
    """Four branches (Szegedy et al., 2014) of the table's widths."""
    c1, r3, c3, r5, c5, cp = INCEPTIONS[module]
    own = f"inception_{module}"

    def unit(name: str, source: str, fields: str) -> Iterator[str]:
        return conv(f"{own}/{name}", source, fields, f"{own}/relu_{name}")

    one = "kernel_size: 1"
    yield from unit("1x1", bottom, f"num_output: {c1} {one}")
    yield from unit("3x3_reduce", bottom, f"num_output: {r3} {one}")
    yield from unit("3x3", f"{own}/3x3_reduce", f"num_output: {c3} pad: 1 kernel_size: 3")
    yield from unit("5x5_reduce", bottom, f"num_output: {r5} {one}")
    yield from unit("5x5", f"{own}/5x5_reduce", f"num_output: {c5} pad: 2 kernel_size: 5")
    yield pool(f"{own}/pool", bottom, "kernel_size: 3 stride: 1 pad: 1")
    yield from unit("pool_proj", f"{own}/pool", f"num_output: {cp} {one}")
    parts = " ".join(f"{own}/{name}" for name in ("1x1", "3x3", "5x5", "pool_proj"))
    yield layer("Concat", f"{own}/output", parts, f"{own}/output")


def auxiliary(name: str, bottom: str) -> Iterator[str]:
    """A head in the middle of the network, with its own loss."""
    yield pool(f"{name}/ave_pool", bottom, "kernel_size: 5 stride: 3", "AVE")
    yield from conv(
        f"{name}/conv", f"{name}/ave_pool", "num_output: 128 kernel_size: 1", f"{name}/relu_conv"
    )
    yield dense(f"{name}/fc", f"{name}/conv", 1024)
    yield layer("ReLU", f"{name}/relu_fc", f"{name}/fc", f"{name}/fc")
    yield dense(f"{name}/classifier", f"{name}/fc", 1000)
    yield layer(
        "SoftmaxWithLoss",
        f"{name}/loss",
        f"{name}/classifier label",
        f"{name}/loss1",
        "loss_weight: 0.3",
    )


def googlenet() -> str:
    """The file for training: data of either phase, two auxiliary heads, losses, accuracies."""

    def layers() -> Iterator[str]:
        yield from conv(
            "conv1/7x7_s2",
            "data",
            "num_output: 64 pad: 3 kernel_size: 7 stride: 2",
            "conv1/relu_7x7",
        )
        yield pool("pool1/3x3_s2", "conv1/7x7_s2", "kernel_size: 3 stride: 2")
        yield lrn("pool1/norm1", "pool1/3x3_s2")
        yield from conv(
            "conv2/3x3_reduce",
            "pool1/norm1",
            "num_output: 64 kernel_size: 1",
            "conv2/relu_3x3_reduce",
        )
        yield from conv(
            "conv2/3x3",
            "conv2/3x3_reduce",
            "num_output: 192 pad: 1 kernel_size: 3",
            "conv2/relu_3x3",
        )
        yield lrn("conv2/norm2", "conv2/3x3")
        yield pool("pool2/3x3_s2", "conv2/norm2", "kernel_size: 3 stride: 2")
        bottom = "pool2/3x3_s2"
        for module in INCEPTIONS:
            yield from inception(module, bottom)
            bottom = f"inception_{module}/output"
            if module in ("3b", "4e"):
                number = int(module[0])
                yield pool(f"pool{number}/3x3_s2", bottom, "kernel_size: 3 stride: 2")
                bottom = f"pool{number}/3x3_s2"
            elif module in ("4a", "4d"):
                yield from auxiliary("loss1" if module == "4a" else "loss2", bottom)
        yield pool("pool5/7x7_s1", bottom, "kernel_size: 7 stride: 1", "AVE")
        yield layer("Dropout", "pool5/drop_7x7_s1", "pool5/7x7_s1", "pool5/7x7_s1")
        yield dense("loss3/classifier", "pool5/7x7_s1", 1000)
        yield layer("SoftmaxWithLoss", "loss3/loss3", "loss3/classifier label", "loss3/loss3")
        yield layer(
            "Accuracy",
            "loss3/top-1",
            "loss3/classifier label",
            "loss3/top-1",
            "include { phase: TEST }",
        )

    data = "\n".join(
        layer(
            "Data",
            "data",
            "",
            "data label",
            f"include {{ phase: {phase} }} transform_param {{ mirror: {mirror} crop_size: 224 }}"
            f' data_param {{ source: "{phase.lower()}_lmdb" batch_size: 32 backend: LMDB }}',
        )
        for phase, mirror in (("TRAIN", "true"), ("TEST", "false"))
    )
    return text("GoogleNet", layers(), data)
