"""Ours without one of its parts at a time, trained by the same code on the same data."""
