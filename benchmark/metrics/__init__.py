"""Retrieval metrics: figures, their tie rule, and their intervals."""
