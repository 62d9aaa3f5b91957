import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import DATASETS, load_dataset, read_image
from benchmark.datasets.aliases import CT_PATTERNS, plain_pathology
from hmar.errors import ConfigError, DecodeError, ParameterError
from hmar.values.frames import Units
from tests.benchmark.datasets.trees import (
    CT16,
    SIDES,
    dicom,
    picture,
    radimagenet_tree,
    write_list,
    write_lists,
)
from tests.phantoms import PATIENT_ID, series_uid

TWO = ("CT/abd/normal", "MR/brain/normal")


def lines(dataset, word):
    return [line for line in dataset.problems if word in line]


@pytest.fixture(scope="module")
def ct16(tmp_path_factory):
    root = tmp_path_factory.mktemp("ct16")
    radimagenet_tree(root, [*CT16, "MR/abd/liver_lesion", "CT/lung/parenchyma_destruction"])
    return root


# RadImageNet


@pytest.mark.parametrize("name", ["radimagenet-ct", "radioimagenet-ct"])
def test_the_16_ct_patterns_are_found_under_every_spelling_and_nothing_else_is(ct16, name):
    dataset = load_dataset(name, ct16)
    assert dataset.name == "radimagenet-ct"
    assert dataset.classes == tuple(sorted(CT16.values())) == tuple(sorted(CT_PATTERNS))
    assert not lines(dataset, "missing")
    for side in SIDES:
        assert {image.path.relative_to(ct16).as_posix(): image.label for image in dataset.of(side)} == {
            f"radiology_ai/{folder}/{side}000000.png": label for folder, label in CT16.items()
        }


def test_absent_patterns_are_named_and_the_rest_goes_on(tmp_path):
    radimagenet_tree(tmp_path, list(CT16)[:14])
    dataset = load_dataset("radimagenet-ct", tmp_path)
    assert len(dataset.classes) == 14
    assert lines(dataset, "missing") == ["2 of the 16 CT patterns missing: interstitial_lung_disease, nodule"]


def test_images_of_the_layout_without_any_pattern_are_refused_as_radimagenet_ct(tmp_path):
    radimagenet_tree(tmp_path, ["CT/head/normal", "MR/abd/normal"])
    with pytest.raises(ConfigError, match="none of the 16 CT patterns"):
        load_dataset("radimagenet-ct", tmp_path)
    assert load_dataset("radimagenet", tmp_path).classes == ("ct/head/normal", "mr/abd/normal")


def test_classes_of_any_modality_come_from_the_paths(ct16):
    dataset = load_dataset("radimagenet", ct16)
    assert {"ct/abd/liver_lesion", "mr/abd/liver_lesion", "ct/lung/normal"} < set(dataset.classes)
    assert len(dataset.classes) == 18
    image = next(image for image in dataset.images if image.label == "ct/abd/liver_lesion")
    assert (image.modality, image.region, image.path.is_absolute()) == ("CT", "abd", True)


@pytest.mark.parametrize(
    ("folder", "plain"),
    [
        ("abd-Normal_CT", "normal"),
        ("liver_disease_", "liver_disease"),
        ("lung-Airspace Opacity", "airspace_opacity"),
        ("_NODULE__ct__", "nodule"),
        ("act", "act"),
    ],
)
def test_a_pathology_has_one_plain_form(folder, plain):
    assert plain_pathology(folder, "lung", "CT") == plain
    assert plain_pathology(plain, "lung", "CT") == plain


def test_the_root_may_be_the_folder_of_the_images_and_the_lists_may_lie_in_it(tmp_path):
    radimagenet_tree(tmp_path, TWO)
    outside = load_dataset("radimagenet", tmp_path)
    assert load_dataset("radimagenet", tmp_path / "radiology_ai") == outside
    for side in SIDES:
        (tmp_path / f"RadiologyAI_{side}.csv").rename(tmp_path / f"radiology_ai/RadiologyAI_{side}.csv")
    assert load_dataset("radimagenet", tmp_path / "radiology_ai") == outside
    assert load_dataset("radimagenet", tmp_path) == outside


