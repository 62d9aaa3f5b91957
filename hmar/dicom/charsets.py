"""The character sets of DICOM (PS3.3 C.12.1.1.2), made ready for a process that can open no file."""

from __future__ import annotations

import codecs

import pydicom.charset


def load_charsets() -> None:
    """Import the codecs of all character sets: Python reads each from a file of its own at its first use."""
    for name in {name for name in pydicom.charset.python_encoding.values() if name}:
        codecs.lookup(name)
