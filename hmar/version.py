"""The version of the product, for modules that may not import the front door."""

__version__ = "0.1.0"
