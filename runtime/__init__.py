"""Graph or ONNX to numbers."""
