"""Foreign files, opened and decoded in child processes: no file harms more than itself."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

from hmar.contents import Content, FileBytes
from hmar.decoding.launcher import ForkServer
from hmar.decoding.limits import PAGE_FRAMES, DecodeLimits
from hmar.decoding.pool import Pool
from hmar.decoding.process import AbsentError, Child, ChildEndedError
from hmar.errors import DecodeError, InputError, ParameterError, UnavailableError
from hmar.values.digests import file_digest
from hmar.values.frames import Frame, FrameInfo, FrameInfos
from hmar.values.headers import FileHeader
from hmar.values.identified import Identified
from hmar.values.stored import StoredFrame

_INFO_BYTES = 2048
"""What an opened file takes besides its bytes."""
_Answer = TypeVar("_Answer")


class ContainedDecoder:
    """Opens DICOM, PNG and JPEG. Thread-safe.

    Parameters
    ----------
    limits : DecodeLimits
        What one file may cost, and how many are decoded at a time.
    secret : bytes
        Keys the hash of patient ids; at least 16 bytes.
    server : ForkServer or None
        Starts the children; whoever made it closes it. None starts one for this decoder alone.
    steps : sequence of bytes
        What each rotation of the secret has drawn, in order.
    """

    def __init__(
        self,
        limits: DecodeLimits,
        secret: bytes,
        server: ForkServer | None = None,
        steps: Sequence[bytes] = (),
    ) -> None:
        self._shared = server is not None
        self._server = server or ForkServer()
        self._numbers = itertools.count(1)
        size = min(limits.decoders, os.cpu_count() or 1)
        self._limits = limits
        self._secret, self._steps = secret, steps
        self._pool = Pool(self._child, size, limits.wait_s)

    def __enter__(self) -> ContainedDecoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self, data: Content, first_frame: bool = False) -> ContainedFile:
        """Open a file.

        Parameters
        ----------
        data : bytes or FileBytes
            The file; one that lies on the disk stays there, and is read frame by frame.
        first_frame : bool
            Whether frame 1 will be asked for: it is decoded at once, which saves asking a child twice. If
            it cannot be decoded, ``frame`` says so, as ever.

        Raises
        ------
        DecodeError
            For bytes that are no image, and for those on which the decoder ends.
        LimitError
            For an image that is too large.
        UnavailableError
            If no decoder is free in time, or none can be started.
        """
        asked = AskedFile(self._pool, next(self._numbers), data)
        return ContainedFile(asked, *asked.open(first_frame))

    def identify(self, data: Content) -> Identified:
        """Return what a DICOM instance says that it is, and why it cannot be indexed, if its header tells.

        Raises
        ------
        DecodeError
            For what is no DICOM file, or has no header that can be read, or ends the decoder.
        UnavailableError
            If no decoder is free in time, or none can be started.
        """
        with self._pool.child(next(self._numbers), data) as child, _explained("The file"):
            return child.identify(data)

    @property
    def replaced(self) -> int:
        """How many child processes ended while they decoded, or had to be ended, since the start."""
        return self._pool.replaced

    def close(self) -> None:
        """End all child processes. What is being decoded meanwhile fails."""
        self._pool.close()
        if not self._shared:
            self._server.close()

    def _child(self, data: Content) -> Child:
        given = data if isinstance(data, FileBytes) else None
        try:
            return Child(self._server, self._limits, self._secret, given, self._steps)
        except ChildEndedError as error:
            raise UnavailableError(
                f"A decoder cannot be started: {error}.",
                "Look at the machine's memory, or run 'hmar doctor'.",
            ) from error


class ContainedFile:
    """An opened file; an :class:`hmar.values.headers.StoredFile`. Thread-safe. ContainedDecoder makes it.

    It holds the bytes of the file, so that any child can decode its next frame.

    Parameters
    ----------
    asked : AskedFile
        Asks a child about the file.
    infos : FrameInfos
        Of its frames.
    first : Frame, InputError or None
        Frame 1 where it was decoded already, or why it cannot be; handed out once.
    """

    def __init__(self, asked: AskedFile, infos: FrameInfos, first: Frame | InputError | None = None) -> None:
        self._asked = asked
        self._infos = infos
        self._ahead = {} if first is None else {1: first}
        self._sha256: str | None = None

    @property
    def infos(self) -> Sequence[FrameInfo]:
        """Identity and geometry of each frame, in order of frame number; asked for in pages."""
        return self._infos

    @property
    def sha256(self) -> str:
        """Digest of the file's bytes."""
        if self._sha256 is None:
            self._sha256 = file_digest(self._asked.data)
        return self._sha256

    @property
    def cost_bytes(self) -> int:
        """Memory that the opened file takes in this process, without a frame that was decoded ahead."""
        held = len(self._asked.data) if isinstance(self._asked.data, bytes) else 0
        return held + _INFO_BYTES * (1 if self._infos.alike else PAGE_FRAMES)

    def frame(self, frame_number: int) -> Frame:
        """Decode one frame.

        Raises
        ------
        ParameterError
            If ``frame_number`` is not from 1 to the number of frames.
        DecodeError
            If its pixels cannot be decoded, or the decoder ends on them. Other frames may still be decoded.
        UnavailableError
            If no decoder is free in time, or none can be started.
        """
        info = self._info(frame_number)
        ahead = self._ahead.pop(frame_number, None)
        if isinstance(ahead, InputError):
            raise ahead
        return self._asked.frame(info) if ahead is None else ahead

    def stored(self, frame_number: int) -> StoredFrame:
        """Read one frame as it is stored; raises as :meth:`frame`."""
        return self._asked.stored(self._info(frame_number))

    def sop_class(self) -> str | None:
        """Return the file's SOP class, None where it says none or is no DICOM; raises as :meth:`frame`."""
        return self._asked.sop_class()

    def header(self, frame_number: int) -> FileHeader:
        """Return what a viewer is told of a frame's header; raises as :meth:`frame`."""
        return self._asked.header(self._info(frame_number))

    @property
    def alike(self) -> bool:
        """Whether the headers of its frames say the same."""
        return self._infos.alike

    @property
    def data(self) -> bytes:
        """The file itself, read whole, with all that its header says."""
        return self._asked.data[:]

    def _info(self, frame_number: int) -> FrameInfo:
        frames = len(self._infos)
        if not 1 <= frame_number <= frames:
            raise ParameterError(
                f"Frame number {frame_number} does not exist.", f"Give a number from 1 to {frames}."
            )
        return self._infos[frame_number - 1]


