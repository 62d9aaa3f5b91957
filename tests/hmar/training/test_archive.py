from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.adapters.memory_catalogue import MemoryCatalogue
from hmar.errors import NotFoundError
from hmar.model.tags import REGIONS
from hmar.training.archive import LEAST_SLICES, archive_volumes
from hmar.types import EncodedFrame, EntryInfo, Frame, FrameInfo, GridConfig, Origin, Spacing, Units

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


def test_labelled_images_that_form_no_volume_are_learnt_from_one_by_one():
    film = replace(frame_info("2.25.3", 1, "DX"), label="fracture", patient_key="hash")
    picture = replace(
        frame_info("2.25.4", 2),
        label="nodule",
        spacing=None,
        position=None,
        body_part=None,
        rows=4,
        columns=5,
    )
    unnamed = frame_info("2.25.5", 3, "DX")
    said: list[str] = []

    def shown(entry: EntryInfo) -> Frame:
        units = Units.PRESENTATION if entry.info.modality == "DX" or entry.info.spacing is None else Units.HU
        return Frame(entry.info, np.full((4, 5), 0.25, np.float32), units)

    first, second = archive_volumes(archive(film, picture, unnamed), shown, "site", MODEL, said.append)
    assert (first.modality, first.patient, first.spacing_mm[1:]) == ("DX", "hash", (2.0, 1.5))
    assert first.values.tolist() == np.full((1, 4, 5), 250).tolist()
    # A picture of a CT has no Hounsfield units, and is as large as the encoder takes it to be.
    assert (second.modality, second.patient, second.regions.tolist()) == ("OT", None, [-1])
    side = GridConfig().unknown_side * GridConfig().pitch_mm
    assert second.spacing_mm[1:] == pytest.approx((side / 5, side / 5))
    assert [first.image_labels.tolist(), second.image_labels.tolist()] == [[0], [1]]
    assert said == ["1 series or images left out: neither CT nor MR"]


def test_a_volume_keeps_the_labels_of_its_slices_and_its_patient():
    infos = [
        replace(frame_info("2.25.7", slice_), label="nodule" if slice_ > 5 else None, patient_key="hash")
        for slice_ in reversed(range(LEAST_SLICES))
    ]
    other = replace(frame_info("2.25.8", 1), label="nodule")
    volume, single = archive_volumes(archive(*infos, other), read, "site", MODEL, print)
    assert volume.image_labels.tolist() == [-1] * 6 + [0] * (LEAST_SLICES - 6)
    assert volume.patient == "hash"
    assert single.image_labels.tolist() == [0]


def test_a_labelled_image_whose_file_is_gone_is_left_out():
    def gone(entry: EntryInfo) -> Frame:
        if entry.info.sop_instance_uid.endswith(".1"):
            raise NotFoundError("It is gone.", "Put it back.")
        return Frame(entry.info, np.zeros((4, 5), np.float32), Units.PRESENTATION)

    films = [replace(frame_info(f"2.25.{n}", n, "DX"), label="fracture") for n in (1, 2)]
    said: list[str] = []
    assert len(archive_volumes(archive(*films), gone, "site", MODEL, said.append)) == 1
    assert said == ["1 series or images left out: a file is gone or cannot be read any more"]
