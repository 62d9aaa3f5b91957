"""Frames of a file that follow one another and are alike, so that one answer describes them all."""

from __future__ import annotations

from hmar.errors import DecodeError
from hmar.values.headers import StoredFile
from hmar.values.stored import StoredFrame

MAX_BYTES = 32 << 20


def run_of(file: StoredFile, first: int, count: int) -> list[StoredFrame]:
    """Return a frame, and frames behind it: those that mean the same, up to the first that cannot be read.

    Parameters
    ----------
    file : StoredFile
    first : int
        Number of the frame; the file has it.
    count : int
        Most frames; fewer where they would have more than ``MAX_BYTES``.

    Raises
    ------
    DecodeError
        If the first cannot be read.
    """
    run = [file.stored(first)]
    most = min(count, max(1, MAX_BYTES // run[0].values.nbytes), len(file.infos) - first + 1)
    for number in range(first + 1, first + most):
        try:
            frame = file.stored(number)
        except DecodeError:
            break  # whoever asks for this one is told why
        if _kind(frame) != _kind(run[0]):
            break
        run.append(frame)
    return run


def _kind(frame: StoredFrame) -> tuple[object, ...]:
    """Return what is told of a frame but for its position."""
    info = frame.info
    return frame.type, info.rows, info.columns, info.spacing, info.position is None, frame.meaning
