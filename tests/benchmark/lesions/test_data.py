import numpy as np
import pytest
from PIL import Image

from benchmark.lesions.data import folders_digest, read_lesions
from hmar.errors import DecodeError, NotFoundError
from tests.benchmark.lesions.folders import lesion_mask, write_boxes, write_people, write_person
from tests.phantoms import PATIENT_ID, PATIENT_NAME, SIDE

pytestmark = pytest.mark.slow


def quiet(what, done, total):
    assert 0 < done <= total


def test_masks_are_read_and_slices_numbered_from_feet_to_head(tmp_path):
    write_person(tmp_path, "a", 1, slices=3)
    read = read_lesions([tmp_path], quiet)
    assert [(one.person, one.place) for one in read] == [("a", 0), ("a", 1), ("a", 2)]
    heights = [one.frame.info.position[2] for one in read]
    assert heights == sorted(heights) == [-15.0, -10.0, -5.0]
    assert read[0].lesion is None  # the last file, nearest to the feet, has no mask
    for one in read[1:]:
        np.testing.assert_array_equal(one.lesion, lesion_mask())
    assert {(one.modality, one.kind) for one in read} == {("CT", "chest")}


def test_series_of_one_person_are_numbered_apart(tmp_path):
    write_person(tmp_path, "a", 1, slices=2)
    write_person(tmp_path, "a", 2, slices=3, modality="MR", first=100)
    read = read_lesions([tmp_path], quiet)
    assert [(one.modality, one.place) for one in read] == [
        ("CT", 0),
        ("CT", 1),
        *(("MR", n) for n in range(3)),
    ]


def test_a_box_is_a_lesion_and_the_other_slices_of_the_folder_have_none(tmp_path):
    write_person(tmp_path / "volumes", "a", 1, slices=3)
    for mask in (tmp_path / "volumes" / "a").glob("mask_*"):
        mask.unlink()
    write_boxes(tmp_path, [("volumes/a/001.dcm", 100.5, 80.0, 4.0, 2.0, "lung tumour")])
    read = read_lesions([tmp_path], quiet)
    assert [one.lesion is None for one in read] == [True, False, True]
    expected = np.zeros((SIDE, SIDE), bool)
    expected[80:82, 100:104] = True  # pixels whose centres lie in the box
    np.testing.assert_array_equal(read[1].lesion, expected)
    assert (read[1].person, read[1].kind) == ("a", "lung tumour")


def test_an_empty_mask_is_no_lesion(tmp_path):
    write_person(tmp_path, "a", 1, slices=3)
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(tmp_path / "a" / "mask_000.png")
    assert [one.lesion is None for one in read_lesions([tmp_path], quiet)] == [True, False, True]


def test_what_cannot_be_read_is_named_without_the_patient(tmp_path):
    folder = write_people(tmp_path / "size", ("a",))
    Image.fromarray(np.ones((5, 6), np.uint8)).save(folder / "a" / "mask_000.png")
    with pytest.raises(
        DecodeError, match=r"mask_000\.png has shape \(5, 6\), its slice \(192, 192\)"
    ) as caught:
        read_lesions([folder], quiet)
    assert PATIENT_ID not in str(caught.value)
    assert PATIENT_NAME not in str(caught.value)
    folder = write_people(tmp_path / "png", ("a",))
    (folder / "a" / "mask_000.png").write_bytes(b"no picture")
    with pytest.raises(DecodeError, match=r"mask_000\.png is no PNG"):
        read_lesions([folder], quiet)
    for name in ("nowhere", "png/a"):
        with pytest.raises(NotFoundError, match="holds no lesion"):
            read_lesions([tmp_path / name], quiet)


def test_a_table_that_is_none_or_names_no_file_is_refused(tmp_path):
    write_boxes(tmp_path, [("a/000.dcm", 1, 2, 3, 4, "x")])
    with pytest.raises(NotFoundError, match="names a file that is not there"):
        read_lesions([tmp_path], quiet)
    for rows, header in (
        ([("a", 1, 2, 3)], "file,x,y,width"),
        ([("a", 1, "?", 3, 4)], "file,x,y,width,height"),
    ):
        write_boxes(tmp_path, rows, header)
        with pytest.raises(DecodeError, match="is no table of boxes"):
            read_lesions([tmp_path], quiet)


def test_the_digest_follows_names_and_contents_of_slices_masks_and_tables(tmp_path):
    folder = write_people(tmp_path, ("a",))
    digests = [folders_digest([folder])]
    assert folders_digest([folder]) == digests[0]
    (folder / "a" / "000.dcm").rename(folder / "a" / "009.dcm")
    digests.append(folders_digest([folder]))
    (folder / "a" / "mask_001.png").unlink()
    digests.append(folders_digest([folder]))
    write_boxes(folder, [("a/001.dcm", 1, 2, 3, 4, "x")])
    digests.append(folders_digest([folder]))
    assert len(set(digests)) == 4
