"""Syntax tree to checked graph to ONNX."""