class AskedFile:
    """What a child is asked about one file; one that does not hold the file is given it first.

    Parameters
    ----------
    pool : Pool
        Lends the child.
    number : int
        Names the file to the children.
    data : bytes or FileBytes
        The file.
    """

    def __init__(self, pool: Pool, number: int, data: Content) -> None:
        self.data = data
        self._pool = pool
        self._number = number

    def open(self, first_frame: bool = False) -> tuple[FrameInfos, Frame | InputError | None]:
        """Open the file; return its infos, and with ``first_frame`` frame 1, or what is wrong with that."""
        with self._pool.child(self._number, self.data) as child:
            with _explained("The file"):
                first, frames, alike = child.open(self._number, self.data, first_frame)
            ahead = _frame_ahead(child, first) if first_frame else None
        return FrameInfos(first, frames, None if alike else _Pages(self, frames).info), ahead

    def infos(self, first: int, count: int) -> list[FrameInfo]:
        """Return the infos of ``count`` frames from number ``first``, at most ``PAGE_FRAMES``."""
        return self._ask(
            lambda child: child.infos(self._number, first, count), f"The header of frame {first} and the next"
        )

    def frame(self, info: FrameInfo) -> Frame:
        """Decode a frame."""
        return self._ask(lambda child: child.frame(self._number, info), f"Frame {info.frame_number}")

    def stored(self, info: FrameInfo) -> StoredFrame:
        """Read a frame as it is stored."""
        return self._ask(lambda child: child.stored(self._number, info), f"Frame {info.frame_number}")

    def sop_class(self) -> str | None:
        """Return the SOP class of the file, None where it says none."""
        return self._ask(lambda child: child.sop_class(self._number), "The header")

    def header(self, info: FrameInfo) -> FileHeader:
        """Return what is told of a frame's header."""
        number = info.frame_number
        return self._ask(lambda child: child.header(self._number, number), f"The header of frame {number}")

    def _ask(self, ask: Callable[[Child], _Answer], what: str) -> _Answer:
        with self._pool.child(self._number, self.data) as child, _explained(what):
            if child.holds(self._number):
                try:
                    return ask(child)
                except AbsentError:
                    pass
            child.open(self._number, self.data)
            return ask(child)


class _Pages:
    """The infos of a file whose frames are not alike, page by page; the page used last is kept."""

    def __init__(self, asked: AskedFile, frames: int) -> None:
        self._asked = asked
        self._frames = frames
        self._page: list[FrameInfo] = []

    def info(self, frame_number: int) -> FrameInfo:
        page = self._page
        if not page or not 0 <= frame_number - page[0].frame_number < len(page):
            first = frame_number - (frame_number - 1) % PAGE_FRAMES
            page = self._page = self._asked.infos(first, self._frames - first + 1)
        return page[frame_number - page[0].frame_number]


def _frame_ahead(child: Child, info: FrameInfo) -> Frame | InputError | None:
    try:
        with _explained(f"Frame {info.frame_number}"):
            return child.frame_ahead(info)
    except AbsentError:
        return None
    except InputError as error:
        return error


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn the end of a child into the DecodeError of what it worked on."""
    try:
        yield
    except ChildEndedError as error:
        raise DecodeError(
            f"{what} cannot be decoded: {error}.",
            "Check that the file is complete and undamaged, or store it uncompressed.",
        ) from None
