"""Learned heads on frozen features: one training loop, one loss a file."""
