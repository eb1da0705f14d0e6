"""The version, where a build can read it without loading MXNet."""
__version__ = '0.1.0'
