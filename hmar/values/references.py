r"""References of files: what is kept of a path, and what a terminal may show of it.

A reference is text that a database takes, so bytes of a name that are no UTF-8 are written as ``\xHH``, two
hexadecimal digits each, and a backslash of a name as ``\x5c``. Everything else stands for itself. A backslash
that begins no such escape also stands for itself, so that a reference typed by a person is understood.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePath, PurePosixPath

IMAGE_NAMES = frozenset({".dcm", ".dicom", ".dic", ".ima", ".png", ".jpg", ".jpeg"})
"""Extensions that say that a file is an image."""

_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


def reference_of(path: str | bytes | PurePath) -> str:
    """Return the reference of a path, in UTF-8 and with "/" between folders."""
    name = os.fsencode(path).replace(b"\\", rb"\x5c").decode("utf-8", "surrogateescape")
    return "".join(rf"\x{ord(char) - 0xDC00:02x}" if _is_byte(char) else char for char in name)


def path_of(reference: str) -> bytes:
    """Return the path that a reference stands for; raises UnicodeEncodeError for lone surrogates."""
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), reference.encode("utf-8"))


def named_as_image(reference: str) -> bool:
    """Whether a file's name says that it is an image."""
    return PurePosixPath(reference).suffix.lower() in IMAGE_NAMES


def printable(text: str) -> str:
    r"""Return a text without anything that could steer a terminal: control characters as ``\x1b``.

    Format characters, such as those that turn the direction of writing, are escaped too.
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _is_byte(char: str) -> bool:
    """Whether a character stands for a byte that is no UTF-8 (PEP 383)."""
    return "\udc80" <= char <= "\udcff"
