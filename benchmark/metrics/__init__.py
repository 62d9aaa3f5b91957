"""Retrieval metrics: figures with their tie rule, and their confidence intervals."""
