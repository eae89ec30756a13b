"""The editor's server: what an editor asks about a text, answered over the LSP protocol.

analysis     a text checked: tree, names, nets, diagnostics
project      the files that use each other; where a name is defined and used
positions    offsets and an editor's lines and characters
problems     diagnostics as an editor shows them, and their fixes
hints        the shape after each stage
hover        what stands under the mouse
context      what the text before the cursor asks for
completion   what may be written there
calls        the call that is being written
symbols      the outline, folds
rename       a new name everywhere
formatting   the house style
options      an editor's settings
documents    open texts, checked in the background
wire         what no editor should send
server       the protocol (the only part, with `convert` and `wire`, that needs pygls)
"""
