"""Nets for the tests of written PyTorch source: each form that a source can have."""

from __future__ import annotations

NETS = {
    "siamese": """
# A tower whose parameters both sides share.
block tower(c, k=3) {
    conv(c, k, pad="same", stride=2) -> bn(momentum=0.01) -> relu
    seq { conv(c, 1); prelu; dropout(0.2) } as head
}

# Two pictures, two results.
net siamese(c=4) {
    input left: f32[3, 9, 8]
    input right: f32[3, 9, 8]
    a = left -> tower(c) as tower
    b = right -> tower(c) like tower
    output near = sub(a, b)
    output far = concat(a, b) -> gap -> flatten
}
""",
    "residual": """
block unit(c, kernel=3x3, act=relu) {
    seq { conv(c, kernel, pad="half", bias=false); bn; act } as ""
}

# Called as PyTorch calls its functions.
block f(c) { conv(c, 1x1) -> relu }

# What goes around is projected where the width changes.
block residual(c, drop) {
    add {
        {
            unit(c) as "f.a"
            unit(2 * c, 1x1) as "f.b"
            unit(c, 1x1, act=identity) as "f.c"
            if drop > 0 { drop_path(drop) }
        }
        if in.c != c { unit(c, 1x1, act=identity) as proj } else { identity }
    } -> relu
}

net residual_net {
    input image: f32[3, 8, 8]
    unit(4, 5x5, act=silu) as stem
    for s, c in enumerate([4, 6, 8]) {
        for i in range(3) { residual(c, 0.05 * i) as "trunk.block{s + 1}.block{s + 1}-{i}" }
    }
    f(5) -> conv(6, [3, 1], stride=[2, 1]) -> gap -> flatten -> dense(5) as head
    output logits
}
""",
    "stages": """
# Layers of the channels at each place, stages of them.
block stage_unit(drop) {
    add {
        {
            seq { layernorm(axis=0); dense(2 * in.c, axis=0); gelu; dense(in.c, axis=0) } as mlp
            if drop > 0 { drop_path(drop) }
        }
        identity
    }
}

net stages(depths=[2, 3, 4, 3], widths=[2, 4, 8, 16]) {
    input image: f32[3, 16, 16]
    seq {
        for s, (depth, c) in enumerate(zip(depths, widths)) {
            seq { layernorm(axis=0); conv(c, 3x3, stride=2, pad=1) }
            seq { for i in range(depth) { stage_unit(0.1 * (sum(depths[:s]) + i) / 11) } }
        }
    } as trunk
    gap
    seq { layernorm(axis=0); flatten; dense(5) } as head
    output logits
}
""",
    "shifted": """
# What it is told moves and masks besides.
block shifted(c, by) {
    if by > 0 {
        concat(axis=1) { slice(by, 7, axis=1); slice(0, by - 1, axis=1) } -> conv(c, 1) as turn
    }
    conv(c, 3, pad=1) as mix
    scores = relu
    bias = param([c, 1, 1], init="normal(0.02)") as bias
    add {
        scores -> identity
        bias -> identity
        if by > 0 { const([[[0 if i < by else -1]] for i in range(1)]) -> reshape([1, 1, 1]) }
    } -> softmax(axis=0) -> conv(c, 1) as out
    if by > 0 { scale(2) -> conv(c, 1) as back }
}

net shifted_net {
    input x: f32[3, 8, 8]
    for i in range(4) { shifted(4 + i, 2 * (i % 2)) }
    output y
}
""",
    "recursive": """
# A level of a U and those below it.
block level(widths, up) {
    concat {
        identity
        seq {
            conv(widths[0], 4x4, stride=2, pad=1, bias=false)
            if len(widths) > 1 { bn; level(widths[1:], widths[0]) }
            leaky_relu(0.2)
            deconv(up, 4x4, stride=2, pad=1)
            if up > 4 { dropout(0.3) }
        } as model
    }
}

net recursive {
    input image: f32[3, 16, 16]
    level([4, 6, 8], 4) -> conv(2, 1x1)
    output map
}
""",
    "along": """
# Layers along the channels of a map, their axes moved once.
net along {
    input image: f32[3, 6, 5]
    add { layernorm(axis=0) -> dense(4, axis=0) -> gelu -> dense(3, axis=0); identity }
    dense(4, axis=1) -> relu -> relu -> dense(5, axis=1) -> dense(6, axis=2) -> split(1, part=0)
    a, b = split([2, 4], axis=2)
    b -> concat(axis=2) { mul(a, a); identity }
    output map
}
""",
    "listed": """
block head(c) { conv(c, 1x1) -> flatten }

block chosen(maps) { concat { for m in maps { channels(m, m) } } -> conv(1, 3x3, pad=1) }

# What a loop makes at each turn is summed behind it; one head sees several maps.
net listed {
    input m: f32[5, 8, 8]
    conv(4, 3x3, pad=1) as stem
    for i in range(8) {
        # netc: allow W110
        add {
            {
                conv(4, 3x3, pad=1) as "inner.{i}" -> tanh as "seen{i}"
                conv(4, 1x1) as "outer.{i}"
            }
            identity
        }
    }
    add { for i in range(8) { "seen{i}" -> conv(4, 1x1) as "skip.{i}" } }
    a = maxpool(2x2)
    b = a -> maxpool(2x2)
    c = b -> maxpool(2x2)
    output scores = concat(axis=0) {
        a -> head(2) as one
        b -> head(2) like one
        c -> head(2) like one
    }
    output apart = m -> concat { for k in [0, 2, 4] { channels(k, k) } }
    output picked = concat {
        m -> chosen([0, 1, 4]) as "picked.0"
        m -> chosen([1, 2, 3]) as "picked.1"
        m -> chosen([0, 2, 3, 4]) as "picked.2"
    }
}
""",
    "levels": """
block brought(c, steps) {
    if steps == 0 { identity }
    else if steps > 0 { seq { conv(c, 3x3, stride=2, pad=1); bn } as "" }
    else { seq { conv(c, 1x1); bn; upsample(2) } as "" }
}

# Maps of two sizes that see each other, twice, and a third that comes to them: each is made of all.
net levels {
    input image: f32[3, 16, 16]
    conv(4, 3x3, pad=1) as stem
    "stem" -> conv(4, 3x3, pad=1) as "first.0" -> identity as "a.map0"
    "stem" -> conv(8, 3x3, stride=2, pad=1) as "first.1" -> identity as "a.map1"
    for m, after in [("a", "b"), ("b", "c")] {
        for i in range(2) { "{m}.map{i}" -> conv(4 * 2 ** i, 3x3, pad=1) as "{m}.branches.{i}" }
        for i in range(2) {
            add {
                for j in range(2) {
                    "{m}.branches.{j}" -> brought(4 * 2 ** i, i - j) as "{m}.fuse.{i}.{j}"
                }
            } -> relu as "{after}.map{i}"
        }
    }
    "c.map1" -> conv(16, 3x3, stride=2, pad=1) as third -> identity as "c.map2"
    for i in range(3) { "c.map{i}" -> conv(4 * 2 ** i, 3x3, pad=1) as "branches.{i}" }
    for i in range(2) { "branches.{i}" -> flatten as "rows.{i}" }
    "branches.2" -> flatten as "rows.2"
    output boxes = concat(axis=0) { for i in range(3) { "rows.{i}" -> dense(4) as "box.{i}" } }
    output logits = concat(axis=0) { for i in range(3) { "rows.{i}" -> dense(2) as "logit.{i}" } }
}
""",
    "functions": """
# Maps [A * K, H, W] as rows [H * W * A, K].
block rows(columns) {
    reshape([in.c // columns, columns, in.h, in.w]) -> transpose([2, 3, 0, 1])
    reshape([-1, columns])
}

block sorted(k) { maxpool(k, stride=1, pad=k // 2) -> scale(0.5) }

# The larger of two, looked at more closely where that is asked for.
block larger(a, b, k, closely=false) {
    found = max { a; b -> sorted(k) }
    found -> sorted(k)
    if closely { sorted(5) -> tanh }
}

block sometimes(p) { dropout(p) -> tanh }

net functions {
    input image: f32[6, H, W]
    input rows: f32[6, H, W]
    assert H >= 8 and W >= 8
    a = image -> conv(8, 3x3, pad=1) as one
    c = image -> conv(8, 1x1)
    b = larger(a, c, 3) -> conv(8, 1x1) as two
    output narrow = larger(a, b, 3, closely=true) -> sometimes(0.5) -> conv(8, 1x1) as three
        -> rows(2)
    output wide = rows -> conv(8, 1x1) as four -> rows(4) -> sometimes(0.5)
}
""",
    "table": """
block down(c) { seq { conv(c, 3x3, stride=2, pad=1); bn } as "" }

# A map at the size of another, so many steps below it, or above it.
block brought(c, steps) {
    if steps == 0 { identity }
    else if steps < 0 { seq { conv(c, 1x1); bn; upsample(2 ** -steps) } as "" }
    else { seq { repeat steps { down(c) } } as "" }
}

net table {
    input image: f32[2, 16, 16]
    for i in range(3) { image -> conv(2 * 2 ** i, 1x1, stride=2 ** i) as "m.{i}" }
    for i in range(3) {
        add { for j in range(3) { "m.{j}" -> brought(2 * 2 ** i, i - j) as "f.{i}.{j}" } }
        output "y{i}"
    }
}
""",
    "windows": """
net windows {
    input x: f32[4, H, W]
    assert H >= 12 and W >= 12
    conv(6, 3x2, pad=[(2, 0), (0, 1)], pad_mode="reflect", groups=2) as unequal
    maxpool(3, stride=2, pad=[(0, 2), (1, 1)])
    deconv(4, 3, stride=2, pad=[(1, 0), (0, 1)], output_pad=1, bias=false)
    add {
        avgpool(3, stride=1, pad="same", count_pad=false)
        lppool(3, p=3, stride=1, pad=1)
        filter([[0.5, 1, 0.5]], pad="same")
        maxpool(3, stride=1, pad=1)
    }
    crop(in.h - 2, 4, 1, 2) -> pad([(1, 0), (0, 2)], mode="replicate")
    resize(8x6, mode="cubic") -> resize(5x7, rounding="ceil") -> upsample(2)
    adaptive_avgpool(3x2) -> reshape([2, 12]) -> max { identity; scale(0.5) }
    output y
}
""",
    "transformer": """
block attention(heads) {
    let tokens, c = in.shape
    q, k, v = dense(3 * c, axis=-1) as qkv -> split(3, axis=1)
    a = q -> reshape([tokens, heads, c // heads]) -> transpose([1, 0, 2])
    b = k -> reshape([tokens, heads, c // heads]) -> transpose([1, 2, 0])
    d = v -> reshape([tokens, heads, c // heads]) -> transpose([1, 0, 2])
    weights = matmul(a, b) -> scale((c // heads) ** -0.5) -> softmax(axis=-1)
    matmul(weights, d) -> transpose([1, 0, 2]) -> reshape([tokens, c]) -> dense(c, axis=-1) as proj
}

block encoder(heads, ratio=2) {
    add {
        layernorm(axis=-1) as norm1 -> attention(heads) as attn
            -> mul { identity; param([in.shape[1]], init="constant(0.5)") as gamma }
        identity
    }
    add {
        layernorm(axis=-1) as norm2 -> dense(ratio * in.shape[1], axis=-1) as fc1 -> gelu
            -> dense(in.shape[1], axis=-1) as fc2 -> drop_path(0.1)
        identity
    }
}

# Words to a score for each of five classes.
net transformer(classes=5, c=8) {
    input tokens: i64[7]
    gather(20, c) as embedding
    concat(axis=0) { param([1, c], init="normal(0.02)") as class_token; identity }
    add { identity; param([8, c], init="normal(0.02)") as positions }
    for i in range(2) { encoder(2) as "blocks.{i}" }
    layernorm(axis=-1) as norm -> slice(0, 0) -> flatten -> dense(classes) as head
    output scores
}
""",
    "names": """
net names {
    input image: f32[2, 6, 6]
    conv(4, 3, weight=[[[[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]],
        [[[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]],
        [[[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]],
        [[[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]]]) as "0"
    bn as "stem.norm" -> relu
    seq { for c in [4, 4, 8] { conv(c, 1); relu } } as features
    table = param([5, 8], init="normal(1)") as "stem.table"
    index = const([4, 0, 0])
    taken = take(table, index) -> reduce_max(axis=0)
    vector = gap -> flatten -> l2norm
    concat(vector, taken)
    output y
}
""",
    "tokens": """
# Numbers of the layers, none of which may be made whole as the words are.
net tokens {
    input words: i64[3, 4]
    gather(5, 2) -> normalize([0.5, 0.25, 0.1], [2.0, 1.0, 0.5]) -> lppool(1x2, p=4, stride=1)
    output y
}
""",
    "sums": """
net sums {
    input x: f32[2, 3, 3]
    add { for i in range(120) { shift(0.01) } }
    mean { identity; for i in range(120) { scale(2) } }
    output y
}
""",
    "makers": """
# Blocks that are chains, called as their parameters, as Python's functions, as one another.
block c(d, k=1) { conv(d, k, pad="half") -> bn }
block print(c) { conv(c, 3x3) -> tanh }
block two(c, wide) { conv(c, 1x1) -> relu; if wide { conv(2 * c, 3x3, pad=1) } }
block two2(c) { conv(c, 1x1) -> sigmoid }
block in_channels(d) { c(d) -> c(2 * d, 3) -> bn }

net makers {
    input image: f32[3, 9, 9]
    for i in range(4) { c(4 + i) }
    c(2, 3) -> in_channels(3) -> in_channels(4) -> print(4) -> print(3)
    add { two(4, true); two(8, false) }
    add { two2(8); identity } -> two2(3) -> two2(4)
    output y
}
""",
}
