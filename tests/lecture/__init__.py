"""The numbers of a first lecture on convolutional networks, each through the language.

A test writes a small definition (or takes one of the library), lets the compiler measure it or both
devices run it, and compares with the number that the lecture gives. Sources: the papers of the
networks; Goodfellow, Bengio and Courville, "Deep Learning" (2016), chapter 9, for what a
convolution and a pool are good for.
"""
