"""The attributes of a class: modules, parameters and buffers by dotted names, as lines of
`__init__`, and how each is reached from a method.

`layer1.0` and `layer1.1` become `self.layer1 = nn.ModuleList([…])`, so that the state has the
names of the definition.
"""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from compiler.torch.layer import Call, repeated, text_of
from grammar.records import dataclass

# What a module, or an nn.ModuleDict, has already.
TAKEN_NAMES = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule
half ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict
to to_empty train training type xpu zero_grad
"""
# What a layer of PyTorch has besides.
OF_LAYERS_NAMES = """
affine bias dilation elementwise_affine embedding_dim eps groups in_channels in_features init
kernel_size max_norm momentum normalized_shape norm_type num_batches_tracked num_channels
num_embeddings num_features num_groups num_parameters out_channels out_features output_padding
padding padding_idx padding_mode reset_parameters running_mean running_var scale_grad_by_freq
sparse stride track_running_stats transposed weight
"""
TAKEN = frozenset(TAKEN_NAMES.split())
OF_LAYERS = TAKEN | frozenset(OF_LAYERS_NAMES.split())
TAKEN_IN_DICTS = TAKEN | {"clear", "pop", "keys", "items", "values", "update"}
TAKEN_IN_SEQUENCES = TAKEN | {"append", "extend", "insert", "pop"}


class Unreachable(Exception):
    """A module that cannot be had from where it is needed."""


class Unwritable(Exception):
    """A net that PyTorch's modules cannot hold under the names that it has."""


def top(name: str) -> str:
    """The member of a class in which a name lies."""
    return name.partition(".")[0]


