from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

import nibabel as nib

from hmar.model.tags import REGIONS
from hmar.training.data.volumes import load_nifti, regions_from_structures


def test_a_volume_is_read_as_a_radiologist_sees_it(tmp_path: Path):
    # RAS+: x towards right, y towards the front, z towards the head
    values = np.zeros((4, 5, 3), np.int16)
    values[3, 0, 2] = 7  # the rightmost, rearmost, uppermost voxel
    path = tmp_path / "volume.nii.gz"
    nib.save(nib.Nifti1Image(values, np.diag([1.0, 2.0, 3.0, 1.0])), path)
    read, spacing = load_nifti(path)
    assert spacing == (3.0, 2.0, 1.0)
    assert read.shape == (3, 5, 4)
    assert read[2, 4, 0] == 7  # upper slice, last row (back), first column (the patient's right)


def test_regions_follow_from_structures():
    names = {1: "heart", 2: "kidney_left", 3: "hip_left"}
    labels = np.zeros((4, 2, 2), np.uint8)
    labels[0, 0, 0], labels[1, 0, 0], labels[1, 0, 1], labels[2, 0, 0] = 3, 2, 1, 1
    found = [None if index < 0 else REGIONS[index] for index in regions_from_structures(labels, names)]
    assert found == ["PELVIS", "ABDOMEN", "CHEST", None]
