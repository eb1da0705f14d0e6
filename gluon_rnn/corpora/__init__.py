"""Texts as indices, images, and the samplers that cut them into batches."""
