"""Models: a recurrent network and what stands on top of it."""
