"""Whole folders: series, single images, labels, people, and what is left out."""

import hashlib
import json
import shutil

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from PIL import Image

from hmar.errors import NotFoundError
from hmar.training.config import PRESETS
from hmar.training.data.folders.people import numbered
from hmar.training.data.summary import Summary
from hmar.training.data.vocabulary import Vocabulary
from tests.hmar.training.data.folders.made import (
    PATIENT,
    ct_series,
    ct_slice,
    nifti,
    read,
    series_uid,
    sop_uid,
    structure_set,
)


def test_a_series_becomes_a_volume_wherever_its_files_lie(tmp_path):
    for number in range(8):
        ct_slice(tmp_path / f"{number % 3}" / "x" / f"{9 - number}", 1, number, BodyPartExamined="CHEST")
    data, _ = read(tmp_path)
    (volume,) = data.volumes
    assert volume.values[:, 0, 0].tolist() == list(range(8))
    assert volume.spacing_mm == (5.0, 2.0, 1.5)
    assert volume.labels is None
    assert volume.image_labels is None


def test_single_images_are_used_only_if_something_is_known_of_them(tmp_path):
    for number in range(3):
        ct_slice(tmp_path / f"{number}.dcm", 1, number, PixelSpacing=[4.0, 3.0])
    assert read(tmp_path)[0].volumes == []
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\n1.dcm,4,4,12,12\n")
    data, names = read(tmp_path)
    (volume,) = data.volumes
    assert names == ["lesion"]
    assert set(np.unique(volume.values)) == {1}
    # On the encoder's grid of 1.0 mm: rows are 4 mm high here, columns 3 mm wide.
    assert volume.spacing_mm == (1.0, 1.0, 1.0)
    assert volume.labels.shape == volume.values.shape == (1, 96, 96)
    rows, columns = np.nonzero(volume.labels[0] == 0)
    assert (rows.min(), rows.max() + 1) == pytest.approx((4 * 4.0, 16 * 4.0), abs=2)
    assert (columns.min(), columns.max() + 1) == pytest.approx((4 * 3.0, 16 * 3.0), abs=2)
    assert data.left_out.lines() == []


def test_a_series_of_which_nothing_is_known_says_why_it_is_no_volume(tmp_path):
    ct_series(tmp_path / "short", 1, slices=7)
    ct_series(tmp_path / "units", 2, RescaleType="OD")
    ct_series(tmp_path / "film", 3, Modality="DX")
    for number in range(8):
        ct_slice(tmp_path / "gap" / f"{number}", 4, number + 9 * (number > 3))
    assert sorted(read(tmp_path)[0].left_out.lines()) == [
        f"1 series left out: {reason}, and without label, box or mask"
        for reason in (
            "CT without Hounsfield units",
            "fewer than 8 slices with position and spacing",
            "neither CT nor MR",
            "slices are not evenly spaced along the body",
        )
    ]


def picture(path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 50), np.uint8)).save(path)


def test_labels_come_by_path_by_instance_and_by_series(tmp_path):
    ct_series(tmp_path / "a", 1)
    ct_series(tmp_path / "b", 2)
    picture(tmp_path / "c" / "1.png", 1)
    picture(tmp_path / "c" / "2.jpg", 2)
    rows = [
        f",{series_uid(1)},sick",
        f",{sop_uid(2, 3)},well",
        "c/1.png,,sick",
        "c/2.jpg,,well",
        "c/3.png,,x",
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["path,uid,label", *rows, "c/1.png,,well"]))
    labels = Vocabulary()
    data, _ = read(tmp_path, labels=labels)
    sick, well = labels.names.index("sick"), labels.names.index("well")
    assert [volume.image_labels.tolist() for volume in data.volumes] == [
        [sick] * 8,
        [-1, -1, -1, well, -1, -1, -1, -1],
        [sick],
        [well],
    ]
    assert data.left_out.lines() == [
        "1 rows of tables left out: another label than that of a row before",
        "1 rows of tables left out: their image is not there",
    ]


@pytest.mark.parametrize(
    ("labels", "learnt", "why"),
    [
        (("a", "a"), True, "all have the same label"),
        (("a", "b"), False, "these settings do not learn labels"),
    ],
)
def test_labels_that_teach_nothing_make_no_volume(labels, learnt, why, tmp_path):
    for number, label in enumerate(labels):
        picture(tmp_path / f"{number}.png", number)
        with (tmp_path / "labels.csv").open("a") as table:
            table.write(f"file,label\n{number}.png,{label}\n" if number == 0 else f"{number}.png,{label}\n")
    data, _ = read(tmp_path, learns_labels=learnt)
    assert data.volumes == []
    assert f"2 labels of images left out: {why}" in data.left_out.lines()


