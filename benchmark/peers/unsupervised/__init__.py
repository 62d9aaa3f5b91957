"""Codes and descriptors that use no labels."""
