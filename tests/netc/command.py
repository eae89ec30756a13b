"""The command line in this process, for tests."""

from __future__ import annotations

from click.testing import CliRunner, Result

from netc.main import main


def netc(*arguments: object, color: bool = False) -> Result:
    """Run `netc` with these arguments; an unexpected exception is the test's failure.

    With `color` the output is what a terminal gets, escape codes and all.
    """
    result = CliRunner().invoke(main, [str(a) for a in arguments], color=color)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