@pytest.mark.parametrize("side", SIDES)
def test_a_missing_list_stops_with_its_name(tmp_path, side):
    radimagenet_tree(tmp_path, TWO)
    (tmp_path / f"RadiologyAI_{side}.csv").unlink()
    with pytest.raises(ConfigError, match=f"RadiologyAI_{side}.csv is missing. Put"):
        load_dataset("radimagenet", tmp_path)


def test_a_list_without_its_column_or_not_in_utf8_stops_with_its_name(tmp_path):
    radimagenet_tree(tmp_path, TWO)
    write_list(tmp_path / "RadiologyAI_val.csv", "file,label", [])
    with pytest.raises(ConfigError, match=r"RadiologyAI_val.csv has no column filename"):
        load_dataset("radimagenet", tmp_path)
    (tmp_path / "RadiologyAI_val.csv").write_bytes(b"filename,label\n\xff\xfe,x\n")
    with pytest.raises(ConfigError, match=r"RadiologyAI_val.csv cannot be read"):
        load_dataset("radimagenet", tmp_path)


def test_a_root_without_the_images_folder_stops(tmp_path):
    with pytest.raises(ConfigError, match="holds no folder radiology_ai"):
        load_dataset("radimagenet", tmp_path)


def test_listed_but_absent_images_are_one_line_and_the_rest_goes_on(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO, per_side=3)
    for name in listed["train"][:4]:
        (tmp_path / name).unlink()
    dataset = load_dataset("radimagenet", tmp_path)
    (line,) = lines(dataset, "absent")
    assert line == f"4 listed images absent, left out: {', '.join(listed['train'][:3])} and 1 more"
    assert len(dataset.images) == 14


def test_a_class_with_a_single_image_is_left_out_with_a_line(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO)
    alone = "radiology_ai/US/thyroid/nodule/1.png"
    picture(tmp_path / alone, 1)
    write_lists(tmp_path, "test", [*listed["test"], alone])
    dataset = load_dataset("radimagenet", tmp_path)
    assert dataset.classes == ("ct/abd/normal", "mr/brain/normal")
    assert lines(dataset, "single") == ["1 class with a single image, left out: us/thyroid/nodule"]


def test_a_class_that_one_side_lacks_stays_with_a_line(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO)
    extra = [f"radiology_ai/CT/lung/nodule/{number}.png" for number in range(2)]
    for number, name in enumerate(extra):
        picture(tmp_path / name, number)
    write_lists(tmp_path, "test", [*listed["test"], *extra])
    dataset = load_dataset("radimagenet", tmp_path)
    assert "ct/lung/nodule" in dataset.classes
    assert lines(dataset, "without an image") == [
        "1 class without an image in train, their queries find nothing: ct/lung/nodule"
    ]


def test_a_broken_png_is_no_matter_of_the_loader_and_a_decode_error_when_read(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO)
    broken = tmp_path / listed["train"][0]
    broken.write_bytes(broken.read_bytes()[:60])
    dataset = load_dataset("radimagenet", tmp_path)
    assert broken in {image.path for image in dataset.images}
    with pytest.raises(DecodeError, match="not a complete PNG"):
        read_image(broken)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "radiology_ai/../../CT/abd/normal/1.png",
        "../CT/abd/normal/1.png",
        "C:/CT/abd/normal/1.png",
        "radiology_ai/CT/normal/1.png",
        "x",
    ],
)
def test_a_path_that_leads_out_or_has_another_form_is_left_out_with_a_line(tmp_path, path):
    listed = radimagenet_tree(tmp_path, TWO)
    write_lists(tmp_path, "train", [*listed["train"], path])
    dataset = load_dataset("radimagenet", tmp_path)
    assert len(dataset.images) == 6
    assert lines(dataset, "not of the form")[0].endswith(f"left out: {path}")


def test_groups_beside_the_lists_are_used_and_images_not_in_it_are_their_own(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO, per_side=3)
    rows = [f"{name},g {side}" for side in SIDES for name in listed[side][:2]]
    write_list(tmp_path / "groups.csv", "filename,group", rows)
    dataset = load_dataset("radimagenet", tmp_path)
    assert Counter(Counter(image.group for image in dataset.images).values()) == {2: 3, 1: 12}
    assert lines(dataset, "groups.csv") == [
        "12 images not in groups.csv, each a group of its own: 4 in train, 4 in val, 4 in test"
    ]


