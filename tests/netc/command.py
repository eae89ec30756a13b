"""The command line in this process, for tests."""

from __future__ import annotations

from click.testing import CliRunner, Result

from netc.main import main

# The smallest training: its data are `x` and `label`.
TRAINING = """
net m { input x: f32[2]; dense(2); output y }
train t {
    data x: f32[2], label: class[2]
    s = m(x)
    minimize cross_entropy(s.y, label)
    update m with sgd(0.1)
    batch 4; epochs 1
}
"""


def netc(*arguments: object, color: bool = False) -> Result:
    """Run `netc` with these arguments; an unexpected exception is the test's failure.

    With `color` the output is what a terminal gets, escape codes and all.
    """
    result = CliRunner().invoke(main, [str(a) for a in arguments], color=color)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
