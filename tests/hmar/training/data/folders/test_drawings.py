"""Contours, segmentations, masks and boxes, on the pixels that they mean."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from PIL import Image

from hmar.training.data.structures import UNLABELLED
from tests.hmar.training.data.folders.made import (
    COLUMNS,
    ROWS,
    ct_series,
    ct_slice,
    read,
    segmentation,
    sop_uid,
    structure_set,
)
from tests.hmar.training.data.folders.test_contours import inside

SLICES = 8
RING = [[(4.2, 3.1), (20.7, 3.4), (19.9, 18.2), (5.5, 17.7)], [(8.3, 8.1), (13.4, 8.2), (12.8, 12.6)]]
BLOB = [[(21.3, 2.2), (29.1, 4.4), (25.0, 12.7)]]


def expected(polygons: list[list[tuple[float, float]]]) -> np.ndarray:
    arrays = [np.array(polygon) for polygon in polygons]
    return np.array([[inside(c, r, arrays) for c in range(COLUMNS)] for r in range(ROWS)])


@pytest.mark.parametrize("named", [True, False])
def test_contours_are_filled_on_the_slices_that_they_name_or_lie_in(named, tmp_path):
    ct_series(tmp_path / "ct", 1)
    structure_set(tmp_path / "contours", 1, {"Left Lung": {2: RING, 5: BLOB}, "GTV": {5: RING}}, named=named)
    data, names = read(tmp_path)
    (volume,) = data.volumes
    lung, tumour = names.index("lung_left"), names.index("gtv")
    assert np.array_equal(volume.labels[2] == lung, expected(RING))
    assert np.array_equal(volume.labels[5] == tumour, expected(RING) & ~expected(BLOB))
    assert np.array_equal(volume.labels[5] == lung, expected(BLOB))
    assert (volume.labels[[0, 1, 3, 4, 6, 7]] == UNLABELLED).all()
    assert set(np.unique(volume.labels)) == {UNLABELLED, lung, tumour}
    assert data.left_out.lines() == []


def test_contours_of_another_series_are_left_out_whatever_their_file_is_called(tmp_path):
    ct_series(tmp_path, 1)
    structure_set(tmp_path / "001.rtstruct.dcm", 2, {"Liver": {2: RING}})
    data, _ = read(tmp_path)
    assert data.volumes[0].labels is None
    assert data.left_out.lines() == ["2 contours left out: their images are not there"]


def test_outlines_of_the_body_and_of_the_table_are_no_structures(tmp_path):
    ct_series(tmp_path, 1)
    rois = {"Outline": {2: RING}, "Table": {2: BLOB}, "BODY": {3: RING}, "Liver": {4: BLOB}}
    kinds = {"Outline": "EXTERNAL", "Table": "SUPPORT"}
    structure_set(tmp_path / "rt.dcm", 1, rois, kinds=kinds)
    data, names = read(tmp_path)
    assert names == ["liver"]
    assert np.array_equal(data.volumes[0].labels[4] == 0, expected(BLOB))


def masks(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.random((ROWS, COLUMNS)) < 0.3 for _ in range(count)]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("fractional", [True, False])
def test_segments_are_drawn_on_the_slices_that_they_name_or_lie_in(named, fractional, tmp_path):
    ct_series(tmp_path, 1)
    liver, other, spleen = masks(3)
    frames = [("Liver", 1, liver), ("Liver", 6, other), ("Spleen", 3, spleen)]
    segmentation(tmp_path / "seg.dcm", 1, frames, named=named, fractional=fractional)
    data, names = read(tmp_path)
    (volume,) = data.volumes
    for name, number, mask in frames:
        assert np.array_equal(volume.labels[number] == names.index(name.lower()), mask)
        assert (volume.labels[number][~mask] == UNLABELLED).all()


def test_frames_that_do_not_end_on_a_byte_follow_one_another_without_a_gap(tmp_path):
    for number in range(SLICES):
        ct_slice(tmp_path / str(number), 1, number, Rows=3, Columns=5, PixelData=bytes(30))
    rng = np.random.default_rng(2)
    frames = [("liver", number, rng.random((3, 5)) < 0.5) for number in range(SLICES)]
    segmentation(tmp_path / "seg.dcm", 1, frames)
    data, _ = read(tmp_path)
    for _, number, mask in frames:
        assert np.array_equal(data.volumes[0].labels[number] == 0, mask)


@pytest.mark.parametrize("of_size", [(ROWS, COLUMNS), (ROWS // 2, COLUMNS // 2)])
def test_a_segmentation_on_another_grid_is_left_out(of_size, tmp_path):
    ct_series(tmp_path, 1)
    shift = 9.0 if of_size == (ROWS, COLUMNS) else 0.0
    segmentation(tmp_path / "seg.dcm", 1, [("Liver", 1, np.ones(of_size, bool))], shift_mm=shift)
    data, _ = read(tmp_path)
    assert data.volumes[0].labels is None
    assert data.left_out.lines() == ["1 frames of segmentations left out: on another grid than their images"]


def test_segmentations_that_are_not_understood_stop_nothing(tmp_path):
    ct_series(tmp_path, 1)
    segmentation(tmp_path / "seg.dcm", 1, [("Liver", 1, masks(1)[0])], compressed=True)
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "001.dcm").read_bytes()[:700])
    data, _ = read(tmp_path)
    assert len(data.volumes) == 1
    assert data.left_out.lines() == ["2 files left out: damaged, or in a form that is not understood"]


def png(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values.astype(np.uint8)).save(path)


def test_a_png_beside_a_slice_is_its_mask_and_a_lesion_where_nothing_names_it(tmp_path):
    ct_series(tmp_path, 1)
    (mask,) = masks(1)
    png(tmp_path / "mask_003.png", 255 * mask)  # the third from the head
    png(tmp_path / "mask_009.png", 255 * mask)
    png(tmp_path / "mask_001.png", np.ones((3, 3)))
    data, names = read(tmp_path)
    assert names == ["lesion"]
    assert np.array_equal(data.volumes[0].labels[SLICES - 3] == 0, mask)
    assert (np.delete(data.volumes[0].labels, SLICES - 3, axis=0) == UNLABELLED).all()
    assert data.left_out.lines() == [
        "1 masks left out: no image of this name lies beside them",
        "1 masks left out: not of the size of their image",
    ]


def test_grey_values_of_a_mask_are_the_structures_that_a_table_names(tmp_path):
    ct_series(tmp_path / "ct", 1)
    (tmp_path / "names.csv").write_text("number,name\n7,Kidney L\n200,Tumour\n")
    values = np.zeros((ROWS, COLUMNS))
    values[2:5, 2:5], values[9:12, 4:9], values[20:, 20:] = 7, 200, 99
    png(tmp_path / "ct" / "001_mask.png", values)
    data, names = read(tmp_path)
    labels = data.volumes[0].labels[SLICES - 1]
    assert np.array_equal(labels == names.index("kidney_left"), values == 7)
    assert np.array_equal(labels == names.index("tumour"), values == 200)
    assert (labels[20:, 20:] == UNLABELLED).all()


BOXES = "person,sop_instance_uid,file,x,y,width,height,label,source\n"


def test_boxes_are_found_by_uid_and_by_path(tmp_path):
    ct_series(tmp_path / "ct", 1)
    rows = [
        f"p,{sop_uid(1, 4)},gone.dcm,3,4,9,6,lung tumour,x",
        "p,,ct/001.dcm,10.5,2,4,4,,x",
        "p,,ct/009.dcm,1,1,1,1,,x",
        "p,,ct/001.dcm,a,1,1,1,,x",
        "p,,ct/001.dcm,1,1,0,1,,x",
        "p,,ct/001.dcm,400,1,5,1,,x",
    ]
    (tmp_path / "boxes.csv").write_text(BOXES + "\n".join(rows))
    data, names = read(tmp_path)
    labels = data.volumes[0].labels
    assert names == ["lung_tumour", "lesion"] or names == ["lesion", "lung_tumour"]
    tumour = labels[4] == names.index("lung_tumour")
    assert tumour[7, 7]
    assert not tumour[4, 3]  # the corner of the box
    assert np.flatnonzero(tumour.any(axis=1)).tolist() == [4, 5, 6, 7, 8, 9]
    assert np.flatnonzero(tumour.any(axis=0)).tolist() == list(range(3, 12))
    assert (labels[SLICES - 1] == names.index("lesion")).any()
    assert data.left_out.lines() == [
        "1 rows of tables left out: a box outside its image",
        "1 rows of tables left out: a box whose sides are no numbers",
        "1 rows of tables left out: a box without area",
        "1 rows of tables left out: their image is not there",
    ]
