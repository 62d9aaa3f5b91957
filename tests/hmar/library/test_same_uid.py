"""One SOP Instance UID, two images: told, replaced or kept beside each other, and never mixed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.pixels import get_encoder
from pydicom.uid import RLELossless

import hmar
from hmar.config import KEEP_BOTH, REFUSE, REPLACE, SAME_UID, Settings
from hmar.errors import ConflictError, NotFoundError
from hmar.library.added import Added
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import EncodedFrame
from hmar.values.entries import EntryInfo
from tests.hmar.dicom.build import compressed, image

pytestmark = pytest.mark.slow

UID = "1.2.3.4.5"
FRAMES = 3
PIXELS = np.random.default_rng(7).integers(0, 4096, (FRAMES, 40, 48), np.uint16)
HEADER = {"PixelSpacing": [0.5, 0.5], "SeriesDescription": "first"}
OTHER_OWNER = {"StudyInstanceUID": "9.1", "SeriesInstanceUID": "9.2", "PatientID": "GEHEIM-4711"}
FIRST = image(PIXELS, **HEADER)
NewArchive = Callable[..., hmar.Archive]


def one_bit(frame: int) -> NDArray[np.uint16]:
    changed = PIXELS.copy()
    changed[frame, 20, 20] ^= 1
    return changed


def rle(pixels: NDArray[np.uint16]) -> bytes:
    encoder = get_encoder(RLELossless)
    described = {
        "rows": pixels.shape[1],
        "columns": pixels.shape[2],
        "samples_per_pixel": 1,
        "bits_allocated": 16,
        "bits_stored": 16,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "photometric_interpretation": "MONOCHROME2",
    }
    streams = [encoder.encode(frame.tobytes(), **described) for frame in pixels]
    return compressed(streams, RLELossless, pixels, **HEADER)


@pytest.fixture(params=["memory", "disk"])
def new_archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewArchive]:
    """Archives with a setting; all that are on disk are one."""
    made: list[hmar.Archive] = []

    def build(same_uid: str = REFUSE, model: Any = "thumbnail") -> hmar.Archive:
        url = "memory:" if request.param == "memory" else ""
        settings = Settings(home=tmp_path / "home", database_url=url, same_uid=same_uid)
        made.append(hmar.Archive(model=model, settings=settings))
        return made[-1]

    yield build
    for archive in made:
        archive.close()


def told(added: Added) -> tuple[int, int, int, int]:
    return added.indexed, len(added.partial), added.unchanged, added.failed


def held(archive: hmar.Archive, uid: str = UID, collection: str = "default") -> list[EntryInfo]:
    return archive.engine.catalogue.instance(collection, uid)


def owners(entries: list[EntryInfo]) -> set[tuple[str, str, str | None]]:
    return {(entry.info.study_uid, entry.info.series_uid, entry.info.patient_key) for entry in entries}


OTHERS = {
    "another patient": (image(PIXELS, **HEADER, PatientID="GEHEIM-4711"), "patient"),
    "no patient": (image(PIXELS, **HEADER, PatientID=None), "patient"),
    "another study": (image(PIXELS, **HEADER, StudyInstanceUID="9.1"), "study"),
    "another series": (image(PIXELS, **HEADER, SeriesInstanceUID="9.2"), "series"),
    "all of them": (image(PIXELS[:2], **HEADER, **OTHER_OWNER), "study, series, patient"),
    "a bit of the first frame": (image(one_bit(0), **HEADER), "pixels"),
    "a bit of the last frame": (image(one_bit(FRAMES - 1), **HEADER), "pixels"),
    "a row more": (image(np.pad(PIXELS, ((0, 0), (0, 1), (0, 0))), **HEADER), "rows"),
    "a frame more": (image(np.concatenate([PIXELS, PIXELS[:1]]), **HEADER), "number of frames"),
    "a frame less": (image(PIXELS[:-1], **HEADER), "number of frames"),
    "another spacing": (image(PIXELS, PixelSpacing=[0.5, 0.25]), "spacing"),
    "another modality": (image(PIXELS, **HEADER, Modality="MR"), "modality"),
    "another patient's age": (image(PIXELS, **HEADER, PatientAge="077Y"), "age_years"),
}


@pytest.mark.parametrize(("other", "differing"), OTHERS.values(), ids=OTHERS)
def test_another_image_is_refused_and_what_is_there_stays(
    new_archive: NewArchive, other: bytes, differing: str
) -> None:
    archive = new_archive()
    assert told(archive.add(FIRST)) == (1, 0, 0, 0)
    before = held(archive)
    for _ in range(2):
        added = archive.add(other)
        assert told(added) == (0, 0, 0, 1)
        assert added.frames == 0
        [(_, reason)] = added.failures
        assert reason == (
            f"Another image with SOP Instance UID '{UID}' is indexed already; they differ in: {differing}. "
            "The archive keeps that one. Delete it first, or set HMAR_SAME_UID to replace or keep-both."
        )
        assert held(archive) == before
    assert told(archive.add(FIRST)) == (0, 0, 1, 0)


SAME = {
    "itself": FIRST,
    "another transfer syntax": image(PIXELS, implicit=True, **HEADER),
    "compressed without loss": rle(PIXELS),
    "a header of which nothing is kept": image(PIXELS, PixelSpacing=[0.5, 0.5], SeriesDescription="second"),
}


@pytest.mark.parametrize("same_uid", SAME_UID)
@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_the_same_image_is_unchanged_under_every_setting(
    new_archive: NewArchive, other: bytes, same_uid: str
) -> None:
    archive = new_archive(same_uid)
    archive.add(FIRST)
    before = held(archive)
    assert told(archive.add(other)) == (0, 0, 1, 0)
    assert held(archive) == before
    assert len(archive) == FRAMES


@pytest.mark.parametrize(("other", "differing"), OTHERS.values(), ids=OTHERS)
def test_another_image_replaces_what_was_there(
    new_archive: NewArchive, other: bytes, differing: str, caplog: pytest.LogCaptureFixture
) -> None:
    archive = new_archive(REPLACE)
    archive.add(FIRST)
    with caplog.at_level(logging.INFO):
        assert told(archive.add(other)) == (1, 0, 0, 0)
    assert "3 frames (entries 1 to 3) were replaced" in caplog.text
    assert "GEHEIM" not in caplog.text
    assert UID not in caplog.text
    now = held(archive)
    assert len(now) == len(archive) == len(archive.open(other))
    assert owners(now) == {
        (info.study_uid, info.series_uid, info.patient_key) for info in archive.open(other).infos
    }
    assert told(archive.add(other)) == (0, 0, 1, 0)
    for entry in now:
        np.testing.assert_array_equal(
            archive.frame(entry).values, archive.open(other)[entry.info.frame_number - 1].values
        )


@pytest.mark.parametrize(("other", "differing"), OTHERS.values(), ids=OTHERS)
def test_another_image_is_kept_beside_what_was_there(
    new_archive: NewArchive, other: bytes, differing: str
) -> None:
    archive = new_archive(KEEP_BOTH)
    archive.add(FIRST)
    before = held(archive)
    for outcome in ((1, 0, 0, 0), (0, 0, 1, 0)):
        assert told(archive.add(other)) == outcome
        assert told(archive.add(FIRST)) == (0, 0, 1, 0)
    assert held(archive) == before
    [uid] = {entry.info.sop_instance_uid for entry in archive.frames()} - {UID}
    beside = held(archive, uid)
    assert uid.startswith("2.25.")
    assert len(beside) == len(archive.open(other))
    assert all(entry.info.uids_derived for entry in beside)
    assert len(owners(beside)) == 1
    shown = archive.frame(beside[0])
    assert shown.info.sop_instance_uid == uid
    np.testing.assert_array_equal(shown.values, archive.open(other)[0].values)
    [nearest] = archive.search(shown, k=1, mode="global", exclude="instance").hits
    assert nearest.entry.info.sop_instance_uid == UID


def test_both_are_kept_under_the_same_uids_whatever_was_deleted_meanwhile(new_archive: NewArchive) -> None:
    archive, (other, _) = new_archive(KEEP_BOTH), OTHERS["another series"]
    archive.add(FIRST)
    archive.add(other)
    archive.delete(series_uid="1.2.3.4")
    assert told(archive.add(other)) == (0, 0, 1, 0)
    assert len(archive) == FRAMES


@pytest.mark.parametrize(("other", "differing"), [OTHERS["all of them"], OTHERS["a bit of the last frame"]])
def test_collections_do_not_conflict(new_archive: NewArchive, other: bytes, differing: str) -> None:
    archive = new_archive()
    archive.add(FIRST)
    assert told(archive.add(other, collection="other")) == (1, 0, 0, 0)
    assert owners(held(archive)).isdisjoint(owners(held(archive, collection="other"))) == ("," in differing)


class OtherEncoder(ThumbnailEncoder):
    """The same codes under another fingerprint."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = "another model"

    def encode(self, frame: hmar.Frame) -> EncodedFrame:
        return replace(super().encode(frame), model_fingerprint=self.fingerprint)


