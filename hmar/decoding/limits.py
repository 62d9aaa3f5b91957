"""What decoding one file may cost."""

from __future__ import annotations

from dataclasses import dataclass

from hmar.config import REFUSE, Settings

MAX_FRAME_PIXELS = 1 << 26
"""Largest rows x columns of one frame (8192 x 8192): decoding takes up to 40 bytes a pixel at a time."""

MEGABYTE = 1 << 20
WALL_PER_CPU = 2
"""Factor from the limit of processor time to that of wall time: the machine has other work."""
WAIT_S = 30.0
"""How long a thread waits for a decoder that is free."""
FILES_KEPT = 4
"""Files that a child keeps open for their next frames."""
PAGE_FRAMES = 64
"""Frames whose infos are sent together."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Limits of decoding.

    Parameters
    ----------
    max_pixels : int
        Largest rows x columns x frames of a file, each frame counted as at least 64 x 64.
    seconds : float
        Processor time of one request: opening a file, or decoding one frame.
    memory_mb : int
        Most memory that a child may take on top of what it holds when it starts, in MiB.
    decoders : int
        Children at a time.
    wait_s : float
        How long a request waits for a child that is free.
    refuses_burned_in : bool
        Whether an image is refused whose header says that text is burned into its pixels.
    """

    max_pixels: int
    seconds: float = 20.0
    memory_mb: int = 4096
    decoders: int = 1
    wait_s: float = WAIT_S
    refuses_burned_in: bool = False

    @classmethod
    def of(cls, settings: Settings) -> DecodeLimits:
        """Return the limits that the settings name."""
        return cls(
            max_pixels=settings.max_pixels,
            seconds=settings.decode_seconds,
            memory_mb=settings.decode_memory_mb,
            decoders=settings.decoders,
            refuses_burned_in=settings.burned_in == REFUSE,
        )

    @property
    def wall_s(self) -> float:
        """Time of one request by the clock."""
        return WALL_PER_CPU * self.seconds

    @property
    def memory_bytes(self) -> int:
        """``memory_mb`` in bytes."""
        return self.memory_mb * MEGABYTE

    def for_opening(self, file_bytes: int) -> int:
        """Return the bytes of memory that opening a file may take.

        A deflated data set may inflate to 16 times the file, or to 128 MiB, and is held twice for a moment.
        """
        return min(self.memory_bytes, 384 * MEGABYTE + 36 * file_bytes)

    def for_picture(self, file_bytes: int, pixels: int) -> int:
        """Return the bytes of memory that opening a PNG or JPEG may take: up to 24 for a pixel."""
        return min(self.memory_bytes, 256 * MEGABYTE + 2 * file_bytes + 24 * pixels)

    def for_frame(self, pixels: int) -> int:
        """Return the bytes of memory that decoding a frame may take: up to 64 for a pixel."""
        return min(self.memory_bytes, 256 * MEGABYTE + 64 * pixels)
