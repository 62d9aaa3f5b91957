"""The form of a model that serves: ONNX Runtime and numpy, no torch."""
