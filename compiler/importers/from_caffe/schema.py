"""The fields that Caffe's messages have, and those of its well-known forks.

Caffe refuses a file with a field that it does not know, with a value of another type, or with one
value too many; so does `checked`. A field behind a dash says nothing about what a network computes
when it is tested: how it is trained, by which code it runs, what is printed.

From the caffe.proto of BVLC and of the forks for SSD, PSPNet, SegNet, DenseNet, TSN, by NVIDIA and
by Intel, as far as networks of convolutions use them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from compiler.importers.from_caffe.prototxt import Field, ProtoMessage, Word
from grammar.diagnostics import DefinitionError, Diagnostic, did_you_mean
from grammar.records import dataclass
from grammar.source import Source, Span

ENGINE = "-engine=DEFAULT|CAFFE|CUDNN|MKL2017|MKLDNN"
FILLERS = "-weight_filler:filler -bias_filler:filler"
WINDOW = "pad_h:uint pad_w:uint kernel_h:uint kernel_w:uint stride_h:uint stride_w:uint"
POOL = "pool=MAX|AVE|STOCHASTIC"
DATA = """-source:string -batch_size:uint -rand_skip:uint -shuffle:bool -scale:float
    -mean_file:string crop_size:uint -mirror:bool"""

# Each message: its fields with the kind of their values, `*` where there may be several, and the
# names of an enumeration behind `=`. `any` is a message that is not looked into.
MESSAGES = {
    "net": """name:string input:string* input_shape:shape* input_dim:int* layer:layer*
        layers:old_layer* state:state -force_backward:bool -debug_info:bool -mem_param:any
        -default_forward_type:any -default_backward_type:any -default_forward_math:any
        -default_backward_math:any -global_grad_scale:float -global_grad_scale_adaptive:bool
        -default_conv_algos_override:string -reduce_buckets:int -default_cudnn_math_override:int
        -eltwise_mem_sharing:bool -compile_net_state:any -engine:string
        -bn_stats_batch_size:uint -multinode:any""",
    "shape": "dim:int*",
    "state": "-phase=TRAIN|TEST level:int stage:string*",
    "rule": "phase=TRAIN|TEST min_level:int max_level:int stage:string* not_stage:string*",
    "parameter": """name:string -share_mode=STRICT|PERMISSIVE -lr_mult:float -decay_mult:float""",
    "filler": """type:string -value:float -min:float -max:float -mean:float -std:float -sparse:int
        -variance_norm=FAN_IN|FAN_OUT|AVERAGE -scale:float""",
    "layer": """name:string type:string bottom:string* top:string* -phase=TRAIN|TEST
        -loss_weight:float* param:parameter* -blobs:any* -propagate_down:bool* include:rule*
        exclude:rule* -transform_param:transform_param -loss_param:any -accuracy_param:any
        -forward_type:any -backward_type:any -forward_math:any -backward_math:any -debug:bool
        -cudnn_math_override:int -engine:string -multinode:any -mn_activation_param:any
        -mn_grad_compress_param:any -quantization_param:any""",
    "old_layer": """name:string type:word bottom:string* top:string* include:rule* exclude:rule*
        -blobs:any* param:string* -blob_share_mode=STRICT|PERMISSIVE* -blobs_lr:float*
        -weight_decay:float* -loss_weight:float* -transform_param:transform_param -loss_param:any
        -accuracy_param:any layer:any""",
    "transform_param": """-scale:float -mirror:bool crop_size:uint -mean_file:string
        mean_value:float* -force_color:bool force_gray:bool -scale_factors:any* -crop_width:any
        crop_height:any -fix_crop:any -more_fix_crop:any -multi_scale:any -scale_ratios:any*
        -max_distort:any -is_flow:any -original_image:any -stride:any -upper_size:any
        -upper_height:any -upper_width:any -img_rand_resize_lower:any -img_rand_resize_upper:any
        -rand_resize_ratio_lower:any -rand_resize_ratio_upper:any -vertical_stretch_lower:any
        -vertical_stretch_upper:any -horizontal_stretch_lower:any -horizontal_stretch_upper:any
        -interpolation_algo_down:any -interpolation_algo_up:any -allow_upscale:any
        -forward_packing:any -crop_h:any -crop_w:any -use_gpu_transform:any -random_seed:any
        -display:any -num_labels:any -resize_param:any -noise_param:any -distort_param:any
        -expand_param:any -emit_constraint:any -random_resize_param:any
        -random_aspect_ratio_param:any -flow:any -bgr2rgb:any -pad:any""",
    "data_param": f"""{DATA} -backend=LEVELDB|LMDB -force_encoded_color:bool -prefetch:uint
        -threads:uint -parser_threads:uint -cache:bool -precache:bool -side:uint*""",
    "image_data_param": f"""{DATA} -new_height:uint -new_width:uint -is_color:bool
        -root_folder:string -ignore_label:int -label_type=NONE|IMAGE|PIXEL -short_side:uint
        -threads:uint -cache:bool -precache:bool -dataset_share_per_node:float -min_height:uint
        -min_width:uint""",
    "memory_data_param": "batch_size:uint channels:uint height:uint width:uint",
    "dummy_data_param": """-data_filler:filler* shape:shape* num:uint* channels:uint* height:uint*
        width:uint*""",
    "input_param": "shape:shape*",
    "convolution_param": f"""num_output:uint bias_term:bool pad:uint* kernel_size:uint* stride:uint*
        dilation:uint* {WINDOW} group:uint {FILLERS} {ENGINE} axis:int -force_nd_im2col:bool
        dilation_h:uint dilation_w:uint -cudnn_convolution_algo_seeker:word
        -conv_algos_override:string relu:bool negative_slope:float -conv_algorithm:string
        coeff:float* fusion_type=NONE_FUSION|SUM_FUSION""",
    "pooling_param": f"""{POOL} pad:uint kernel_size:uint stride:uint {WINDOW} {ENGINE}
        global_pooling:bool round_mode=CEIL|FLOOR ceil_mode:bool torch_pooling:bool pad_3d:uint*
        kernel_size_3d:uint* stride_3d:uint* avg_include_pad:bool axis:int""",
    "inner_product_param": f"""num_output:uint bias_term:bool {FILLERS} axis:int transpose:bool
        {ENGINE} relu:bool negative_slope:float""",
    "batch_norm_param": f"""use_global_stats:bool -moving_average_fraction:float eps:float
        -update_global_stats:bool -scale_filler:filler -bias_filler:filler scale_bias:bool {ENGINE}
        use_weight_bias:bool bias_term:bool -filler:filler -stats_batch_size:uint relu:bool""",
    "bn_param": f"""-slope_filler:filler -bias_filler:filler -momentum:float eps:float
        -frozen:bool {ENGINE} bn_mode=LEARN|INFERENCE -scale_filler:filler -shift_filler:filler""",
    "scale_param": """axis:int num_axes:int -filler:filler bias_term:bool -bias_filler:filler""",
    "bias_param": "axis:int num_axes:int -filler:filler",
    "norm_param": """across_spatial:bool scale_filler:filler channel_shared:bool eps:float""",
    "lrn_param": f"""local_size:uint alpha:float beta:float
        norm_region=ACROSS_CHANNELS|WITHIN_CHANNEL k:float {ENGINE}""",
    "eltwise_param": f"""operation=PROD|SUM|MAX|STOCHASTIC_SUM coeff:float* -stable_prod_grad:bool
        {ENGINE}""",
    "concat_param": f"axis:int concat_dim:uint -per_fla_fuse:bool {ENGINE}",
    "slice_param": "axis:int slice_point:uint* slice_dim:uint",
    "split_param": ENGINE,
    "flatten_param": "axis:int end_axis:int",
    "reshape_param": "shape:shape axis:int num_axes:int pixelshuffler:int",
    "permute_param": "order:uint*",
    "crop_param": "axis:int offset:uint*",
    "shuffle_channel_param": "group:uint",
    "upsample_param": """scale:uint scale_h:uint scale_w:uint pad_out_h:bool pad_out_w:bool
        upsample_h:uint upsample_w:uint""",
    "interp_param": """height:int width:int zoom_factor:int shrink_factor:int pad_beg:int
        pad_end:int""",
    "relu_param": f"negative_slope:float {ENGINE} -fuse:bool",
    "relu6_param": ENGINE,
    "prelu_param": "-filler:filler channel_shared:bool",
    "elu_param": "alpha:float lambda:float",
    "swish_param": "beta:float",
    "sigmoid_param": ENGINE,
    "tanh_param": ENGINE,
    "power_param": "power:float scale:float shift:float",
    "exp_param": "base:float scale:float shift:float",
    "log_param": "base:float scale:float shift:float",
    "softmax_param": f"{ENGINE} axis:int",
    "dropout_param": f"""dropout_ratio:float sample_weights_test:bool {ENGINE} -random_seed:int
        -scale_train:bool""",
}


@dataclass(frozen=True)
class FieldRule:
    """What a field holds: a kind of value or the names of an enumeration, one or several.

    An `idle` field says nothing about what a network computes when it is tested.
    """

    kind: str
    names: tuple[str, ...] = ()
    repeated: bool = False
    idle: bool = False


@cache
def fields_of(message: str) -> Mapping[str, FieldRule]:
    """The fields of a message; of a layer also the messages of all layers' parameters."""
    found = {}
    if message in ("layer", "old_layer"):
        found = {name: FieldRule(name) for name in MESSAGES if name.endswith("_param")}
    for word in MESSAGES[message].split():
        text = word.removeprefix("-").removesuffix("*")
        name, separator, kind = text.replace("=", " = ").replace(":", " : ").split(" ")
        names = tuple(kind.split("|")) if separator == "=" else ()
        found[name] = FieldRule(
            "" if names else kind, names, word.endswith("*"), word.startswith("-")
        )
    return found