@pytest.mark.parametrize("same_uid", SAME_UID)
def test_models_do_not_conflict_but_none_mixes_two_images(tmp_path: Path, same_uid: str) -> None:
    settings = Settings(home=tmp_path, same_uid=same_uid)
    other, _ = OTHERS["all of them"]
    with hmar.Archive(model="thumbnail", settings=settings) as archive:
        archive.add(FIRST)
        frames = archive.frames()
    with hmar.Archive(model=OtherEncoder(), settings=settings) as archive:
        assert told(archive.add(FIRST)) == (1, 0, 0, 0)
        assert len(held(archive)) == 2 * FRAMES
        assert archive.add(other).indexed == (0 if same_uid == REFUSE else 1)
        assert len(owners(held(archive))) == 1
        assert len(held(archive)) == (2 if same_uid == REPLACE else 2 * FRAMES)
    with hmar.Archive(model="thumbnail", settings=settings) as archive:
        assert archive.frames() == ([] if same_uid == REPLACE else frames)


@pytest.mark.parametrize("same_uid", [REPLACE, KEEP_BOTH])
def test_what_is_interrupted_while_it_comes_is_gone_on_with(
    new_archive: NewArchive, monkeypatch: pytest.MonkeyPatch, same_uid: str
) -> None:
    monkeypatch.setattr("hmar.indexing.CHUNK_FRAMES", 1)
    archive, (other, _) = new_archive(same_uid), OTHERS["another patient"]
    archive.add(FIRST)
    encode, encoded = ThumbnailEncoder.encode, []

    def interrupted(self: ThumbnailEncoder, frame: hmar.Frame) -> EncodedFrame:
        encoded.append(frame.info.frame_number)
        if len(encoded) == 2:
            raise KeyboardInterrupt
        return encode(self, frame)

    monkeypatch.setattr(ThumbnailEncoder, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        archive.add(other)
    patients = {entry.info.patient_key for entry in archive.frames()}
    assert len(archive) == (1 if same_uid == REPLACE else FRAMES + 1)
    assert told(archive.add(other)) == (1, 0, 0, 0)
    assert encoded == [1, 2, 2, 3]
    assert len(archive) == (FRAMES if same_uid == REPLACE else 2 * FRAMES)
    assert {entry.info.patient_key for entry in archive.frames()} == patients
    for uid in {entry.info.sop_instance_uid for entry in archive.frames()}:
        assert len(owners(held(archive, uid))) == 1


def test_a_frame_given_as_a_value_is_compared_too(new_archive: NewArchive) -> None:
    archive = new_archive()
    archive.add(FIRST)
    same, changed = archive.open(FIRST)[1], archive.open(image(one_bit(1), **HEADER))[1]
    assert told(archive.add(same)) == (0, 0, 1, 0)
    with pytest.raises(ConflictError, match="differ in: pixels"):
        archive.add([same, changed])
    with pytest.raises(ConflictError, match="differ in: study"):
        archive.add(replace(same, info=replace(same.info, study_uid="9.1")))
    with pytest.raises(ConflictError, match="differ in: patient"):
        archive.add(replace(same, info=replace(same.info, patient_key=None, frame_number=9)))
    assert len(held(archive)) == FRAMES


def test_a_file_is_compared_with_frames_that_were_given_as_values(new_archive: NewArchive) -> None:
    archive = new_archive()
    archive.add(archive.open(FIRST)[1])
    assert told(archive.add(image(one_bit(1), **HEADER))) == (0, 0, 0, 1)
    assert told(archive.add(FIRST)) == (1, 0, 0, 0)
    assert len(held(archive)) == FRAMES


def test_frames_given_as_values_replace_themselves_and_with_another_patient_all(
    new_archive: NewArchive,
) -> None:
    archive = new_archive(REPLACE)
    archive.add(FIRST)
    changed = archive.open(image(one_bit(1), **HEADER))[1]
    assert told(archive.add([changed, changed])) == (1, 0, 1, 0)
    assert [entry.info.frame_number for entry in held(archive)] == [1, 2, 3]
    foreign = [replace(changed, info=replace(changed.info, study_uid="9.1", frame_number=n)) for n in (1, 2)]
    assert told(archive.add(foreign)) == (2, 0, 0, 0)
    assert [(entry.info.study_uid, entry.info.frame_number) for entry in held(archive)] == [
        ("9.1", 1),
        ("9.1", 2),
    ]


def test_frames_given_as_values_are_kept_beside_others_once(new_archive: NewArchive) -> None:
    archive = new_archive(KEEP_BOTH)
    archive.add(FIRST)
    changed = archive.open(image(one_bit(1), **HEADER))[1]
    assert told(archive.add([changed, changed])) == (1, 0, 1, 0)
    assert told(archive.add(changed)) == (0, 0, 1, 0)
    assert len(archive) == FRAMES + 1


def test_a_file_that_was_compressed_without_loss_since_is_shown_and_a_changed_one_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(FIRST)
    with hmar.Archive(model="thumbnail") as archive:
        archive.add(path)
        entry = archive.frames()[2]
        expected = archive.frame(entry).values
        path.write_bytes(rle(PIXELS))
        np.testing.assert_array_equal(archive.frame(entry).values, expected)
        path.write_bytes(image(one_bit(2), **HEADER))
        with pytest.raises(NotFoundError, match="holds other pixels by now"):
            archive.frame(entry)
        assert archive.frame(archive.frames()[0]).info.frame_number == 1
