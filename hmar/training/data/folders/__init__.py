"""Folders of files to train on: each kind of file has a reader of its own, and all give volumes."""
