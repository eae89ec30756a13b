"""What layers, parameters and values are called in other tools, for `did you mean`."""

from __future__ import annotations

import re
from collections.abc import Collection

from grammar.diagnostics import nearest

# Names of layers, in small letters, without underscores and a rank such as `2d` at their end.
LAYERS = {
    "linear": "dense",
    "fc": "dense",
    "fullyconnected": "dense",
    "innerproduct": "dense",
    "convolution": "conv",
    "convolutional": "conv",
    "convtranspose": "deconv",
    "transposedconv": "deconv",
    "batchnorm": "bn",
    "batchnormalization": "bn",
    "layernormalization": "layernorm",
    "groupnormalization": "groupnorm",
    "instancenormalization": "instancenorm",
    "localresponsenorm": "lrn",
    "maxpooling": "maxpool",
    "averagepooling": "avgpool",
    "averagepool": "avgpool",
    "globalaveragepooling": "gap",
    "globalaveragepool": "gap",
    "globalavgpool": "gap",
    "globalmaxpooling": "gmp",
    "globalmaxpool": "gmp",
    "swish": "silu",
    "cat": "concat",
    "concatenate": "concat",
    "multiply": "mul",
    "subtract": "sub",
    "maximum": "max",
    "average": "mean",
    "zeropadding": "pad",
    "zeropad": "pad",
    "upsampling": "upsample",
    "interpolate": "resize",
    "depthtospace": "pixel_shuffle",
    "spacetodepth": "pixel_unshuffle",
    "view": "reshape",
    "permute": "transpose",
    "parameter": "param",
    "constant": "const",
    "reducemean": "reduce_mean",
    "reducesum": "reduce_sum",
    "reducemax": "reduce_max",
    "reducemin": "reduce_min",
    "l2normalize": "l2norm",
    "lpnormalization": "l2norm",
}
# Parameters, each with what it may be called here.
PARAMETERS = {
    "padding": ("pad", "amount"),
    "pads": ("pad",),
    "kernel_size": ("kernel", "kernel_values"),
    "filter_size": ("kernel",),
    "ksize": ("kernel",),
    "pool_size": ("kernel",),
    "filters": ("channels",),
    "out_channels": ("channels",),
    "num_filters": ("channels",),
    "num_output": ("channels", "units"),
    "out_features": ("units",),
    "strides": ("stride",),
    "ceil_mode": ("ceil",),
    "padding_mode": ("pad_mode", "mode"),
    "output_padding": ("output_pad",),
    "count_include_pad": ("count_pad",),
    "negative_slope": ("slope",),
    "alpha": ("slope",),
    "scale_factor": ("scale",),
    "upscale_factor": ("r",),
    "output_size": ("size",),
    "epsilon": ("eps",),
    "dim": ("axis",),
    "dilation_rate": ("dilation",),
    "num_groups": ("groups",),
    "group": ("groups",),
    "rate": ("p",),
    "prob": ("p",),
    "use_bias": ("bias",),
    "kernel_initializer": ("init",),
    "min": ("lo",),
    "max": ("hi",),
}
FROM_FLOW = "leave it out: what flows in tells it"
# Parameters of elsewhere that nothing here corresponds to.
WITHOUT = {
    **dict.fromkeys(
        ("in_channels", "in_features", "num_features", "num_channels", "normalized_shape"),
        FROM_FLOW,
    ),
    "input_shape": FROM_FLOW,
    "activation": "an activation is a stage of its own: -> relu",
    "name": "a layer is named by a label: as stem",
    "momentum": "leave it out: it matters in training only",
    "inplace": "leave it out: nothing is overwritten",
    "data_format": "leave it out: channels always come first",
}


def layer_meant(word: str, known: Collection[str]) -> str | None:
    """The known name that a layer's name means: spelt otherwise, called so elsewhere, or close.

    Last of all it is close to what others call one.
    """
    plain = plainly(word)
    same = [name for name in sorted(known) if plainly(name) == plain]
    there = LAYERS.get(plain)
    if same or there in known:
        return same[0] if same else there
    there = LAYERS.get(nearest(plain, LAYERS, cutoff=0.8) or "")
    return nearest(word, known) or (there if there in known else None)


def plainly(word: str) -> str:
    """A name in small letters, without underscores and a rank: `LeakyReLU`, `MaxPool2d`."""
    return re.sub(r"(?<=[a-z])[123]d$", "", word.lower().replace("_", ""))


def parameter_meant(word: str, known: Collection[str]) -> str | None:
    """The parameter that a keyword means: called so elsewhere, or close."""
    if word in WITHOUT and word not in known:
        return None
    there = [name for name in PARAMETERS.get(word, ()) if name in known]
    return there[0] if there else nearest(word, known)


def value_meant(word: str, known: Collection[str], ops: Collection[str]) -> str | None:
    """The known name that is close to an unknown one: of an op only what is very close."""
    if word.lower() in ("true", "false"):
        return word.lower()
    return nearest(word, known) or nearest(word, ops, cutoff=0.75)
