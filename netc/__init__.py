"""netc, the network definition compiler.

>>> import netc
>>> net = netc.load("lenet5", "lenet5")
>>> net.summary()["params"]
61706
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grammar.diagnostics import DefinitionError, Diagnostic
    from netc.api import load, loads
    from netc.exported import from_torch
    from netc.models import read
    from netc.net import Net
    from netc.training import History, Training, load_training
    from runtime.errors import CallError, MachineError

__version__ = "0.1.0"
__all__ = [
    "CallError",
    "DefinitionError",
    "Diagnostic",
    "History",
    "MachineError",
    "Net",
    "Training",
    "from_torch",
    "load",
    "load_training",
    "loads",
    "read",
]

# Where each name is at home: imported when it is wanted, so that the command line is in charge of
# signals and streams before anything else is loaded.
HOMES = {
    "CallError": "runtime.errors",
    "DefinitionError": "grammar.diagnostics",
    "Diagnostic": "grammar.diagnostics",
    "History": "netc.training",
    "MachineError": "runtime.errors",
    "Net": "netc.net",
    "Training": "netc.training",
    "from_torch": "netc.exported",
    "load": "netc.api",
    "load_training": "netc.training",
    "loads": "netc.api",
    "read": "netc.models",
}


def __getattr__(name: str) -> Any:
    """A name of the public interface."""
    if name not in HOMES:
        raise AttributeError(f"module 'netc' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    """The public interface."""
    return sorted([*globals(), *HOMES])
