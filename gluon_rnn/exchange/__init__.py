"""Ways out of MXNet."""
