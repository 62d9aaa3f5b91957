"""Codes and descriptors that learn from no label."""
