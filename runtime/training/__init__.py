"""Training: data, the loop, and what it leaves behind.

randomness   numbers drawn by seed, step and name, so that a resumed run draws the same
samples      what a batch is drawn from: arrays in memory, picture files
readers      .npz, folders of pictures, lists, idx and CIFAR files become samples
augment      what is done to a batch at random
batches      the batches of a run in order, prepared ahead by threads
engine       the steps as models on a device, parameters kept there
checkpoint   the state of a run in one file, whole or not at all
journal      log.csv and curve.svg
loop         all of it together
"""