def checked(message: ProtoMessage, source: Source, known: frozenset[str]) -> ProtoMessage:
    """A file's message with its values in Python's types.

    `known` are the types of layers that are read: of others the parameters are not looked into.
    Raises `DefinitionError` with every field that Caffe would not take.
    """
    mistakes: list[Diagnostic] = []
    typed = typed_message(message, "net", mistakes, known)
    if mistakes:
        raise DefinitionError(mistakes)
    return typed


def typed_message(
    message: ProtoMessage, kind: str, mistakes: list[Diagnostic], known: frozenset[str]
) -> ProtoMessage:
    """A message with its values in Python's types; what does not fit is added to `mistakes`."""
    rules = fields_of(kind)
    foreign = kind in ("layer", "old_layer") and str(message.one("type", "")) not in known
    found: list[Field] = []
    seen: set[str] = set()
    for field in message.fields:
        rule = rules.get(field.name)
        if foreign and field.name.endswith("_param"):
            rule = FieldRule("any", repeated=True)
        if rule is None:
            complain(mistakes, field, *unknown(field.name, kind))
            continue
        if field.name in seen and not rule.repeated:
            complain(mistakes, field, f"{field.name} is given twice: Caffe takes it once")
            continue
        seen.add(field.name)
        value: Any = field.value
        if rule.kind in MESSAGES:
            if not isinstance(value, ProtoMessage):
                complain(mistakes, field, f"{field.name} is a message in braces")
                continue
            value = typed_message(value, rule.kind, mistakes, known)
        elif rule.kind != "any":
            try:
                value = typed(field, rule)
            except ValueError as error:
                complain(mistakes, field, str(error))
                continue
        found.append(replace(field, value=value))
    return ProtoMessage(tuple(found))


