"""Backbones: convolutional networks cut at stride 16, one file each, by name in the registry."""