def test_all_series_of_a_patient_are_one_patient_and_no_id_is_kept(tmp_path):
    ct_series(tmp_path / "a", 1)
    ct_series(tmp_path / "b", 2)
    ct_series(tmp_path / "c", 3, patient="another")
    ct_series(tmp_path / "d", 4, patient="", study="1.2.3")
    ct_series(tmp_path / "e", 5, patient="", study="1.2.3")
    nifti(tmp_path / PATIENT / "ct.nii", np.zeros((4, 4, 8), np.int16))
    nifti(tmp_path / "f" / "ct.nii", np.zeros((4, 4, 8), np.int16))
    nifti(tmp_path / "f" / "mr.nii", np.zeros((4, 4, 8), np.int16))
    (tmp_path / "people.csv").write_text(f"person,collection,licence\n{PATIENT},C,CC BY 4.0\n")
    data, _ = read(tmp_path)
    volumes = numbered(data.volumes)
    of = [volume.patient for volume in volumes]
    scan, f_ct, f_mr, a, b, _, d, e = of
    assert scan == a == b
    assert f_ct == f_mr
    assert d == e
    assert len(set(of)) == 4
    assert of[0] == "patient 000001"
    everything = repr(volumes) + data.manifest.to_json().decode() + data.manifest.card()
    assert PATIENT not in everything + "".join(data.left_out.lines())
    assert "Mustermann" not in everything


def test_a_table_says_who_is_on_pictures_and_on_files_without_patient(tmp_path):
    for number in range(4):
        picture(tmp_path / f"{number}.png", number)
    ct_series(tmp_path / "ct", 1, patient="p1")
    rows = ["0.png,a,p1", "1.png,b,p1", "2.png,a,", "3.png,b,"]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,patient", *rows]))
    volumes = sorted(read(tmp_path)[0].volumes, key=lambda volume: len(volume.values) == 1)
    series, *pictures = [volume.patient for volume in volumes]
    assert series == pictures[0] == pictures[1]
    assert len(pictures) == 4
    assert len({series, *pictures}) == 3


def test_an_id_of_a_table_with_its_issuer_is_that_of_headers_with_the_issuer(tmp_path):
    for number in range(2):
        picture(tmp_path / f"{number}.png", number)
    ct_series(tmp_path / "ct", 1, patient="p1", IssuerOfPatientID="site")
    (tmp_path / "labels.csv").write_text("path,label,patient,issuer\n0.png,a,p1,site\n1.png,b,p1,\n")
    (tmp_path / "people.csv").write_text("person,collection,licence\np1,films,CC0\n")
    data, _ = read(tmp_path)
    volumes = sorted(data.volumes, key=lambda volume: len(volume.values) == 1)
    series, with_issuer, without = [volume.patient for volume in volumes]
    assert series == with_issuer != without
    assert {each.name: len(people) for each, people in data.manifest.people.items()} == {"films": 2}


def test_a_table_that_names_the_patient_of_one_series_names_that_of_the_others(tmp_path):
    for series in (1, 2, 3):
        ct_series(
            tmp_path / f"{series}", series, patient="X" if series < 3 else "Y", IssuerOfPatientID="site"
        )
    (tmp_path / "labels.csv").write_text(f"uid,patient\n{series_uid(1)},P7\n")
    first, second, third = (volume.patient for volume in read(tmp_path)[0].volumes)
    assert first == second != third


def test_a_patient_id_that_several_people_have_tells_nobody_apart_where_a_table_does(tmp_path):
    for series in (1, 2):
        ct_series(tmp_path / f"{series}", series, patient="ANON")
    (tmp_path / "labels.csv").write_text(f"uid,patient\n{series_uid(1)},P7\n{series_uid(2)},P8\n")
    assert len({volume.patient for volume in read(tmp_path)[0].volumes}) == 2


def test_an_image_that_is_there_twice_is_used_once(tmp_path):
    ct_series(tmp_path / "a", 1)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    data, _ = read(tmp_path)
    assert [len(volume.values) for volume in data.volumes] == [8]
    assert data.left_out.lines() == ["8 images left out: copies of others, by their UID"]


