"""Measuring this project beside d2lzh and PyTorch, and profiling it."""