def complain(
    mistakes: list[Diagnostic], field: Field, message: str, help: str | None = None
) -> None:
    """Add a mistake at the name of a field."""
    start = field.span.start
    span = Span(field.span.source, start, start + len(field.name))
    mistakes.append(Diagnostic.of("E602", message, span, help=help))


def unknown(name: str, kind: str) -> tuple[str, str | None]:
    """What to say of a field that no Caffe has."""
    where = {"net": "a network", "layer": "a layer", "old_layer": "a layer"}.get(kind, kind)
    return f"Caffe knows no field {name} in {where}", did_you_mean(name, fields_of(kind))


TRUTH = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
LARGEST = {"uint": (0, 2**32), "int": (-(2**63), 2**63)}


def typed(field: Field, rule: FieldRule) -> int | float | str | bool:
    """A value in Python's type; raises `ValueError` with what is wrong."""
    name, value = field.name, field.value
    if rule.names:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(rule.names):
            return rule.names[value]
        if not isinstance(value, Word) or value not in rule.names:
            raise ValueError(f"{name} is one of {', '.join(rule.names)}, not {shown(value)}")
        return str(value)
    if rule.kind == "bool":
        if isinstance(value, Word) and value in TRUTH:
            return TRUTH[value]
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise ValueError(f"{name} is true or false, not {shown(value)}")
    if rule.kind in LARGEST:
        least, most = LARGEST[rule.kind]
        if isinstance(value, int) and least <= value < most:
            return value
        raise ValueError(f"{name} is a whole number, not {shown(value)}")
    if rule.kind == "float":
        if isinstance(value, int | float) and abs(value) < 2**1000:
            return float(value)
        if isinstance(value, Word) and value.lower() in ("inf", "infinity", "nan"):
            return float(value)
        raise ValueError(f"{name} is a number, not {shown(value)}")
    if rule.kind == "word":
        if isinstance(value, Word | int):
            return str(value)
        raise ValueError(f"{name} is a name without quotes, not {shown(value)}")
    if isinstance(value, str) and not isinstance(value, Word):
        return value
    raise ValueError(f"{name} is a text in quotes, not {shown(value)}")


def shown(value: Any) -> str:
    """A value as it stands in a file, shortened."""
    if isinstance(value, ProtoMessage):
        return "a message"
    text = str(value) if not isinstance(value, str) or isinstance(value, Word) else f'"{value}"'
    return text if len(text) <= 40 else f"{text[:39]}…"


def overlooked(message: ProtoMessage, kind: str) -> Iterator[tuple[str, Field, bool]]:
    """The fields that nobody asked for: their path, themselves, and whether they are idle."""
    rules = fields_of(kind)
    for field in message.fields:
        rule = rules.get(field.name, FieldRule("any"))
        if field.name not in message.read:
            yield field.name, field, rule.idle
        elif isinstance(field.value, ProtoMessage) and rule.kind in MESSAGES:
            for path, inner, idle in overlooked(field.value, rule.kind):
                yield f"{field.name}.{path}", inner, idle
