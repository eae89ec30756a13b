"""A `train` item as a PyTorch program: the nets' classes, a function a step, and a plain loop.

    steps        what each step computes, as functions of the nets and the batch
    updates      optimisers, and the rates as functions of the epochs done
    pictures     how a picture becomes a part of a sample
    augmenting   augmentations, in NumPy, that draw as ours do
    loop         all that is the same in every script
    write        puts them together

Whatever is drawn from the seed is drawn as `netc train` draws it: first numbers, the order of the
samples, noise, augmentation. Only dropout's masks are PyTorch's own.
"""
