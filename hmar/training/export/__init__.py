"""From a trained network to a model folder: folded heads, ONNX graph, reference, golden file, card."""
