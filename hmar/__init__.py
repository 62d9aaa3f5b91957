"""HMAR search: content-based search over medical images."""

__version__ = "0.1.0"
