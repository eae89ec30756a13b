"""Random valid definitions, run every way there is and held against what the compiler says of them.

    sizes        a size of a tensor, a number or symbolic, worked out apart from the compiler
    windows      the output sizes of windows
    rules        what shape each op makes, and what it refuses; `rules_of_windows`,
                 `rules_of_parts`, and what they ask: `asked`
    tree         a definition while it is drawn: its text, and the shapes that it makes
    numbers      expressions, as definitions write numbers
    arguments    the arguments of every op that suit an input
    windowed     those of the ops that slide a window
    rearranged   those of the ops that put values elsewhere
    bodies       chains, joins, loops, conditions, blocks
    definitions  whole files
    unrolled     the layers that a definition means, a second account of elaboration
    coverage     which forms of the language, ops and parameters definitions hold
    figures      inputs and weights, and one run of a net on each engine
    agreement    shapes, numbers and domains that must agree
    judge        how far apart numbers may be
    wiring       order, inputs, arguments, windows and sharing of the layers
    costs        parameters, MACs and memory counted apart from the analysis
    fields       receptive fields seen on the running net
    campaign     many nets, the failing one made small
    faults       faults to plant, which the rest has to find

`python -m tests.differential --count 2000` is the long run.
"""