def test_without_groups_every_image_is_its_own_and_a_line_says_so(tmp_path):
    radimagenet_tree(tmp_path, TWO)
    dataset = load_dataset("radimagenet", tmp_path)
    assert len({image.group for image in dataset.images}) == len(dataset.images)
    assert len(lines(dataset, "no groups.csv")) == 1


def test_a_group_on_two_sides_stays_where_most_of_it_lies(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO, per_side=3)
    rows = [f"{name},one patient" for name in [*listed["train"][:1], *listed["test"][:2]]]
    write_list(tmp_path / "groups.csv", "filename,group", rows)
    dataset = load_dataset("radimagenet", tmp_path)
    assert {image.split for image in dataset.images if image.group == "one patient"} == {"test"}
    assert len(dataset.images) == 17
    assert len(lines(dataset, "1 group in more than one split")) == 1


def test_an_image_on_two_lists_counts_on_the_first(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO)
    write_lists(tmp_path, "test", [*listed["test"], listed["train"][0], f"./{listed['train'][1]}"])
    dataset = load_dataset("radimagenet", tmp_path)
    assert len(dataset.of("train")) == len(dataset.of("test")) == 2
    assert lines(dataset, "repeat") == ["2 repeated lines left out"]


def test_a_side_without_images_stops_and_says_what_was_left_out(tmp_path):
    listed = radimagenet_tree(tmp_path, TWO)
    for name in listed["val"]:
        (tmp_path / name).unlink()
    with pytest.raises(ConfigError, match=r"split val of .*2 listed images absent"):
        load_dataset("radimagenet", tmp_path)


# A folder for each class


@pytest.mark.parametrize("suffix", ["png", "JPG", "jpeg"])
def test_a_folder_for_each_class_is_drawn_into_three_sides(tmp_path, suffix):
    for label in ("a", "b"):
        for number in range(10):
            picture(tmp_path / label / f"{number}.{suffix}", 10 * "ab".index(label) + number)
    (tmp_path / "odd.png").write_text("x")
    (tmp_path / "Mustermann^Erika.txt").write_text("x")
    (tmp_path / "a" / ".hidden.png").write_text("x")
    dataset = load_dataset("folder", tmp_path)
    assert dataset.classes == ("a", "b")
    assert Counter((image.label, image.split) for image in dataset.images) == {
        (label, side): number for label in "ab" for side, number in zip(SIDES, (7, 1, 2), strict=True)
    }
    assert lines(dataset, "chains of near-duplicates stand for patients")
    assert lines(dataset, "left out") == [
        "2 files other than PNG, JPEG or .dcm in a class, left out: odd.png and 1 more"
    ]
    assert load_dataset("folder", tmp_path) == dataset


def test_sides_above_the_classes_are_taken_as_they_are(tmp_path):
    for side in ("train", "validation", "Test"):
        for label in ("a", "b"):
            picture(tmp_path / side / label / "1.png", 0)
    dataset = load_dataset("folder", tmp_path)
    assert {(image.path.parts[-3], image.split) for image in dataset.images} == {
        ("train", "train"),
        ("validation", "val"),
        ("Test", "test"),
    }
    assert dataset.classes == ("a", "b")


def test_some_sides_without_the_others_stop(tmp_path):
    picture(tmp_path / "train" / "a" / "1.png", 0)
    with pytest.raises(ConfigError, match="none for val nor for test"):
        load_dataset("folder", tmp_path)


# A manifest


def manifest(root: Path, header: str, rows: list[str]) -> None:
    for row in rows:
        name = row.split(",")[0]
        if not name.startswith(("/", "..")):
            picture(root / name, len(row))
    write_list(root / "manifest.csv", header, rows)


def test_a_manifest_gives_groups_and_sides(tmp_path):
    rows = [f"i/{side}{n}.png,{'ab'[n % 2]},p{side},{side}" for side in SIDES for n in range(2)]
    manifest(tmp_path, "Path, Label, group, split", rows)
    dataset = load_dataset("manifest", tmp_path)
    assert dataset.problems == ()
    assert {(image.group, image.split) for image in dataset.images} == {(f"p{s}", s) for s in SIDES}
    assert load_dataset("manifest", tmp_path / "manifest.csv") == dataset


