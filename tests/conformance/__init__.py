"""ONNX's own backend tests on the NumPy interpreter: `python -m tests.conformance`."""
