"""NumPy held against ONNX Runtime: layers, training steps, imports and whole models.

tolerance         how far two tensors are apart, and how far they may be
first_difference  the first layer at which two computations part
comparison        what a comparison found
segments, ports   every tensor of a model in bounded memory; what a model takes and gives
compare, step     a network, a training step: NumPy against ONNX Runtime
imported, proof   an import against its original
two_models        two ONNX models against one another
"""
