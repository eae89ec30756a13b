"""Parameters from files: opened by kind, renamed by rules, held against what a network needs."""

from __future__ import annotations

from runtime.errors import CallError


class WeightsError(CallError):
    """A file of weights that cannot be read, or does not fit."""
