"""Small Caffe networks that hold every layer type that is read, for the second reading to run."""

from __future__ import annotations

from tests.importers.caffe_models import layer

MAP = (2, 4, 7, 6)


def net(*layers: str, shape: tuple[int, ...] = MAP) -> str:
    """A file with one input `x`."""
    dims = " ".join(f"dim: {size}" for size in shape)
    data = layer("Input", "data", "", "x", f"input_param {{ shape {{ {dims} }} }}")
    return "\n".join(['name: "small"', data, *layers])


def single(kind: str, fields: str = "", shape: tuple[int, ...] = MAP) -> str:
    """A file of one layer."""
    return net(layer(kind, "l", "x", "y", fields), shape=shape)


def conv(fields: str) -> str:
    return single("Convolution", f"convolution_param {{ {fields} }}")


def pool(fields: str) -> str:
    return single("Pooling", f"pooling_param {{ {fields} }}")


RELU = layer("ReLU", "r", "x", "a")
TANH = layer("TanH", "t", "x", "b")
GATE = layer("Pooling", "g", "x", "g", "pooling_param { pool: AVE global_pooling: true }")

NETS = {
    "conv": conv("num_output: 6 kernel_size: 3 pad: 1 stride: 2"),
    "conv_sides": conv(
        "num_output: 4 kernel_h: 1 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 2 group: 2 "
        "bias_term: false"
    ),
    "conv_lists": conv("num_output: 2 kernel_size: 3 kernel_size: 2 dilation: 2 pad: 3 pad: 1"),
    "deconv": single(
        "Deconvolution",
        "convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 2 }",
    ),
    "depthwise": single(
        "ConvolutionDepthwise", "convolution_param { num_output: 8 kernel_size: 3 pad: 1 }"
    ),
    "dense": single("InnerProduct", "inner_product_param { num_output: 5 axis: 1 }"),
    "dense_behind": net(
        layer("Flatten", "f", "x", "f"),
        layer("InnerProduct", "ip", "f", "y", "inner_product_param { num_output: 3 axis: -1 }"),
    ),
    "pool_up": pool("pool: MAX kernel_size: 3 stride: 2"),
    "pool_floor": pool("pool: MAX kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR"),
    "pool_ceil_mode": pool("pool: AVE kernel_size: 2 stride: 2 ceil_mode: false"),
    "pool_mean": pool("pool: AVE kernel_size: 3 stride: 2 pad: 1"),
    "pool_sides": pool("kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_h: 1 pad_w: 0"),
    "pool_whole": pool("pool: MAX global_pooling: true"),
    "lrn": single("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 k: 2 }"),
    "lrn_within": single(
        "LRN", "lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }"
    ),
    "batch_norm": single("BatchNorm", "batch_norm_param { use_global_stats: true eps: 0.01 }"),
    "batch_norm_nvidia": single("BatchNorm", "batch_norm_param { scale_bias: true }"),
    "batch_norm_scale": net(
        layer("BatchNorm", "bn", "x", "y"),
        layer("Scale", "s", "y", "y", "scale_param { bias_term: true }"),
    ),
    "batch_norm_factor": net(
        layer("BatchNorm", "bn", "x", "y"), layer("Scale", "s", "y", "y", "scale_param { axis: 1 }")
    ),
    "batch_norm_two_scales": net(
        layer("BatchNorm", "bn", "x", "n"),
        layer("Scale", "s1", "n", "a", "scale_param { bias_term: true }"),
        layer("Scale", "s2", "n", "b", "scale_param { bias_term: true }"),
        layer("Concat", "c", "a b", "y"),
    ),
    "batch_norm_read_raw": net(
        layer("BatchNorm", "bn", "x", "n"),
        layer("Scale", "s", "n", "a", "scale_param { bias_term: true }"),
        layer("Eltwise", "e", "a n", "y"),
    ),
    "batch_norm_scale_scale": net(
        layer("BatchNorm", "bn", "x", "y"),
        layer("Scale", "s", "y", "y", "scale_param { bias_term: true }"),
        layer("Scale", "q", "y", "y", "scale_param { bias_term: true }"),
    ),
    "scale_vector": net(
        layer("Flatten", "f", "x", "f"),
        layer("Scale", "s", "f", "y", "scale_param { bias_term: true }"),
    ),
    "scale_by": net(
        GATE,
        layer("Flatten", "f", "g", "f"),
        layer("Scale", "s", "x f", "y", "scale_param { axis: 0 }"),
    ),
    "bn_pspnet": single("BN", "bn_param { frozen: true momentum: 0.95 eps: 0.001 }"),
    "bn_segnet": single("BN", "bn_param { bn_mode: INFERENCE }"),
    "normalize_ssd": single(
        "Normalize", "norm_param { across_spatial: false channel_shared: false }"
    ),
    "normalize_whole": single("Normalize", "norm_param { channel_shared: false eps: 0.01 }"),
    "eltwise": net(RELU, TANH, layer("Eltwise", "e", "a b x", "y")),
    "eltwise_coeff": net(
        RELU, TANH, layer("Eltwise", "e", "a b", "y", "eltwise_param { coeff: 0.5 coeff: -2 }")
    ),
    "eltwise_max": net(
        RELU, TANH, layer("Eltwise", "e", "a b", "y", "eltwise_param { operation: MAX }")
    ),
    "eltwise_prod": net(
        RELU, TANH, layer("Eltwise", "e", "a b", "y", "eltwise_param { operation: PROD }")
    ),
    "axpy": net(GATE, RELU, layer("Axpy", "ax", "g a x", "y")),
    "concat": net(RELU, TANH, layer("Concat", "c", "b a", "y", "concat_param { axis: 2 }")),
    "slice": net(
        layer("Slice", "s", "x", "a b", "slice_param { axis: 1 slice_point: 1 }"),
        layer("ReLU", "r", "a", "a"),
        layer("Concat", "c", "b a", "y"),
    ),
    "split": net(layer("Split", "s", "x", "a b"), layer("Eltwise", "e", "a b", "y")),
    "shuffle": single("ShuffleChannel", "shuffle_channel_param { group: 2 }", (2, 6, 3, 4)),
    "flatten": single("Flatten", "flatten_param { axis: 2 end_axis: -1 }"),
    "reshape": single("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 6 } }"),
    "reshape_batch": single(
        "Reshape", "reshape_param { shape { dim: 1 dim: -1 dim: 3 } }", (1, 4, 7, 6)
    ),
    "reshape_part": single(
        "Reshape", "reshape_param { axis: 1 num_axes: 2 shape { dim: 14 dim: 2 } }"
    ),
    "permute": single("Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"),
    "crop": net(
        layer("Pooling", "p", "x", "p", "pooling_param { kernel_size: 2 stride: 2 }"),
        layer("Crop", "c", "x p", "y", "crop_param { axis: 2 offset: 1 offset: 2 }"),
    ),
    "upsample": single("Upsample", "upsample_param { scale: 2 }"),
    "interp": single("Interp", "interp_param { height: 9 width: 11 }"),
    "interp_factors": single("Interp", "interp_param { shrink_factor: 2 zoom_factor: 3 }"),
    "softmax": single("Softmax", "softmax_param { axis: 2 }"),
    "leaky": single("ReLU", "relu_param { negative_slope: 0.2 }"),
    "prelu": single("PReLU", "prelu_param { channel_shared: false }"),
    "prelu_shared": single("PReLU", "prelu_param { channel_shared: true }"),
    "elu": single("ELU", "elu_param { alpha: 0.5 }"),
    "power": single("Power", "power_param { power: 2 scale: 3 shift: 0.5 }"),
    "exp": single("Exp", "exp_param { base: 2 scale: 0.5 shift: 1 }"),
    "log": net(
        layer("AbsVal", "a", "x", "a"),
        layer("Log", "l", "a", "y", "log_param { base: 10 scale: 2 shift: 1 }"),
    ),
    "swish": single("Swish", "swish_param { beta: 2 }"),
    "dropout": net(layer("Dropout", "d", "x", "x", "dropout_param { dropout_ratio: 0.3 }"), RELU),
    **{
        kind.lower(): single(kind)
        for kind in ("Sigmoid", "TanH", "AbsVal", "BNLL", "ReLU6", "SeLu", "ReLU")
    },
    "siamese": net(
        layer("Slice", "s", "x", "a b"),
        layer(
            "InnerProduct",
            "ip",
            "a",
            "p",
            'param { name: "w" } param { name: "v" } inner_product_param { num_output: 3 }',
        ),
        layer(
            "InnerProduct",
            "ip2",
            "b",
            "q",
            'param { name: "w" } param { name: "v" } inner_product_param { num_output: 3 }',
        ),
        layer("Concat", "c", "p q", "y"),
    ),
    "residual": net(
        layer(
            "Convolution",
            "c1",
            "x",
            "c1",
            "convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_term: false }",
        ),
        layer("BatchNorm", "c1/bn", "c1", "c1"),
        layer("Scale", "c1/scale", "c1", "c1", "scale_param { bias_term: true }"),
        layer("ReLU", "c1/relu", "c1", "c1"),
        layer("Eltwise", "sum", "c1 x", "sum"),
        layer("Pooling", "p", "sum", "p", "pooling_param { pool: AVE kernel_size: 2 stride: 2 }"),
        layer("InnerProduct", "fc", "p", "fc", "inner_product_param { num_output: 7 }"),
        layer("Softmax", "prob", "fc", "prob"),
    ),
}
