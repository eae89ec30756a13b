"""Augmentations as functions of NumPy, draw for draw those of `runtime/training/augment.py`."""

from __future__ import annotations

from compiler.training.augmentations import (
    Augmentation,
    Colour,
    Erase,
    Flip,
    Mixup,
    PcaColour,
    RandomCrop,
    RandomShift,
    Rotate,
    sides,
)
from compiler.training.model import TrainingPlan

CUT = '''
def cut(pictures, tops, lefts, high, wide):
    """The part of each picture that begins at its own top and left."""
    rows = tops[:, None] + np.arange(high)
    columns = lefts[:, None] + np.arange(wide)
    samples = np.arange(len(pictures))[:, None, None]
    found = pictures[samples, :, rows[:, :, None], columns[:, None, :]]
    return np.moveaxis(found, -1, 1)
'''
PADDED = '''
def padded(pictures, amount):
    """Zeros around each picture."""
    return np.pad(pictures, ((0, 0), (0, 0), (amount, amount), (amount, amount)))
'''
GREY = '''
def grey(pictures):
    """The grey of each pixel, [N, 1, H, W]."""
    if pictures.shape[1] != 3:
        return pictures.mean(axis=1, keepdims=True, dtype=np.float32)
    shares = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.einsum("nchw,c->nhw", pictures, shares)[:, None]
'''
CROP = '''
def crop(pictures, random, high, wide, pad):
    """A part at a random place of each picture."""
    pictures = padded(pictures, pad)
    tops = random.integers(0, pictures.shape[2] - high + 1, len(pictures))
    lefts = random.integers(0, pictures.shape[3] - wide + 1, len(pictures))
    return cut(pictures, tops, lefts, high, wide)
'''
CENTRE = '''
def centre(pictures, high, wide, pad):
    """The part in the middle, where nothing is random."""
    pictures = padded(pictures, pad)
    top, left = (pictures.shape[2] - high) // 2, (pictures.shape[3] - wide) // 2
    return pictures[:, :, top : top + high, left : left + wide]
'''
FLIP = '''
def flip(pictures, random, p):
    """Left and right exchanged in some."""
    chosen = random.random(len(pictures)) < p
    return np.where(chosen[:, None, None, None], pictures[..., ::-1], pictures)
'''
SHIFT = '''
def shift(pictures, random, amount):
    """Each picture moved by its own few pixels."""
    down, right = random.integers(-amount, amount + 1, (2, len(pictures)))
    high, wide = pictures.shape[2:]
    return cut(padded(pictures, amount), amount - down, amount - right, high, wide)
'''
ROTATE = '''
def rotate(pictures, random, degrees):
    """Each picture turned by its own angle, bilinear, zeros outside."""
    angles = np.deg2rad(random.uniform(-degrees, degrees, len(pictures)))
    high, wide = pictures.shape[2:]
    y, x = np.mgrid[:high, :wide].astype(np.float64)
    y, x = y - (high - 1) / 2, x - (wide - 1) / 2
    cosine, sine = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    wide_pictures = padded(pictures, 1)
    y, x = (
        np.clip(cosine * y - sine * x + (high - 1) / 2 + 1, 0, high + 0.999),
        np.clip(sine * y + cosine * x + (wide - 1) / 2 + 1, 0, wide + 0.999),
    )
    top, left = y.astype(np.int64), x.astype(np.int64)
    down, right = (y - top)[..., None], (x - left)[..., None]
    rows = np.arange(len(pictures))[:, None, None]
    upper = wide_pictures[rows, :, top, left] * (1 - right)
    upper = upper + wide_pictures[rows, :, top, left + 1] * right
    lower = wide_pictures[rows, :, top + 1, left] * (1 - right)
    lower = lower + wide_pictures[rows, :, top + 1, left + 1] * right
    return np.moveaxis(upper * (1 - down) + lower * down, -1, 1).astype(np.float32)
'''
COLOUR = '''
def colour(pictures, random, brightness, contrast, saturation):
    """Brightness, then contrast about the mean grey, then saturation about each pixel's grey."""

    def factors(amount):
        drawn = random.uniform(1 - amount, 1 + amount, (len(pictures), 1, 1, 1))
        return drawn.astype(np.float32)

    pictures = pictures * factors(brightness)
    mean = grey(pictures).mean(axis=(1, 2, 3), keepdims=True)
    pictures = (pictures - mean) * factors(contrast) + mean
    tone = grey(pictures)
    return (pictures - tone) * factors(saturation) + tone
'''
PCA_COLOUR = '''
def pca_colour(pictures, random, deviation):
    """Noise along the principal axes of each picture's colours (Krizhevsky et al. 2012, 4.1)."""
    pixels = pictures.reshape(*pictures.shape[:2], -1).astype(np.float64)
    pixels -= pixels.mean(axis=2, keepdims=True)
    covariance = pixels @ pixels.transpose(0, 2, 1) / pixels.shape[2]
    values, vectors = np.linalg.eigh(covariance)
    drawn = random.normal(0, deviation, values.shape) * np.sqrt(np.maximum(values, 0))
    added = (vectors @ drawn[..., None])[..., None]
    return pictures + added.astype(np.float32)
'''
ERASE = '''
def erase(pictures, random, p, most):
    """A rectangle of zeros in some."""
    pictures = pictures.copy()
    high, wide = pictures.shape[2:]
    for picture in pictures:
        chosen, area, ratio, top, left = random.random(5)
        if chosen >= p:
            continue
        area, ratio = area * most * high * wide, np.exp((ratio - 0.5) * 2 * np.log(3))
        tall = int(np.clip(round(np.sqrt(area * ratio)), 1, high))
        broad = int(np.clip(round(np.sqrt(area / ratio)), 1, wide))
        top, left = int(top * (high - tall + 1)), int(left * (wide - broad + 1))
        picture[:, top : top + tall, left : left + broad] = 0
    return pictures
'''
MIXUP = '''
def mixup(feeds, name, random, alpha):
    """Each sample of a part mixed with another, and their classes with the same share."""
    others = random.permutation(len(feeds[name]))
    share = random.beta(alpha, alpha, len(others)).astype(np.float32)
    feeds = shares_of(feeds)
    for each in (name, *SHARES):
        along = share.reshape(-1, *[1] * (feeds[each].ndim - 1))
        feeds[each] = feeds[each] * along + feeds[each][others] * (1 - along)
    return feeds
'''
SHARES_OF = '''
def shares_of(feeds):
    """Classes as shares of all, where the nets take them so."""
    for name in SHARES:
        if feeds[name].ndim == 1:
            feeds = {**feeds, name: np.eye(PARTS[name], dtype=np.float32)[feeds[name]]}
    return feeds
'''
FUNCTIONS: dict[type[Augmentation], tuple[str, tuple[str, ...]]] = {
    RandomCrop: (CROP, (PADDED, CUT)),
    Flip: (FLIP, ()),
    RandomShift: (SHIFT, (PADDED, CUT)),
    Rotate: (ROTATE, (PADDED,)),
    Colour: (COLOUR, (GREY,)),
    PcaColour: (PCA_COLOUR, ()),
    Erase: (ERASE, ()),
    Mixup: (MIXUP, ()),
}