def test_a_manifest_without_sides_is_drawn_without_dividing_a_group(tmp_path):
    manifest(tmp_path, "path,label,group", [f"{n}.png,{'ab'[n % 2]},p{n // 4}" for n in range(40)])
    dataset = load_dataset("manifest", tmp_path)
    assert Counter(image.split for image in dataset.images) == {"train": 28, "test": 8, "val": 4}
    assert len({(image.group, image.split) for image in dataset.images}) == 10
    assert dataset.problems == ()


def near_copies(root: Path, label: str, patients: int, slices: int) -> None:
    """Write pictures of some patients, those of one patient alike but for a few pixels."""
    for patient in range(patients):
        picture(root / f"{label}{patient}-0.png", 100 * patient + ord(label))
        whole = np.array(Image.open(root / f"{label}{patient}-0.png"))
        for number in range(1, slices):
            whole[number, number] ^= 1
            Image.fromarray(whole).save(root / f"{label}{patient}-{number}.png")


def test_near_duplicates_stay_on_one_side_where_sides_are_drawn_and_no_groups_are_known(tmp_path):
    for label in "ab":
        (tmp_path / label).mkdir()
        near_copies(tmp_path / label, label, 6, 4)
    rows = [f"{path.parent.name}/{path.name},{path.parent.name}" for path in sorted(tmp_path.glob("?/*.png"))]
    write_list(tmp_path / "manifest.csv", "path,label", rows)
    for name in ("folder", "manifest"):
        shown: list[tuple[str, int, int]] = []
        dataset = load_dataset(name, tmp_path, lambda *told, shown=shown: shown.append(told))
        assert len({image.group for image in dataset.images}) == 12
        assert len({(image.path.name.split("-")[0], image.split) for image in dataset.images}) == 12
        (line,) = [line for line in dataset.problems if "near-duplicates" in line]
        assert line.startswith(
            "no groups given for 48 images: 12 chains of near-duplicates stand for patients"
        )
        assert shown[-1] == ("near-duplicates", 48, 48)


@pytest.mark.slow
def test_dicom_files_are_grouped_by_patient_whatever_the_layout(tmp_path):
    for patient in range(6):
        for number in range(4):
            path = tmp_path / "ab"[number % 2] / f"{patient}-{number}.dcm"
            dicom(path, patient + 1, number, PatientID=f"{PATIENT_ID}{patient}")
    dataset = load_dataset("folder", tmp_path)
    assert len({(image.path.name[0], image.split) for image in dataset.images}) == 6
    assert dataset.problems == (
        "no groups given for 24 DICOM files: grouped by patient id, or by study where there is none, into 6",
    )
    assert not [image for image in dataset.images if PATIENT_ID in image.group]
    assert load_dataset("folder", tmp_path) == dataset


def test_a_patient_on_two_given_sides_is_kept_on_one(tmp_path):
    for number, side in enumerate((*SIDES, "test")):
        for label in "ab":
            patient = min(number, 2)
            path = tmp_path / side / label / f"{number}.dcm"
            dicom(path, number + 1, ord(label), PatientID=f"{PATIENT_ID}{patient}")
    dicom(tmp_path / "train" / "a" / "again.dcm", 9, 1, PatientID=f"{PATIENT_ID}2")
    dataset = load_dataset("folder", tmp_path)
    assert "1 group in more than one split: kept where most images are, 1 image left out" in dataset.problems


def test_given_sides_without_groups_are_kept_and_a_line_says_what_that_may_mean(tmp_path):
    manifest(tmp_path, "path,label,split", [f"{n}.png,{'ab'[n % 2]},{SIDES[n % 3]}" for n in range(18)])
    dataset = load_dataset("manifest", tmp_path)
    assert len({image.group for image in dataset.images}) == 18
    assert dataset.problems == (
        "split given without groups for 18 images: each is its own, and a patient or near-duplicates may be "
        "in two splits",
    )


