"""Folders of people, ``DIR/PERSON/*.dcm``, read one frame at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from benchmark.lesions.people import Half, half_of
from benchmark.types import Progress
from hmar.decoding.in_process import ImageDecoder
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError, NotFoundError, ParameterError
from hmar.values.frames import Frame

Split = Literal["names", "folders"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, slots=True, eq=False)
class PersonFrame:
    """One frame of one person.

    Parameters
    ----------
    person : str
        Name of the folder; it stands in no row and no message.
    half : str
        "choose" or "report".
    frame : Frame
    middle : bool
        Whether it is the middle one of the person's files.
    """

    person: str
    half: Half
    frame: Frame
    middle: bool


def read_people(folders: Sequence[Path], split: Split, progress: Progress) -> Iterator[PersonFrame]:
    """Yield the first frame of every file; people of one name are one person.

    Parameters
    ----------
    folders : sequence of Path
    split : str
        "names": halves follow from the names of people, as in ``hmar bench lesions``. "folders": the people
        of the first folder are chosen on, all others are reported.
    progress : Progress

    Raises
    ------
    NotFoundError
        If a folder holds no file of a person.
    ParameterError
        If folders are to be the halves and there is one, or the second has nobody who is not in the first.
    DecodeError
        If a file cannot be read.
    """
    files = people_files(folders)
    first = {path.parent.name for path in files if path.parent.parent == folders[0]}
    if split == "folders" and first >= {path.parent.name for path in files}:
        raise ParameterError(
            f"All {len(first)} people are in the first folder.",
            "Give --data again with a folder of others, or --split names.",
        )
    count = Counter(path.parent.name for path in files)
    seen: Counter[str] = Counter()
    decoder = ImageDecoder(MAX_FRAME_PIXELS, PatientHasher(bytes(32)))
    for done, path in enumerate(files, start=1):
        person = path.parent.name
        half = half_of(person) if split == "names" else "choose" if person in first else "report"
        try:
            frame = decoder.open(path.read_bytes()).frame(1)
        except DecodeError as error:
            raise DecodeError(f"File {done} of {len(files)}: {error.detail}", error.remedy) from error
        yield PersonFrame(person, half, frame, seen[person] == count[person] // 2)
        seen[person] += 1
        progress("frames of people", done, len(files))


def people_files(folders: Sequence[Path]) -> list[Path]:
    """Return the files of all people, in order; raises NotFoundError for a folder without any."""
    found: list[Path] = []
    for folder in folders:
        files = sorted(folder.glob("*/*.dcm"))
        if not files:
            raise NotFoundError(f"{folder} holds nobody.", "Give a folder of PERSON/NNN.dcm.")
        found += files
    return found


def people_digest(folders: Sequence[Path]) -> str:
    """Return the sha256 of all files of people, by name and content, in whatever order."""
    lines = [
        f"{path.parent.name}/{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in people_files(folders)
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
