"""The command line in this process, for tests."""

from __future__ import annotations

from click.testing import CliRunner, Result

from netc.main import main


def netc(*arguments: object) -> Result:
    """Run `netc` with these arguments; an unexpected exception is the test's failure."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
