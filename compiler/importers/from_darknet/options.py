"""The options that Darknet reads of each section, and those that say nothing about the result.

Darknet prints of an option that it does not read that it is unused, and goes on; so does `tell`.
From the parser.c of pjreddie's Darknet and of AlexeyAB's.
"""

from __future__ import annotations

from compiler.importers.builder import GraphBuilder, Refused
from compiler.importers.from_darknet.cfg import Section
from grammar.diagnostics import did_you_mean

# Of every section: how it is trained, loaded and run.
COMMON = """clip onlyforward dont_update burnin_update stopbackward train_only_bn dontload
    dontloadscales numload learning_rate smooth truth stream wait_stream keep_delta_gpu"""

IDLE = {
    "net": """batch subdivisions max_batches learning_rate learning_rate_min sgdr_cycle sgdr_mult
        momentum decay time_steps track augment_speed sequential_subdivisions try_fix_nan
        weights_reject_freq equidistant_point badlabels_rejection_percentage
        num_sigmas_reject_badlabels ema_alpha use_cuda_graph loss_scale dynamic_minibatch
        optimized_memory workspace_size_limit_MB adam B1 B2 eps max_crop min_crop center flip blur
        gaussian_noise mixup cutmix mosaic letter_box mosaic_bound contrastive contrastive_jit_flip
        contrastive_color unsupervised label_smooth_eps resize_step attention adversarial_lr
        max_chart_loss angle aspect saturation exposure hue power policy burn_in step scale steps
        scales seq_scales gamma clip random show_receptive_field notruth min_ratio max_ratio
        log_interval""",
    "convolutional": """flipped dot angle grad_centr reverse bin_output assisted_excitation
        centr activation_gradient""",
    "deconvolutional": "flipped dot",
    "connected": "flipped dot",
    "maxpool": "out_channels",
    "dropout": "dropblock dropblock_size_rel dropblock_size_abs",
    "softmax": "noloss",
    "crop": "flip angle saturation exposure shift",
    "shortcut": "weights_normalization",
}

# Options that change what a layer computes, to which the language has no counterpart.
CHANGING = {
    "convolutional": (
        *("binary", "xnor", "antialiasing", "sway", "rotate", "stretch", "stretch_sway"),
        "coordconv",
    ),
    "maxpool": ("antialiasing", "maxpool_depth", "maxpool_zero_nonmax"),
    "scale_channels": ("scale_wh",),
}

UNREAD = "not read, for it says how to train or to run, or what becomes of boxes: "


def refuse_changes(section: Section) -> None:
    """Raise `Refused` for an option that would change the numbers if it were passed over."""
    for name in CHANGING.get(section.name, ()):
        if section.number(name, 0) != 0:
            raise Refused(f"its option {name}={section.given(name)} changes what it computes")


def tell(builder: GraphBuilder, sections: list[Section], trained: frozenset[str]) -> None:
    """Say which options nobody read; of sections that are `trained` or decode all are idle."""
    unread: dict[str, None] = {}
    for section in sections:
        idle = {*COMMON.split(), *IDLE.get(section.name, "").split()}
        known = {*section.read, *idle, *CHANGING.get(section.name, ())}
        for name in section.options:
            if name in section.read:
                continue
            if name in idle or section.name in trained:
                unread[name] = None
                continue
            message = f"a [{section.name}] does not read {name}"
            builder.warn(section.places[name], message, did_you_mean(name, known))
        for name, place in section.repeated:
            builder.warn(place, f"{name} is given twice: the first counts")
    if unread:
        builder.note(UNREAD + ", ".join(unread))
