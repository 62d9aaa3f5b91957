"""Files as sequences of frames, and whose keys of patients they carry."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hmar
from hmar.config import Settings
from hmar.errors import DecodeError, LimitError
from hmar.library import images
from tests.hmar.dicom.build import image
from tests.phantoms import SIDE, SPACING_MM, ct_file, slice_hu

FOUR = image(np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5))


def test_a_frame_has_values_units_and_spacing(tmp_path: Path) -> None:
    path = tmp_path / "1.dcm"
    path.write_bytes(ct_file(1, 1))
    for source in (path, str(path), ct_file(1, 1)):
        opened = hmar.open_image(source)
        frame = opened[0]
        assert len(opened) == 1
        assert frame.units is hmar.Units.HU
        assert frame.spacing == frame.info.spacing == hmar.Spacing(SPACING_MM, SPACING_MM)
        np.testing.assert_allclose(frame.values, np.maximum(slice_hu(1, 1), -1024), atol=0.51)
        assert opened.infos[0].rows == SIDE


def test_a_file_is_the_sequence_of_its_frames() -> None:
    opened = hmar.open_image(FOUR)
    numbers = [frame.info.frame_number for frame in opened]
    assert numbers == [1, 2, 3, 4]
    assert opened[-1].info.frame_number == 4
    assert [frame.info.frame_number for frame in opened[1:3]] == [2, 3]
    with pytest.raises(IndexError):
        opened[4]


def test_what_cannot_be_read_or_is_no_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="No such file"):
        hmar.open_image(tmp_path / "absent.dcm")
    with pytest.raises(DecodeError, match="neither DICOM nor PNG nor JPEG"):
        hmar.open_image(b"text")


def test_a_file_over_the_limit_is_not_read_be_it_a_path_or_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "1.dcm"
    path.write_bytes(ct_file(1, 1))
    monkeypatch.setattr(images, "Settings", lambda: replace(Settings(), max_file_bytes=1000))
    for source in (path, path.read_bytes(), "/dev/zero"):
        with pytest.raises(LimitError, match="larger than 1000 bytes"):
            hmar.open_image(source)


@pytest.mark.slow
def test_one_patient_has_one_key_in_a_process_and_another_in_the_next() -> None:
    key = hmar.open_image(ct_file(1, 1))[0].info.patient_key
    assert key == hmar.open_image(ct_file(2, 1))[0].info.patient_key
    script = """
import hmar
from tests.phantoms import ct_file
print(hmar.open_image(ct_file(1, 1)).infos[0].patient_key)
"""
    other = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert len(other.stdout.strip()) == len(str(key)) == 32
    assert other.stdout.strip() != key


def test_a_secret_of_the_callers_makes_keys_that_last() -> None:
    keys = {hmar.open_image(ct_file(1, 1), patient_secret=b"s" * 16).infos[0].patient_key for _ in range(2)}
    assert len(keys) == 1
    assert keys != {hmar.open_image(ct_file(1, 1)).infos[0].patient_key}
