"""Pixels to the encoder's grid, window geometry, and pictures for people."""
