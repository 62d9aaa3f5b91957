from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import NotFoundError
from hmar.training.data.folders.scan import Limits
from hmar.training.typicality.folders import places_of_folders
from hmar.training.typicality.places import Place
from hmar.values.frames import Units
from tests.hmar.training.data.folders.made import PATIENT, SECRET, InProcess, ct_series


def found_in(*folders: Path) -> tuple[list[Place], list[str]]:
    hasher = PatientHasher(SECRET)
    return places_of_folders(
        folders, InProcess(hasher), hasher, Limits(1 << 24, 1 << 24), lambda done, total: None
    )


def test_images_are_found_with_who_is_on_them_and_masks_are_none(tmp_path):
    ct_series(tmp_path / "a" / "one", 1, 3)
    ct_series(tmp_path / "a" / "again", 2, 2)
    ct_series(tmp_path / "b", 3, 2, PatientID="another")
    picture = Image.fromarray(np.full((20, 20), 90, np.uint8))
    picture.save(tmp_path / "b" / "film.png")
    picture.save(tmp_path / "b" / "mask_001.png")
    (tmp_path / "b" / "notes.txt").write_text("no image")
    places, left_out = found_in(tmp_path / "a", tmp_path / "b")
    assert [place.modality for place in places] == ["CT"] * 7 + ["OT"]
    people = [place.person for place in places]
    assert [people.count(person) for person in dict.fromkeys(people)] == [5, 2, 1]
    assert PATIENT not in "".join(people)
    assert left_out == ["1 files left out: neither an image nor a table"]
    assert [place.read().units for place in places[-2:]] == [Units.HU, Units.PRESENTATION]


def test_folders_without_an_image_are_refused(tmp_path):
    with pytest.raises(NotFoundError, match="no image in 1 folders"):
        found_in(tmp_path)
