"""Which files of a caller's are sent to be indexed, and in which requests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hmar.errors import NotFoundError
from hmar.values.added import Failure
from hmar.values.masks import masked_names
from hmar.values.references import named_as_image

BATCH_BYTES = 32 << 20
BATCH_FILES = 200
"""A request is sent when it holds as much; the server's limits are above."""
_RASTERS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_DICOM = b"DICM"
_PREAMBLE = 128
_BARE_DICOM = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
"""Groups that a DICOM file without preamble begins with."""
NO_IMAGE = "Neither DICOM nor PNG nor JPEG."
MASK = "Named as the mask of an image beside it."

Openable = str | os.PathLike[str] | bytes
Addable = Openable | Iterable[Openable]
"""A file or folder by its path, a file's bytes, or several of these."""


class File(NamedTuple):
    """A file to send: what an outcome calls it, and where it is."""

    name: str
    source: Path | bytes

    def data(self) -> bytes:
        """Return what it holds; raises OSError."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


def files_of(images: Addable) -> tuple[list[File], list[Failure]]:
    """Return the files to send, and those of folders that are left out, with the reason.

    Files of a folder are named by their path in it. Those are left out that are neither named as images nor
    begin as one, and masks; a file that is given by itself is always sent, and the server judges it.

    Raises
    ------
    NotFoundError
        If there is no such file or folder, or no file in a folder.
    """
    files: list[File] = []
    skips: list[Failure] = []
    for each in [images] if isinstance(images, str | os.PathLike | bytes) else images:
        if isinstance(each, bytes):
            files.append(File(f"bytes {len(files) + 1}", each))
        elif not (path := Path(each)).exists():
            raise NotFoundError(f"There is no file or folder {str(path)!r}.", "Check the path.")
        elif path.is_dir():
            _add_folder(path, files, skips)
        else:
            files.append(File(path.name, path))
    if not files and not skips:
        raise NotFoundError("There is no file to add.", "Check the folder.")
    return files, skips


def batches(files: Iterable[File], unread: list[Failure]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield names and contents of files, as many at a time as one request takes.

    A file that cannot be read is added to ``unread``.
    """
    batch: list[tuple[str, bytes]] = []
    size = 0
    for file in files:
        try:
            data = file.data()
        except OSError as error:
            unread.append(Failure(file.name, f"The file cannot be read ({error.strerror})."))
            continue
        if batch and (size + len(data) > BATCH_BYTES or len(batch) == BATCH_FILES):
            yield batch
            batch, size = [], 0
        batch.append((file.name, data))
        size += len(data)
    if batch:
        yield batch


def _add_folder(folder: Path, files: list[File], skips: list[Failure]) -> None:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = str(path.relative_to(folder))
        if any((path.with_name(image)).exists() for image in masked_names(path.name)):
            skips.append(Failure(name, MASK))
        elif named_as_image(path.name) or _begins_as_image(path):
            files.append(File(name, path))
        else:
            skips.append(Failure(name, NO_IMAGE))


def _begins_as_image(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_PREAMBLE + len(_DICOM))
    except OSError:
        return True  # that it cannot be read is told when it is sent
    return head[_PREAMBLE:] == _DICOM or head.startswith((*_RASTERS, *_BARE_DICOM))
