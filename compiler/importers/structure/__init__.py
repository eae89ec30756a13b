"""A graph as a person would write it: chains, joins, blocks with parameters, loops.

tree         what a definition is made of while it is being recovered
reduce       the graph becomes chains and joins (series-parallel reduction)
skips        long skip connections become named tensors
skeletons    what two parts must have in common to be one block
repeats      runs of stages that occur several times
generalise   such runs become a block, its parameters and its calls
paddings     pads that follow from the kernel or the dilation
expressions  numbers that follow from others: `4 * c`, `in.c // 16`
labels       how the kept names of a run follow from one prefix
loops        equal calls in a row become `for` and `repeat`
interface    names for inputs and outputs, whose own stand in quotes where they must
automatic    which labels need not be written, being the automatic names
text         the text of a definition
"""