def test_absent_dicom_files_of_a_manifest_are_counted_and_never_named(tmp_path):
    rows = [f"{side}{n}.png,{'ab'[n % 2]},p{side},{side}" for side in SIDES for n in range(2)]
    manifest(tmp_path, "path,label,group,split", rows)
    gone = [
        "Mustermann^Erika 19610203/IM9.dcm,a,p9,train",
        "Mustermann^Erika/IM8,a,p9,train",
        "x.png,a,p,test",
    ]
    write_list(tmp_path / "manifest.csv", "path,label,group,split", [*rows, *gone, "../Erika.dcm,a,p,train"])
    dataset = load_dataset("manifest", tmp_path)
    assert dataset.problems == (
        "1 row with a path that is absolute or climbs, left out",
        "3 listed images absent, left out: x.png and 2 more",
    )


def test_rows_that_cannot_be_used_are_left_out_with_a_line_for_each_reason(tmp_path):
    good = [f"{side}{n}.png,{'ab'[n]},{side}{n},{side}" for side in SIDES for n in range(2)]
    bad = ["../x.png,a,g,train", "/x.png,a,g,train", "y.png,,g,train", "z.png,a,g,gallery", "w.png,a,,train"]
    manifest(tmp_path, "path,label,group,split", [*good, *bad])
    dataset = load_dataset("manifest", tmp_path)
    assert dataset.problems == (
        "2 rows with a path that is absolute or climbs, left out: ../x.png, /x.png",
        "1 row without label, left out: y.png",
        "1 row with a split that is none of train, val and test, left out: z.png",
        "split given without groups for 1 image: each is its own, and a patient or near-duplicates may be "
        "in two splits",
    )
    assert len(dataset.images) == 7


def test_a_missing_manifest_or_column_stops(tmp_path):
    with pytest.raises(ConfigError, match=r"manifest.csv is missing"):
        load_dataset("manifest", tmp_path)
    write_list(tmp_path / "manifest.csv", "path,class", [])
    with pytest.raises(ConfigError, match="no column label"):
        load_dataset("manifest", tmp_path)


# A DICOM tree


def dicom_tree(root: Path) -> dict[str, str]:
    """Write five patients with two files each, and return the labels of the files by SOPInstanceUID."""
    labels = {}
    for patient in range(5):
        for number in range(2):
            path = root / f"Mustermann^Erika {patient}" / f"IM{number}"
            uid = dicom(path, patient + 1, number, PatientID=f"{PATIENT_ID}{patient}")
            labels[uid] = "ab"[number]
    return labels


def write_labels(root: Path, labels: dict[str, str]) -> None:
    write_list(root / "labels.csv", "SOPInstanceUID,label", map(",".join, labels.items()))


def test_a_dicom_tree_is_labelled_by_instance_and_grouped_by_patient(tmp_path):
    labels = dicom_tree(tmp_path)
    write_labels(tmp_path, labels)
    dataset = load_dataset("dicom", tmp_path)
    assert dataset.problems == ()
    assert dataset.classes == ("a", "b")
    assert Counter(Counter(image.group for image in dataset.images).values()) == {2: 5}
    assert len({(image.path.parent, image.group, image.split) for image in dataset.images}) == 5
    assert {(image.modality, image.region) for image in dataset.images} == {("CT", "CHEST")}
    assert read_image(dataset.images[0].path).units is Units.HU
    # The patients' hashes are of a secret drawn anew; what is made of them is not.
    assert load_dataset("dicom", tmp_path) == dataset


def test_a_dicom_tree_is_labelled_by_series_except_where_an_instance_says_otherwise(tmp_path):
    labels = dicom_tree(tmp_path)
    rows = [f",{series_uid(series)},whole" for series in range(1, 6)]
    own = [uid for uid, label in labels.items() if label == "b"]
    write_list(
        tmp_path / "labels.csv",
        "SOPInstanceUID,SeriesInstanceUID,label",
        [*rows, *(f"{uid},,own" for uid in own)],
    )
    dataset = load_dataset("dicom", tmp_path)
    assert Counter(image.label for image in dataset.images) == {"whole": 5, "own": 5}