@dataclass
class Attributes:
    """The members of a class; `plain` are modules that stand for functions where they are asked."""

    calls: dict[str, Call] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    buffers: dict[str, tuple[str, bool]] = field(default_factory=dict)
    plain: dict[str, Call] = field(default_factory=dict)
    fixed: list[tuple[str, str, Any]] = field(default_factory=list)

    def others(self) -> tuple[Any, ...]:
        """The names of all members that are made by no call, and given values."""
        fixed = tuple((local, array, text_of(values)) for local, array, values in self.fixed)
        buffers = tuple((name, keep) for name, (_, keep) in self.buffers.items())
        return (tuple(self.parameters), buffers, fixed)

    def all_names(self) -> list[str]:
        """The names of all members."""
        return [*self.calls, *self.parameters, *self.buffers]

    def by_member(self) -> list[Attributes]:
        """The members apart, each with all that is in it."""
        found: dict[str, Attributes] = {}
        for name in self.all_names():
            found.setdefault(top(name), Attributes(plain=self.plain))
        for name, call in self.calls.items():
            found[top(name)].calls[name] = call
        for name, text in self.parameters.items():
            found[top(name)].parameters[name] = text
        for name, buffer in self.buffers.items():
            found[top(name)].buffers[name] = buffer
        for each in self.fixed:
            if top(each[0]) in found:
                found[top(each[0])].fixed.append(each)
        return [*found.values()]

    def put(self, name: str, call: Call, instead: Sequence[str]) -> None:
        """A member in the place of several."""
        order: dict[str, Call] = {}
        for local, held in self.calls.items():
            if local not in instead:
                order[local] = held
            elif name not in order:
                order[name] = call
        order.setdefault(name, call)
        self.calls = order

    def numbered(self) -> list[str]:
        """The names under which members are numbered, the deepest first."""
        names = [*self.calls, *self.plain]
        found = {n.rpartition(".")[0] for n in names if n.rpartition(".")[2].isdigit()}
        return sorted(found, key=lambda prefix: (not prefix, -prefix.count("."), prefix))

    def holders(self) -> list[str]:
        """The names under which members are, the deepest first."""
        parts = [name.split(".") for name in self.calls]
        found = {".".join(each[:k]) for each in parts for k in range(1, len(each))}
        return sorted(found, key=lambda prefix: (-prefix.count("."), prefix))

    def count_of(self, prefix: str) -> int:
        """How many members `prefix.0`, `prefix.1`, … there are."""
        names = {*self.calls, *self.plain}
        count = 0
        while (f"{prefix}.{count}" if prefix else str(count)) in names:
            count += 1
        return count

    def written(self) -> tuple[list[str], dict[str, str]]:
        """The lines of the constructor, and how each member is reached."""
        tree: dict[str, Any] = {}
        for name in self.all_names():
            place = tree
            for part in name.split("."):
                place = place.setdefault(part, {})
            place[""] = name
        lines: list[str] = []
        reach: dict[str, str] = {}
        for key, branch in tree.items():
            self.write(branch, "self", key, lines, reach)
        for local, array, values in self.fixed:
            copied = f"{reach[local]}.{array}.copy_(torch.tensor({text_of(values)}))"
            lines.append(f"with torch.no_grad():\n    {copied}")
        return lines, reach

    def write(
        self, branch: dict[str, Any], holder: str, key: str, lines: list[str], reach: dict[str, str]
    ) -> None:
        """The lines that make a member of `holder`, and the members inside of it."""
        if key in TAKEN:
            raise Unwritable(f"a module of PyTorch has a `{key}` already")
        name, inside = branch.get(""), {k: v for k, v in branch.items() if k}
        plain = key.isidentifier() and not keyword.iskeyword(key)
        access = f"{holder}.{key}" if plain else f'getattr({holder}, "{key}")'
        if name in self.parameters or name in self.buffers:
            if inside:
                raise Unwritable(f"`{name}` is a parameter, and holds others")
            reach[name] = access
            lines.append(self.tensor_line(name, holder, key, plain))
            return
        if name is None and self.only_calls(inside):
            lines.append(assigned(holder, key, plain, self.container(inside, access, reach)))
            return
        made = str(self.calls[name]) if name is not None else "nn.Module()"
        lines.append(assigned(holder, key, plain, made))
        if name is not None:
            reach[name] = access
        for inner, more in inside.items():
            if name is not None and inner in OF_LAYERS:
                raise Unwritable(f"`{name}.{inner}` is what PyTorch calls a part of `{name}`")
            self.write(more, access, inner, lines, reach)

    def tensor_line(self, name: str, holder: str, key: str, plain: bool) -> str:
        """A parameter or buffer."""
        if name in self.buffers:
            text, persistent = self.buffers[name]
            more = "" if persistent else ", persistent=False"
            return f'{holder}.register_buffer("{key}", {text}{more})'
        if plain:
            return f"{holder}.{key} = {self.parameters[name]}"
        return f'{holder}.register_parameter("{key}", {self.parameters[name]})'

    def only_calls(self, branch: dict[str, Any]) -> bool:
        """Whether lists and dictionaries of modules hold all that is inside."""
        for key, inner in branch.items():
            inside = {k: v for k, v in inner.items() if k}
            if "" in inner and (inside or inner[""] not in self.calls):
                return False
            if inside and not self.only_calls(inside):
                return False
            if key in TAKEN_IN_DICTS:
                return False
        return True

    def container(self, branch: dict[str, Any], access: str, reach: dict[str, str]) -> str:
        """A list of modules where they are numbered without a gap, else a dictionary."""
        keys = [*branch]
        numbered = keys == [str(place) for place in range(len(keys))]
        parts = []
        for key, inner in branch.items():
            here = f"{access}[{key}]" if numbered else f'{access}["{key}"]'
            if "" in inner:
                reach[inner[""]] = here
                parts.append(str(self.calls[inner[""]]))
            else:
                parts.append(self.container(inner, here, reach))
        if numbered:
            return f"nn.ModuleList([{', '.join(repeated(parts))}])"
        pairs = ", ".join(f'"{key}": {part}' for key, part in zip(keys, parts, strict=True))
        return f"nn.ModuleDict({{{pairs}}})"


def assigned(holder: str, key: str, plain: bool, value: str) -> str:
    """A line that makes a module a member."""
    return f"{holder}.{key} = {value}" if plain else f'{holder}.add_module("{key}", {value})'
