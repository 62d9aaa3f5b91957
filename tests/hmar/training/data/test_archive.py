from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.errors import NotFoundError
from hmar.image.grid import GridConfig
from hmar.model.tags import REGIONS
from hmar.training.data.archive import LEAST_SLICES, archive_volumes
from hmar.values.codes import EncodedFrame
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Spacing

MODEL = "model"
ORIGIN = Origin("import", "file")


def frame_info(series: str, slice_: int, modality: str = "CT", z: float | None = None) -> FrameInfo:
    return FrameInfo(
        study_uid="2.25.1",
        series_uid=series,
        sop_instance_uid=f"{series}.{slice_}",
        frame_number=1,
        modality=modality,
        body_part="CHEST",
        patient_key=None,
        rows=4,
        columns=5,
        spacing=Spacing(2.0, 1.5),
        position=(0.0, 0.0, 3.0 * slice_ if z is None else z),
    )


def archive(*infos: FrameInfo) -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    code = np.zeros(16, np.uint8)
    frames = [
        EncodedFrame(info, code, code[None], np.zeros(1, np.uint32), (0.5, 0.5), MODEL) for info in infos
    ]
    catalogue.append("site", frames, ORIGIN)
    return catalogue


def read(entry: EntryInfo) -> Frame:
    """A slice whose values are its number."""
    number = int(entry.info.sop_instance_uid.split(".")[-1])
    return Frame(entry.info, np.full((4, 5), float(number), np.float32), Units.HU)


def test_a_series_becomes_a_volume_in_the_order_of_the_body():
    infos = [frame_info("2.25.7", slice_) for slice_ in reversed(range(LEAST_SLICES))]
    (volume,) = archive_volumes(archive(*infos), read, "site", MODEL, print)
    assert volume.values[:, 0, 0].tolist() == list(range(LEAST_SLICES))
    assert volume.spacing_mm == (3.0, 2.0, 1.5)
    assert volume.labels is None
    assert set(volume.regions.tolist()) == {REGIONS.index("CHEST")}
    assert "2.25.7" not in volume.name  # the card names volumes, and UIDs do not belong there


def test_series_that_form_no_volume_are_left_out_with_a_reason_each():
    good = [frame_info("2.25.1", slice_) for slice_ in range(LEAST_SLICES)]
    short = [frame_info("2.25.2", slice_) for slice_ in range(LEAST_SLICES - 1)]
    film = [frame_info("2.25.3", slice_, "DX") for slice_ in range(LEAST_SLICES)]
    gap = [frame_info("2.25.4", slice_, z=30.0 * (slice_ > 3) + 3 * slice_) for slice_ in range(LEAST_SLICES)]
    bare = [replace(frame_info("2.25.5", slice_), position=None) for slice_ in range(LEAST_SLICES)]
    said: list[str] = []
    volumes = archive_volumes(archive(*good, *short, *film, *gap, *bare), read, "site", MODEL, said.append)
    assert len(volumes) == 1
    assert sorted(line.split(": ")[1] for line in said) == [
        f"fewer than {LEAST_SLICES} slices with position and spacing",
        "neither CT nor MR",
        "slices are not evenly spaced along the body",
    ]
    assert not any("2.25" in line for line in said)


def test_a_series_whose_files_are_gone_is_left_out():
    def gone(entry: EntryInfo) -> Frame:
        raise NotFoundError("It is gone.", "Put it back.")

    infos = [frame_info("2.25.7", slice_) for slice_ in range(LEAST_SLICES)]
    with pytest.raises(NotFoundError, match="'site' has no series"):
        archive_volumes(archive(*infos), gone, "site", MODEL, print)


def test_a_collection_that_is_not_there_is_named_with_what_to_do():
    with pytest.raises(NotFoundError, match="'elsewhere'") as error:
        archive_volumes(archive(frame_info("2.25.7", 0)), read, "elsewhere", MODEL, print)
    assert "hmar index" in error.value.remedy


def film(number: int, label: str | None = "", modality: str = "DX") -> FrameInfo:
    """A radiograph of a series and a patient of its own, of one of two labels where none is given."""
    named = ("fracture", "nodule")[number % 2] if label == "" else label
    info = frame_info(f"2.25.{100 + number}", 1, modality)
    return replace(info, label=named, patient_key=f"hash {number}", body_part=None)


def shown(entry: EntryInfo) -> Frame:
    return Frame(entry.info, np.full((4, 5), 0.25, np.float32), Units.PRESENTATION)


