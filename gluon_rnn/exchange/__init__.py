"""Ways out of MXNet: ONNX, PyTorch, a web page."""