def shares(training: TrainingPlan) -> list[str]:
    """The classes that are fed as shares of all."""
    return [data.name for data in training.data if data.classes is not None and data.fed != ()]


def arguments(op: Augmentation) -> str:
    """What a function of the table takes besides the pictures and the random numbers."""
    match op:
        case RandomCrop():
            high, wide = sides(op.size)
            return f"{high}, {wide}, {op.pad}"
        case Flip():
            return f"{op.p}"
        case RandomShift():
            return f"{op.amount}"
        case Rotate():
            return f"{op.degrees}"
        case Colour():
            return f"{op.brightness}, {op.contrast}, {op.saturation}"
        case PcaColour():
            return f"{op.deviation}"
        case Erase():
            return f"{op.p}, {op.share}"
        case Mixup():
            return f"{op.alpha}"
    raise TypeError(op)


def augment_functions(training: TrainingPlan) -> list[str]:
    """`augmented` and `evaluated`, and the functions that they call; none where nothing changes."""
    found: dict[str, None] = {}
    body, plain = [], []
    for name, stages in training.augments:
        body.append(f'    random = generator(seed, "augment", "{name}", *draw)')
        for stage in stages:
            text, needs = FUNCTIONS[type(stage)]
            found |= dict.fromkeys((*needs, text))
            if isinstance(stage, Mixup):
                body.append(f'    feeds = mixup(feeds, "{name}", random, {arguments(stage)})')
                continue
            made = f'{stage.name}(feeds["{name}"], random, {arguments(stage)})'
            body.append(f'    feeds["{name}"] = {made}')
            if isinstance(stage, RandomCrop):
                found |= dict.fromkeys((CENTRE,))
                plain.append(f'    feeds["{name}"] = centre(feeds["{name}"], {arguments(stage)})')
    if not body:
        return []
    end = ["    return feeds"]
    texts = list(found)
    if shares(training):
        texts.insert(0, SHARES_OF)
        end = ["    return shares_of(feeds)"]
    augmented = ["def augmented(feeds, seed, *draw):"]
    augmented += ['    """A batch changed at random, by the seed and the number of the batch."""']
    evaluated = ["def evaluated(feeds):"]
    evaluated += ['    """A batch as it is measured: parts from the middle."""']
    return [*texts, "\n".join([*augmented, *body, *end]), "\n".join([*evaluated, *plain, *end])]
