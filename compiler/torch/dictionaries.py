"""Classes that reach modules by names with numbers in them: they extend nn.ModuleDict.

`self[f"block{i}"]` is what `getattr(self, f"block{i}")` says, and is set as any entry.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from compiler.torch.attributes import TAKEN_IN_DICTS
from compiler.torch.chains import MEMBER, Lines

NAME = r'(f?"[^"]*")'
GET = re.compile(rf"\bgetattr\(self, {NAME}\)")
SET = re.compile(rf"^( *)(?:setattr\(self, |self\.add_module\(){NAME}, (.*)\)$")
REGISTERED = re.compile(r"self\.register_\w+\(\"(\w+)\"")  # a parameter or buffer
MODULE = re.compile(r"(?!nn\.Parameter\()[A-Z]\w*\(|nn\.(?!Parameter\()\w+\(")


def in_dictionary(members: Sequence[str], constructor: Lines, forward: Lines) -> list[Lines]:
    """A constructor and a `forward` that take the class as a dictionary of modules.

    Empty where no name has numbers, or something with such a name is no module. `members` are the
    lines that make them one by one.
    """
    names = [
        *(found[2] for text, _ in constructor if (found := SET.match(text))),
        *(name for text, _ in forward for name in GET.findall(text)),
    ]
    rows = [row.strip() for text in members for row in text.splitlines()]
    made = [found.groups() for row in rows if (found := MEMBER.match(row))]
    others = {name for name, value in made if not MODULE.match(value)}
    others |= {found[1] for row in rows if (found := REGISTERED.match(row))}
    if not names or {name for name, _ in made} & TAKEN_IN_DICTS:
        return []
    patterns = [re.sub(r"\\\{.*?\\\}", r"\\d+", re.escape(name.split('"')[1])) for name in names]
    if any(re.fullmatch(pattern, name) for pattern in patterns for name in others):
        return []
    return [
        [
            (GET.sub(r"self[\1]", SET.sub(r"\1self[\2] = \3", text)), comment)
            for text, comment in constructor
        ],
        [(GET.sub(r"self[\1]", text), comment) for text, comment in forward],
    ]
