"""Frames that were indexed as arrays, not as files: only their codes are kept."""

from __future__ import annotations

from collections.abc import Iterator

from hmar.contents import Content
from hmar.errors import NotFoundError

UNKEPT = "unkept"
"""Name of this source in the origin of a frame."""


class UnkeptFrames:
    """A :class:`hmar.ports.ImageSource` that holds nothing."""

    def list(self, reference: str) -> Iterator[str]:  # noqa: ARG002 - the port's signature
        """Raise NotFoundError."""
        raise _not_kept()

    def fetch(self, reference: str, max_bytes: int) -> Content:  # noqa: ARG002 - the port's signature
        """Raise NotFoundError."""
        raise _not_kept()


def _not_kept() -> NotFoundError:
    return NotFoundError(
        "The pixels of this frame were not kept: it was indexed from an array, not from a file.",
        "Index the file itself to see it here.",
    )
