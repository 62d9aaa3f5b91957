"""Validation of a training run on held-out slices and patients."""
