"""Training: what a `train` item says, as data; nothing here knows numpy or onnx.

model        a training, checked: its data, its steps, what is updated how
optimisers   sgd, adam, adamw, rmsprop, lion, each with its arguments
schedules    how the rate changes from epoch to epoch
"""
