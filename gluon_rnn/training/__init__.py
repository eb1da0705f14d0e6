"""The trainer and its parts: optimizer, data parallelism, processes that share weights. Nothing here knows a network."""
