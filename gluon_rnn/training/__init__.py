"""The trainer and its parts: source, step, loss, optimizer, schedule, data parallelism. Nothing here knows a network."""
