"""What written Python imports: what its names stand for, wherever its comments say them too."""

from __future__ import annotations

import ast
from collections.abc import Iterable

# Each group has a blank line behind it: a line, and the names for which it is needed.
STANDARD = (
    ("import argparse", ("argparse",)),
    ("import csv", ("csv",)),
    ("import hashlib", ("hashlib",)),
    ("import math", ("math",)),
    ("import os", ("os",)),
    ("import sys", ("sys",)),
    ("import time", ("time",)),
    ("from collections import {}", ("OrderedDict",)),
    ("from contextlib import {}", ("contextmanager",)),
    ("from pathlib import {}", ("Path",)),
    ("from typing import {}", ("NamedTuple",)),
)
THIRD_PARTY = (
    ("import numpy as np", ("np",)),
    ("import torch", ("torch",)),
    ("import torch.distributed as dist", ("dist",)),
    ("from PIL import {}", ("Image", "ImageOps")),
    ("from safetensors.torch import {}", ("load_file", "save_file")),
    ("from torch import {}", ("Tensor", "nn")),
    ("from torch.nn import functional as F", ("F",)),
    ("from torch.utils.data import {}", ("DataLoader",)),
)

IMPORTED = frozenset(name for _, names in (*STANDARD, *THIRD_PARTY) for name in names)


def imports(body: str) -> str:
    """The imports that a body needs, as ruff sorts them."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    groups = ([*lines_for(used, group)] for group in (STANDARD, THIRD_PARTY))
    return "\n\n".join("\n".join(lines) for lines in groups if lines)


def lines_for(used: set[str], group: Iterable[tuple[str, tuple[str, ...]]]) -> Iterable[str]:
    """The lines of a group for these names."""
    for line, names in group:
        if found := [name for name in names if name in used]:
            yield line.format(", ".join(found))
