"""What a name in the text leads to: in a file, between files, in other tools.

names, resolve    definitions and uses of a file, from the text alone
keywords          which parameter the keyword of a call means
modules           files, and the names they give each other with `use`
labels            the tensor that a label of a graph names
aliases           what other tools call layers, parameters and values
"""