def test_files_of_other_kinds_and_hidden_ones_stop_nothing(tmp_path):
    ct_series(tmp_path, 1)
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "empty").touch()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "big.png").write_bytes(bytes((1 << 24) + 1))
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    structure_set(tmp_path / "plan.dcm", 1, {}, SOPClassUID="1.2.840.10008.5.1.4.1.1.481.5")
    data, _ = read(tmp_path)
    assert len(data.volumes) == 1
    assert data.left_out.lines() == [
        "2 files left out: neither an image nor a table",
        "1 files left out: DICOM objects without an image",
        "1 files left out: damaged, or in a form that is not understood",
        "1 files left out: larger than HMAR_MAX_FILE_BYTES or HMAR_MAX_PIXELS allows",
        "1 tables left out: columns of no known kind of table",
        "1 tables left out: not a table in UTF-8",
    ]


def test_tables_and_folders_are_found_however_their_paths_are_written(tmp_path):
    for number in range(2):
        picture(tmp_path / "a" / "b" / f"{number}.png", number)
    (tmp_path / "a" / "labels.csv").write_text("path,label\n./b/0.png,x\nb/../b/1.png,y\n")
    data, _ = read(tmp_path / "a" / "b" / "..", tmp_path / "a")
    assert len(data.volumes) == 2
    assert data.left_out.lines() == []


def test_links_are_followed_and_lead_nowhere_twice(tmp_path):
    ct_series(tmp_path / "elsewhere" / "a", 1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "link-2").symlink_to(tmp_path / "elsewhere" / "a")
    data, _ = read(tmp_path / "data")
    assert [len(volume.values) for volume in data.volumes] == [8]
    assert data.left_out.lines() == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(NotFoundError, match="no folder"):
        read(tmp_path / "gone")


def test_the_manifest_lists_every_file_that_was_used_by_collection_and_none_by_name(tmp_path):
    ct_series(tmp_path / "one", 1, patient="p1")
    ct_series(tmp_path / "two", 2, patient="p2")
    ct_series(tmp_path / "three", 3, patient="p3", slices=5)  # not used
    structure_set(tmp_path / "rt.dcm", 1, {"Liver": {2: [[(2, 2), (9, 2), (9, 9)]]}})
    (tmp_path / "people.csv").write_text(
        f"PatientID,collection_id,SeriesInstanceUID,license_short_name,source_DOI\n"
        f"p1,coll|one,{series_uid(1)},CC BY 4.0,10.1/x\n"
    )
    data, _ = read(tmp_path)
    manifest = json.loads(data.manifest.to_json())
    named, unnamed = manifest["collections"]
    assert (named["collection"], named["licence"], named["doi"], named["people"]) == (
        "coll|one",
        "CC BY 4.0",
        "10.1/x",
        1,
    )
    used = [*(tmp_path / "one").iterdir(), tmp_path / "rt.dcm"]
    expected = {(hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_size) for p in used}
    assert {(file["sha256"], file["bytes"]) for file in named["files"]} == expected
    assert (unnamed["licence"], len(unnamed["files"])) == (None, 8)
    assert len(manifest["tables"]) == 1
    card = data.manifest.card()
    assert "| coll/one | 1 | 9 | CC BY 4.0 | 10.1/x |" in card
    assert "| not named | 1 | 8 | unknown | - |" in card
    assert hashlib.sha256(data.manifest.to_json()).hexdigest() in card
    assert "**Not for distribution:** the licence of 8 of these files is unknown" in card
    shutil.rmtree(tmp_path / "two")
    assert "Not for distribution" not in read(tmp_path)[0].manifest.card()


def test_the_manifest_of_the_same_files_is_the_same_wherever_they_lie(tmp_path):
    ct_series(tmp_path / "a", 1)
    before = read(tmp_path)[0].manifest.to_json()
    (tmp_path / "moved").mkdir()
    (tmp_path / "a").rename(tmp_path / "moved" / "elsewhere")
    assert read(tmp_path / "moved")[0].manifest.to_json() == before


def test_a_summary_counts_what_volumes_hold(tmp_path):
    ct_series(tmp_path / "a", 1)
    structure_set(
        tmp_path / "rt.dcm", 1, {"Liver": {2: [[(2, 2), (9, 2), (9, 9)]], 3: [[(2, 2), (9, 2), (9, 9)]]}}
    )
    rows = []
    for number in range(18):
        picture(tmp_path / f"{number}.png", number)
        rows.append(f"{number}.png,{'ab'[number % 2]},person {number}")
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,patient", *rows]))
    data, _ = read(tmp_path)
    summary = Summary.of(data.volumes, PRESETS["archive"])
    assert summary == Summary(
        scans=1,
        slices=8,
        images=18,
        people=19,
        structures=1,
        labelled_slices=2,
        labels=2,
        labelled_images=18,
        held_out=2,
    )
    assert Summary.of(data.volumes, PRESETS["open-ct"]).held_out == 0
    assert summary.lines()[0] == "8 slices of 1 volumes, 18 single images, of 19 people"
