"""Ablations: ours without one part at a time, trained by the same code on the same data."""
