"""netc, the network definition compiler.

>>> import netc
>>> net = netc.load("lenet5", "lenet5")
>>> net.summary()["params"]
61706
"""

from grammar.diagnostics import DefinitionError, Diagnostic
from netc.api import load, loads
from netc.models import read
from netc.net import Net
from runtime.errors import CallError, MachineError

__version__ = "0.1.0"
__all__ = [
    "CallError",
    "DefinitionError",
    "Diagnostic",
    "MachineError",
    "Net",
    "load",
    "loads",
    "read",
]
