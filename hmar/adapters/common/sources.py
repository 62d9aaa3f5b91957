"""What every image source says alike of a file that it does not hand out."""

from __future__ import annotations

from hmar.errors import LimitError, NotFoundError


def absent() -> NotFoundError:
    """Return the error for a reference at which there is nothing."""
    return NotFoundError(
        "There is no file or folder at this reference.", "Check the path, and that its name is valid UTF-8."
    )


def too_large(size: int, max_bytes: int) -> LimitError:
    """Return the error for a file of more than ``max_bytes``."""
    return LimitError(
        f"The file has {size} bytes; at most {max_bytes} are read.", "Raise HMAR_MAX_FILE_BYTES to index it."
    )
