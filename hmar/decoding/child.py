"""The child: opens files and decodes frames until its parent is gone, within the limits of restraint.py.

It tells nothing but frames, what :class:`hmar.values.frames.FrameInfo` may hold, and reasons without values
of the header: patient ids become keyed hashes here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from hmar.contents import Content
from hmar.decoding.answers import error_answer, header_answer, info_answer, meaning_answer
from hmar.decoding.in_process import ImageDecoder, picture_pixels
from hmar.decoding.limits import FILES_KEPT, MEGABYTE, PAGE_FRAMES, DecodeLimits
from hmar.decoding.messages import Channel, EndedError
from hmar.decoding.restraint import Restraint
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import DicomFile
from hmar.dicom.uids import sop_class
from hmar.errors import DecodeError, HmarError, LimitError
from hmar.values.frames import FrameInfo, FrameInfos
from hmar.values.headers import StoredFile
from hmar.values.stored import dtype_of

BYTES_KEPT = 512 * MEGABYTE
LEAK_BYTES = 256 * MEGABYTE
"""A child that holds so much more than its files is replaced."""

Answer = tuple[dict[str, Any], memoryview | bytes]


class _Held(NamedTuple):
    file: StoredFile
    cost: int


class Files:
    """The files opened last, by the number that the parent gave them; the one used longest ago goes first."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, _Held] = OrderedDict()

    def keep(self, number: int, file: StoredFile, cost: int) -> None:
        """Keep a file that takes ``cost`` bytes."""
        self._held[number] = _Held(file, cost)
        while len(self._held) > 1 and (len(self._held) > FILES_KEPT or self.cost > BYTES_KEPT):
            self._held.popitem(last=False)

    def get(self, number: int) -> StoredFile | None:
        """Return a file that is held, None for any other."""
        if number not in self._held:
            return None
        self._held.move_to_end(number)
        return self._held[number].file

    @property
    def cost(self) -> int:
        """Bytes that all of them take."""
        return sum(held.cost for held in self._held.values())


class Child:
    """Answers requests; see :func:`serve`.

    Parameters
    ----------
    channel : Channel
        To the parent.
    limits : DecodeLimits
        Of every request.
    *secrets : bytes
        Keys of the hash of patient ids: the first, and one of each rotation.
    """

    def __init__(self, channel: Channel, limits: DecodeLimits, *secrets: bytes) -> None:
        self._channel = channel
        self._limits = limits
        self._decoder = ImageDecoder(limits.max_pixels, PatientHasher(*secrets), limits.refuses_burned_in)
        self._restraint = Restraint(limits)
        self._files = Files()
        self._does: dict[str, Callable[[dict[str, Any], int], Answer]] = {
            "open": self._open,
            "identify": self._identify,
            "infos": self._infos,
            "frame": self._frame,
            "stored": self._stored,
            "sop class": self._sop_class,
            "header": self._header,
        }

    def answer(self, request: dict[str, Any], size: int) -> bool:
        """Answer a request; return False if another child had better answer the next."""
        healthy = True
        payload: memoryview | bytes = b""
        try:
            header, payload = self._does[request["do"]](request, size)
        except HmarError as error:
            header = error_answer(error)
        except MemoryError:
            healthy = False
            header = error_answer(
                LimitError(
                    "Decoding takes more memory than the "
                    f"{self._restraint.allowed_bytes // MEGABYTE} MiB that an image of this size may.",
                    "Store it uncompressed or in smaller frames; raise HMAR_DECODE_MEMORY_MB if it is huge.",
                )
            )
        except BaseException:
            # Also what is no Exception, such as a panic of a decoder written in Rust. What it left
            # behind is not known.
            healthy = False
            header = error_answer(
                DecodeError("The decoder failed on it.", "Check that the file is complete and undamaged.")
            )
        healthy = healthy and self._restraint.grown_bytes - self._files.cost < LEAK_BYTES
        self._channel.send({**header, "healthy": healthy}, payload)
        return healthy

    def _open(self, request: dict[str, Any], size: int) -> Answer:
        self._restraint.begin(self._limits.for_opening(size))
        before = self._restraint.data_bytes()
        data = self._content(request, size)
        if pixels := picture_pixels(data):
            self._restraint.begin(self._limits.for_picture(len(data), pixels))
        file = self._decoder.open(data)
        del data
        infos = file.infos
        first = info_answer(infos[0])
        self._files.keep(request["file"], file, max(size, self._restraint.data_bytes() - before))
        return {"frames": len(infos), "alike": _alike(infos), "first": first}, b""

    def _identify(self, request: dict[str, Any], size: int) -> Answer:
        self._restraint.begin(self._limits.for_opening(size))
        return {"identified": asdict(self._decoder.identify(self._content(request, size)))}, b""

    def _content(self, request: dict[str, Any], size: int) -> Content:
        """Return the bytes that were sent, or those of the file that this process was started with."""
        on_disk = request.get("on_disk")
        return self._channel.payload(size) if on_disk is None else self._channel.file(*on_disk)

    def _infos(self, request: dict[str, Any], _size: int) -> Answer:
        file = self._files.get(request["file"])
        if file is None:
            return {"absent": True}, b""
        self._restraint.begin(self._limits.for_frame(0))
        first = request["first"]
        return {"infos": [info_answer(info) for info in file.infos[first - 1 : first - 1 + PAGE_FRAMES]]}, b""

    def _frame(self, request: dict[str, Any], _size: int) -> Answer:
        file = self._files.get(request["file"])
        if file is None:
            return {"absent": True}, b""
        first = file.infos[0]  # the frames of a file have one size
        self._restraint.begin(self._limits.for_frame(first.rows * first.columns))
        frame = file.frame(request["frame"])
        values = np.ascontiguousarray(frame.values, dtype="<f4")
        header = {
            "units": frame.units.value,
            "window": frame.display_window,
            "note": frame.units_note,
            "shape": values.shape,
        }
        return header, values.data

    def _stored(self, request: dict[str, Any], _size: int) -> Answer:
        file = self._files.get(request["file"])
        if file is None:
            return {"absent": True}, b""
        first = file.infos[0]
        self._restraint.begin(self._limits.for_frame(first.rows * first.columns))
        frame = file.stored(request["frame"])
        values = np.ascontiguousarray(frame.values, dtype_of(frame.type))
        header = {"type": frame.type, "shape": values.shape, "meaning": meaning_answer(frame.meaning)}
        return header, values.data

    def _sop_class(self, request: dict[str, Any], _size: int) -> Answer:
        file = self._files.get(request["file"])
        if file is None:
            return {"absent": True}, b""
        self._restraint.begin(self._limits.for_frame(0))
        return {"sop_class": sop_class(file.dataset) if isinstance(file, DicomFile) else None}, b""

    def _header(self, request: dict[str, Any], _size: int) -> Answer:
        file = self._files.get(request["file"])
        if file is None:
            return {"absent": True}, b""
        first = file.infos[0]
        self._restraint.begin(self._limits.for_frame(first.rows * first.columns))
        return {"header": header_answer(file.header(request["frame"]))}, b""


def _alike(infos: Sequence[FrameInfo]) -> bool:
    return infos.alike if isinstance(infos, FrameInfos) else len(infos) == 1


def serve(channel: Channel) -> None:
    """Answer requests until the parent is gone, or a file has left this process in a doubtful state."""
    try:
        begin, _ = channel.receive()
        child = Child(channel, DecodeLimits(**begin["limits"]), *map(bytes.fromhex, begin["secrets"]))
        channel.send({"ready": True})
        while child.answer(*channel.receive()):
            pass
    except EndedError:
        return