def test_a_dicom_tree_takes_the_sides_of_its_list(tmp_path):
    labels = dicom_tree(tmp_path)
    sides = ["train"] * 4 + ["val"] * 2 + ["test"] * 4
    rows = [f"{uid},{label},{side}" for (uid, label), side in zip(labels.items(), sides, strict=True)]
    write_list(tmp_path / "labels.csv", "SOPInstanceUID,label,split", rows)
    dataset = load_dataset("dicom", tmp_path)
    assert [image.split for image in dataset.images] == sides


def test_files_of_a_dicom_tree_that_cannot_be_used_are_counted_and_never_named(tmp_path):
    labels = dicom_tree(tmp_path)
    odd = tmp_path / "Mustermann^Erika 0"
    (odd / "notes.txt").write_text("x")
    (odd / "copy").write_bytes((odd / "IM0").read_bytes())
    cine = dicom(odd / "cine", 7, 1, NumberOfFrames=3)
    report = dicom(odd / "report", 7, 2, Rows=None)
    dicom(odd / "unlabelled", 7, 3)
    labels |= {cine: "a", report: "a", "1.2.3": "b"}
    write_labels(tmp_path, labels)
    dataset = load_dataset("dicom", tmp_path)
    assert len(dataset.images) == 10
    assert sorted(dataset.problems[:5]) == [
        "1 file not DICOM, left out",
        "1 file not labelled by labels.csv, left out",
        "1 file of several frames, left out",
        "1 file with the SOPInstanceUID of another, left out",
        "1 file without SOPInstanceUID or image, left out",
    ]
    assert lines(dataset, "of labels.csv without a file") == ["3 rows of labels.csv without a file"]
    assert not lines(dataset, "1.2.3")
    assert not lines(dataset, "Muster")
    assert not [image for image in dataset.images if PATIENT_ID in image.group]


def test_without_patient_ids_the_study_is_the_group(tmp_path):
    labels = {}
    for study in range(5):
        for number in range(2):
            uid = dicom(tmp_path / f"{study}{number}", study + 1, number, PatientID=None)
            labels[uid] = "ab"[number]
    write_labels(tmp_path, labels)
    dataset = load_dataset("dicom", tmp_path)
    assert Counter(Counter(image.group for image in dataset.images).values()) == {2: 5}
    assert dataset.problems == ("10 files without patient id: the study stands for the patient",)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("uid,label", ["1.2,a"], "neither a column SOPInstanceUID nor SeriesInstanceUID"),
        ("SOPInstanceUID,class", ["1.2,a"], "no column label"),
        ("SOPInstanceUID,label", ["1.2,a", "1.2,b"], "two things of one UID .row 2 below"),
        ("SOPInstanceUID,label,split", ["1.2,a,train", "1.3,a,"], "without UID, label or split"),
        ("SOPInstanceUID,label", ["1.2,"], "without UID, label or split"),
    ],
)
def test_a_list_of_labels_that_leaves_doubt_stops(tmp_path, header, rows, message):
    write_list(tmp_path / "labels.csv", header, rows)
    with pytest.raises(ConfigError, match=message):
        load_dataset("dicom", tmp_path)


def test_a_multi_frame_file_is_refused_when_read(tmp_path):
    dataset_path = tmp_path / "cine.dcm"
    dicom(dataset_path, 1, 1, NumberOfFrames=2, Rows=96)
    with pytest.raises(DecodeError, match="has 2 frames"):
        read_image(dataset_path)
    with pytest.raises(DecodeError, match="cannot be read"):
        read_image(tmp_path / "absent.png")


# All of them


def test_an_unknown_layout_and_an_absent_root_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="radimagenet-ct"):
        load_dataset("imagenet", tmp_path)
    for name in DATASETS:
        with pytest.raises(ConfigError, match="is no folder"):
            load_dataset(name, tmp_path / "nowhere")


def test_lists_may_have_a_byte_order_mark_and_blank_lines(tmp_path):
    radimagenet_tree(tmp_path, TWO)
    expected = load_dataset("radimagenet", tmp_path)
    for side in SIDES:
        path = tmp_path / f"RadiologyAI_{side}.csv"
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        path.write_text("\r\n".join([",".join(row) for row in rows] + ["", ""]), "utf-8-sig")
    assert load_dataset("radimagenet", tmp_path) == expected
