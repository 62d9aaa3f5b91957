"""Peers that fine-tune the last blocks of the backbone."""
