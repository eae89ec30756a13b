"""Syntax tree to checked graph to ONNX; `driver` runs the stages in order.

What a text says:
    symbols        what a name leads to: scope, the names of a file, files that use each other,
                   labels, words of other tools
    values         what names stand for while a net is unrolled
    evaluate       expressions to values; operators, builtins
    bind           arguments to parameters; layouts: how an input was perhaps meant
    elaborate      blocks and loops unrolled to a graph
    remedies       which change of the text would mend a shape

What a network is:
    graph          the nodes, in order
    ops            what each layer is: parameters, shape rule, cost; the size formula
    dims           sizes that may be symbolic; domain: what is known and proved of them
    verify         every rule checked again

What it measures:
    analysis       parameters, MACs, depth, memory; receptive_field
    derivation     how a size came about; difference: two nets side by side
    contracts      `expect`; lints: warnings

What becomes of it:
    options        what a call of the compiler asks for
    initialise     seeded numbers
    rewriting      one engine for every rewrite; passes: those that optimise
    registry       tables of functions: what each op means in one place
    onnx           how each layer is written in ONNX (pictures: `from picture`)
    importers      ONNX, Caffe and Darknet to a definition
"""