def test_labelled_images_that_form_no_volume_are_learnt_from_one_by_one():
    films = [film(number) for number in range(LEAST_SLICES)]
    picture = replace(film(50, "bone", "CT"), spacing=None, position=None)
    said: list[str] = []
    archived = archive(picture, *films, film(60, None), film(61, None))
    volumes = archive_volumes(archived, shown, "site", MODEL, said.append)
    assert len(volumes) == LEAST_SLICES + 1
    by_patient = {volume.patient: volume for volume in volumes}
    one = by_patient["hash 1"]
    assert (one.modality, one.regions.tolist(), one.labels) == ("DX", [-1], None)
    assert set(one.values.ravel().tolist()) == {250}
    # Labels are numbered in their order as text, whichever series comes first.
    numbers = {patient: volume.image_labels.tolist() for patient, volume in by_patient.items()}
    assert [numbers[f"hash {number}"] for number in (50, 0, 1)] == [[0], [1], [2]]
    assert by_patient["hash 50"].modality == "OT"  # a picture of a CT has no Hounsfield units
    assert said == ["2 series or images left out: neither CT nor MR"]


def test_a_single_image_is_laid_as_the_encoder_lays_it():
    side, longest = GridConfig().unknown_side, GridConfig().max_side
    for spacing, size in ((None, side), (Spacing(0.3, 0.3), side), (Spacing(40.0, 40.0), 5 * 40)):
        films = [replace(film(number), spacing=spacing) for number in range(LEAST_SLICES)]
        volume = archive_volumes(archive(*films), shown, "site", MODEL, print)[0]
        assert volume.spacing_mm[1:] == (1.0, 1.0)
        assert volume.values.shape[2] == round(size)
    films = [replace(film(number), spacing=Spacing(300.0, 300.0)) for number in range(LEAST_SLICES)]
    volume = archive_volumes(archive(*films), shown, "site", MODEL, print)[0]
    assert volume.values.shape[2] == longest
    assert volume.presented


def test_a_volume_keeps_the_labels_of_its_slices_and_its_patient():
    infos = [
        replace(frame_info("2.25.7", slice_), label="nodule" if slice_ > 5 else None, patient_key="hash")
        for slice_ in reversed(range(LEAST_SLICES))
    ]
    unplaced = replace(frame_info("2.25.7", 99), label="cyst", position=None)
    volume, single = archive_volumes(archive(*infos, unplaced), read, "site", MODEL, print)
    assert volume.image_labels.tolist() == [-1] * 6 + [1] * (LEAST_SLICES - 6)
    assert volume.patient == "hash"
    assert single.image_labels.tolist() == [0]


def test_what_of_a_series_is_left_out_is_said_also_where_some_of_it_is_labelled():
    infos = [frame_info("2.25.7", slice_, z=30.0 * (slice_ > 3) + 3 * slice_) for slice_ in range(9)]
    infos[0] = replace(infos[0], label="nodule")
    films = [film(number) for number in range(LEAST_SLICES)]
    said: list[str] = []
    assert (
        len(archive_volumes(archive(*infos, *films), shown, "site", MODEL, said.append)) == LEAST_SLICES + 1
    )
    assert said == ["1 series or images left out: slices are not evenly spaced along the body"]


def test_a_labelled_image_whose_file_is_gone_is_left_out():
    def gone(entry: EntryInfo) -> Frame:
        if entry.info.patient_key == "hash 1":
            raise NotFoundError("It is gone.", "Put it back.")
        return shown(entry)

    films = [film(number) for number in range(LEAST_SLICES + 1)]
    said: list[str] = []
    assert len(archive_volumes(archive(*films), gone, "site", MODEL, said.append)) == LEAST_SLICES
    assert said == ["1 series or images left out: a file is gone or cannot be read any more"]


@pytest.mark.parametrize(("label", "learnt"), [("", False), ("fracture", True)])
def test_where_labels_teach_nothing_no_image_is_taken_by_itself(label, learnt):
    series = [frame_info("2.25.7", slice_) for slice_ in range(LEAST_SLICES)]
    films = [film(number, label) for number in range(9)]
    said: list[str] = []
    volumes = archive_volumes(archive(*series, *films), read, "site", MODEL, said.append, labels=learnt)
    assert len(volumes) == 1
    assert said == ["9 series or images left out: neither CT nor MR"]


def test_images_without_a_patient_id_are_of_the_patient_of_their_study():
    films = [replace(film(number), patient_key=None, study_uid=f"2.25.{number // 2}") for number in range(8)]
    volumes = archive_volumes(archive(*films), shown, "site", MODEL, print)
    assert len({volume.patient for volume in volumes}) == 4


def test_a_few_labelled_images_are_too_few():
    films = [film(number) for number in range(LEAST_SLICES - 1)]
    with pytest.raises(NotFoundError, match="fewer than 8 labelled images"):
        archive_volumes(archive(*films), shown, "site", MODEL, print)


def test_ct_without_hounsfield_units_forms_no_volume():
    infos = [frame_info("2.25.7", slice_) for slice_ in range(LEAST_SLICES)]
    said: list[str] = []
    with pytest.raises(NotFoundError):
        archive_volumes(archive(*infos), shown, "site", MODEL, said.append)
    assert said == ["1 series or images left out: CT without Hounsfield units"]
