"""A file that stays on the disk is the same image as one in memory, or is refused with the same words."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hmar.contents import Content, FileBytes
from hmar.dicom.read import read_dicom
from hmar.errors import DecodeError
from tests.hmar.dicom.build import HASHER
from tests.hmar.dicom.test_real_files import FILES

SMALL = [name for name, path in FILES.items() if path.stat().st_size < 100_000]
"""Of every kind there are some; the large ones take most of the time."""


def told(data: Content) -> list[object]:
    """Return all that is known of a file, or why it is refused."""
    try:
        file = read_dicom(data, 400_000_000, HASHER)
        first, last = file.frame(1), file.frame(len(file.infos))
    except DecodeError as error:
        return [str(error)]
    return [*file.infos, first.units, first.display_window, first.values, last.values]


@pytest.mark.parametrize("name", SMALL)
def test_a_file_on_the_disk_is_read_as_in_memory(name: str) -> None:
    held = told(FILES[name].read_bytes())
    on_disk = told(FileBytes.owning(os.open(FILES[name], os.O_RDONLY)))
    assert len(held) == len(on_disk)
    for one, other in zip(held, on_disk, strict=True):
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other  # type: ignore[arg-type]


def test_pixels_that_stay_on_the_disk_are_not_read_with_the_header(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES["emri_small.dcm"].read_bytes())
    file = read_dicom(FileBytes.owning(os.open(path, os.O_RDONLY)), 400_000_000, HASHER)
    assert isinstance(file.dataset["PixelData"].value, FileBytes)
