"""The version, as `fechner --version` prints it."""

__version__ = "0.1.0"
