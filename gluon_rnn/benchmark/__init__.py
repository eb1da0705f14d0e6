"""Measuring this project beside d2lzh, PyTorch and JAX."""
