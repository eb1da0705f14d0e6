"""Runs and what they leave on disk: the folder, checkpoints, files that are whole or absent."""
