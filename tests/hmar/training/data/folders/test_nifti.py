from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.tags import REGIONS
from hmar.training.data.folders.nifti import modality_of, pair_up
from hmar.training.data.structures import NO_STRUCTURE, UNLABELLED
from tests.hmar.training.data.folders.made import nifti, read

SHAPE = (6, 5, 9)
"""x, y, z."""


def turned(values: np.ndarray) -> np.ndarray:
    """Return values (x, y, z), x towards the right and y to the front, as (Z, Y, X) of a volume."""
    return np.array(
        [[[values[5 - x, 4 - y, z] for x in range(6)] for y in range(5)] for z in range(values.shape[2])]
    )


def numbers() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint8)


def test_a_mask_gives_the_structures_that_the_table_beside_it_names(tmp_path):
    hu = np.random.default_rng(1).normal(0, 300, SHAPE).round()
    nifti(tmp_path / "a" / "ct.nii.gz", hu)
    nifti(tmp_path / "a" / "labels.nii.gz", numbers())
    (tmp_path / "a" / "names.csv").write_text("value,name,voxels\n1,Kidney Right,9\n3,hip_left,5\n")
    data, names = read(tmp_path)
    (volume,) = data.volumes
    assert np.array_equal(volume.values, turned(hu))
    assert (volume.modality, volume.spacing_mm) == ("CT", (5.0, 2.0, 1.5))
    expected = np.full(turned(hu).shape, UNLABELLED)
    expected[turned(numbers()) == 1] = names.index("kidney_right")
    expected[turned(numbers()) == 3] = names.index("hip_left")
    assert np.array_equal(volume.labels, expected)
    assert {REGIONS[region] for region in volume.regions} == {"PELVIS"}
    assert data.left_out.lines() == []


@pytest.mark.parametrize("name", ["Background", "nothing"])
def test_a_table_may_say_that_0_is_nothing_and_not_merely_not_drawn(name, tmp_path):
    nifti(tmp_path / "ct.nii", np.zeros(SHAPE, np.int16))
    nifti(tmp_path / "seg.nii", numbers())
    (tmp_path / "names.csv").write_text(f"id,structure\n0,{name}\n1,liver\n")
    data, names = read(tmp_path)
    labels = data.volumes[0].labels
    assert names == ["liver"]
    assert np.array_equal(labels == NO_STRUCTURE, turned(numbers()) == 0)
    assert np.array_equal(labels == UNLABELLED, turned(numbers()) > 1)


def test_a_folder_of_masks_names_its_structures_by_its_files(tmp_path):
    nifti(tmp_path / "s1" / "ct.nii.gz", np.zeros(SHAPE, np.int16))
    for number, name in ((1, "liver"), (2, "kidney_left")):
        nifti(tmp_path / "s1" / "segmentations" / f"{name}.nii.gz", (numbers() == number).astype(np.uint8))
    data, names = read(tmp_path)
    assert sorted(names) == ["kidney_left", "liver"]
    labels = data.volumes[0].labels
    assert np.array_equal(labels == names.index("liver"), turned(numbers()) == 1)
    assert np.array_equal(labels == names.index("kidney_left"), turned(numbers()) == 2)
    assert (labels[turned(numbers()) == 0] == UNLABELLED).all()


def test_masks_belong_to_the_image_of_their_name_or_to_the_only_one(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    files = [a / "x_ct.nii", a / "x_seg.nii", a / "y_ct.nii", a / "y_labels.nii.gz", a / "z_mask.nii"]
    scans, alone = pair_up([*files, b / "volume_ct.nii", b / "lesion_mask.nii"])
    paired = {scan.image.name: [mask.path.name for mask in scan.masks] for scan in scans}
    assert paired == {
        "x_ct.nii": ["x_seg.nii"],
        "y_ct.nii": ["y_labels.nii.gz"],
        "volume_ct.nii": ["lesion_mask.nii"],
    }
    assert alone == [a / "z_mask.nii"]


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("p/ct.nii.gz", "CT"),
        ("p/brain_MRI_t1.nii", "MR"),
        ("ct/007.nii", "CT"),
        ("p/ct_mr.nii", None),
        ("p/active.nii", None),
    ],
)
def test_the_modality_is_a_word_in_the_name(name, modality):
    assert modality_of(Path(name)) == modality


def test_a_table_says_the_modality_where_no_name_does(tmp_path):
    nifti(tmp_path / "P1" / "scan.nii", np.linspace(0, 1, 6 * 5 * 9).reshape(SHAPE))
    (tmp_path / "people.csv").write_text("person,collection,licence,modality\nP1,C,CC BY 4.0,MR\n")
    (volume,) = read(tmp_path)[0].volumes
    assert volume.modality == "MR"
    assert (volume.values.min(), volume.values.max()) == (0, 4095)


def test_what_cannot_be_used_is_counted_by_its_reason(tmp_path):
    good = np.zeros(SHAPE, np.int16)
    nifti(tmp_path / "1" / "scan.nii", good)
    nifti(tmp_path / "2" / "ct.nii", good[..., :7])
    nifti(tmp_path / "3" / "ct.nii", good, (1.0, 1.0, 12.5))
    nifti(tmp_path / "4" / "ct.nii", np.zeros((4, 4, 9, 2), np.int16))
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "ct.nii.gz").write_bytes(b"\x1f\x8b no NIfTI")
    nifti(tmp_path / "6" / "ct.nii", good)
    nifti(tmp_path / "6" / "mask.nii", np.ones((6, 5, 8), np.uint8))
    nifti(tmp_path / "7" / "ct.nii", good)
    nifti(tmp_path / "7" / "mask.nii", numbers())
    nifti(tmp_path / "8" / "mask.nii", numbers())
    data, _ = read(tmp_path)
    assert [volume.labels for volume in data.volumes] == [None, None]
    assert sorted(data.left_out.lines()) == [
        "1 masks left out: no image of this name lies beside them",
        "1 volumes left out: The file cannot be read as NIfTI.",
        "1 volumes left out: The file holds no volume of three dimensions.",
        "1 volumes left out: The slices are more than 12 mm apart.",
        "1 volumes left out: The volume has fewer than 8 slices.",
        '1 volumes left out: neither "ct" nor "mr" in the name of the file',
        "2 masks left out: on another grid than their image, or without names",
    ]
