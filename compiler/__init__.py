"""Syntax tree to checked graph to ONNX; `driver` runs the stages in order.

What a text says:
    modules        files and what they take from each other
    names          what the names of a file stand for; resolve, keywords: where each leads
    values         what names stand for while a net is unrolled
    evaluate       expressions to values; arithmetic, comparisons, builtins
    bind           arguments to parameters
    elaborate      blocks and loops unrolled to a graph
    elsewhere      words of other tools; misfits, layouts: what else was perhaps meant
    remedies       which change of the text would mend a shape

What a network is:
    graph          the nodes; labels: which of them a name in the text means
    ops            what each layer is: parameters, shape rule, cost; the size formula
    dims           sizes that may be symbolic; domain: what is known and proved of them
    verify         every rule checked again

What it measures:
    analysis       parameters, MACs, depth, memory; receptive_field
    derivation     how a size came about; difference: two nets side by side
    contracts      `expect`; lints: warnings

What becomes of it:
    initialise     seeded numbers
    rewriting      one engine for every rewrite; passes: those that optimise
    registry       tables of functions: what each op means in one place
    onnx           how each layer is written in ONNX (pictures: `from picture`)
    importers      ONNX, Caffe and Darknet to a definition
"""
