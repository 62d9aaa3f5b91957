"""The first look at folders: what each file is, and what it says without its pixels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from hmar.dicom.read import is_dicom
from hmar.errors import DecodeError, HmarError, LimitError, NoImageError, NotFoundError, OperatorError
from hmar.image.raster import is_raster
from hmar.training.data.folders import masks, nifti
from hmar.training.data.folders.header import (
    RT_STRUCTURE_SET,
    SEGMENTATION,
    dicom_header,
    orientation_of,
    sop_class,
)
from hmar.training.data.folders.images import Image, SourceFile
from hmar.training.data.folders.left_out import LeftOut
from hmar.training.data.folders.rtstruct import Contour, read_contours
from hmar.training.data.folders.segmentation import SegmentFrame, read_segmentation
from hmar.training.data.folders.tables import Tables
from hmar.values.frames import ImageFile

FILES = "files"
_PART = 1 << 20


class Decoder(Protocol):
    """Opens images; :class:`hmar.decoding.contained.ContainedDecoder` is one."""

    def open(self, data: bytes, first_frame: bool = False) -> ImageFile:
        """Open a file; raises DecodeError."""


class Limits(NamedTuple):
    """Largest file that is read, in bytes, and largest image, in rows x columns x frames."""

    file_bytes: int
    pixels: int


@dataclass(slots=True)
class Found:
    """What lies in folders, by kind.

    Parameters
    ----------
    images : list of Image
        Frames of DICOM files and pictures.
    masks : list of SourceFile
        PNG masks.
    nifti : list of Path
    contours : list of (SourceFile, list of Contour)
        RT structure sets.
    segments : list of (SourceFile, list of SegmentFrame)
        DICOM segmentations.
    tables : Tables
    table_files : list of SourceFile
    left_out : LeftOut
    """

    images: list[Image] = field(default_factory=list)
    masks: list[SourceFile] = field(default_factory=list)
    nifti: list[Path] = field(default_factory=list)
    contours: list[tuple[SourceFile, list[Contour]]] = field(default_factory=list)
    segments: list[tuple[SourceFile, list[SegmentFrame]]] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    table_files: list[SourceFile] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)


def scan(
    folders: Sequence[Path], decoder: Decoder, limits: Limits, progress: Callable[[int, int], None]
) -> Found:
    """Look at all files below folders, in alphabetical order.

    Files and folders whose names begin with a dot are passed over; links are followed, to each folder once.
    A file that cannot be read is counted with its reason and stops nothing.

    Parameters
    ----------
    folders : sequence of Path
    decoder : Decoder
    limits : Limits
    progress : callable
        Called with (done, total).

    Raises
    ------
    NotFoundError
        If a folder is not there.
    """
    found, seen = Found(), set[tuple[str, int]]()
    paths = dict.fromkeys(path for folder in folders for path in _files(folder.resolve()))
    for done, path in enumerate(paths, start=1):
        try:
            _look(path, found, seen, decoder, limits)
        except NoImageError:
            found.left_out.add(FILES, "neither an image nor a table")
        except (LimitError, MemoryError):
            found.left_out.add(FILES, "larger than HMAR_MAX_FILE_BYTES or HMAR_MAX_PIXELS allows")
        except DecodeError:
            found.left_out.add(FILES, "damaged, or in a form that is not understood")
        except OperatorError:
            raise
        except (OSError, HmarError):
            found.left_out.add(FILES, "cannot be read")
        progress(done, len(paths))
    return found


def source_file(path: Path) -> SourceFile:
    """Return a file with its digest, which is read in parts."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFile(path, digest, path.stat().st_size)


def read_file(path: Path, limits: Limits) -> bytes:
    """Read a file whole; raises LimitError for one that is too large."""
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise LimitError(f"The file has {size} bytes; {limits.file_bytes} are allowed.", "Leave it out.")
    return path.read_bytes()


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {str(folder)!r}.", "Check the path given by --data.")
    walked = {folder}
    for root, names, files in os.walk(folder, followlinks=True):
        inner = {name: Path(root, name).resolve() for name in sorted(names) if not name.startswith(".")}
        # A link may lead to a folder that is listed elsewhere, or to one that it lies in.
        names[:] = [name for name, real in inner.items() if real not in walked]
        walked.update(inner.values())
        for name in sorted(files):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _look(path: Path, found: Found, seen: set[tuple[str, int]], decoder: Decoder, limits: Limits) -> None:
    """Add what a file is to what was found; raises DecodeError or OSError."""
    if path.suffix.lower() == ".csv":
        if found.tables.read(path, found.left_out):
            found.table_files.append(source_file(path))
        return
    if nifti.is_nifti(path):
        found.nifti.append(path)
        return
    data = read_file(path, limits)
    file = SourceFile(path, hashlib.sha256(data).hexdigest(), len(data))
    if is_raster(data) and masks.is_mask(path):
        found.masks.append(file)
        return
    orientation = None
    if not is_raster(data) and is_dicom(data):
        header = dicom_header(data, limits.pixels)
        if sop_class(header) == RT_STRUCTURE_SET:
            found.contours.append((file, read_contours(data, limits.pixels)))
            return
        if sop_class(header) == SEGMENTATION:
            found.segments.append((file, read_segmentation(data, limits.pixels)))
            return
        if "Rows" not in header:
            found.left_out.add(FILES, "DICOM objects without an image")
            return
        orientation = orientation_of(header)
    for info in decoder.open(data).infos:
        image = Image(file, info, orientation)
        if image.key in seen:
            found.left_out.add("images", "copies of others, by their UID")
        else:
            seen.add(image.key)
            found.images.append(image)
