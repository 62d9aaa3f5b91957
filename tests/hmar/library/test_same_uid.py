"""One SOP Instance UID, two images: told, replaced or kept beside each other, and never mixed."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
NUMBERS = itertools.count(1)


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


@dataclass(frozen=True)
class Place:
    """A collection of an archive."""

    archive: hmar.Archive
    collection: str

    def add(self, images: Any) -> tuple[int, int, int, int]:
        """Return how many were indexed, indexed in part, unchanged and failed."""
        added = self.archive.add(images, collection=self.collection)
        return added.indexed, len(added.partial), added.unchanged, added.failed

    def reason(self, images: Any) -> str:
        """Return why a file is not indexed."""
        added = self.archive.add(images, collection=self.collection)
        assert (added.failed, added.frames) == (1, 0)
        return str(added.failures[0].reason)

    def held(self, uid: str = UID) -> list[EntryInfo]:
        return self.archive.engine.catalogue.instance(self.collection, uid)

    def frames(self) -> list[EntryInfo]:
        return self.archive.frames(collection=self.collection)

    def owners(self, uid: str = UID) -> set[tuple[str, str, str | None]]:
        infos = [entry.info for entry in self.held(uid)]
        return {(info.study_uid, info.series_uid, info.patient_key) for info in infos}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], hmar.Archive]]:
    """One archive for each setting."""
    made: dict[str, hmar.Archive] = {}

    def of(same_uid: str) -> hmar.Archive:
        if same_uid not in made:
            settings = Settings(home=tmp_path_factory.mktemp(same_uid), same_uid=same_uid)
            made[same_uid] = hmar.Archive(model="thumbnail", settings=settings)
        return made[same_uid]

    yield of
    for archive in made.values():
        archive.close()


@pytest.fixture
def place(archives: Callable[[str], hmar.Archive]) -> Callable[[str], Place]:
    """Collections that are empty at first."""
    return lambda same_uid: Place(archives(same_uid), f"c{next(NUMBERS)}")


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


NewPlace = Callable[[str], Place]
every_other = pytest.mark.parametrize(("other", "differing"), OTHERS.values(), ids=OTHERS)


@every_other
def test_another_image_is_refused_and_what_is_there_stays(
    place: NewPlace, other: bytes, differing: str
) -> None:
    there = place(REFUSE)
    assert there.add(FIRST) == (1, 0, 0, 0)
    before = there.held()
    for _ in range(2):
        assert there.reason(other) == (
            f"Another image with SOP Instance UID '{UID}' is indexed already; they differ in: {differing}. "
            "The archive keeps that one. Delete it first, or set HMAR_SAME_UID to replace or keep-both."
        )
        assert there.held() == before
    assert there.add(FIRST) == (0, 0, 1, 0)


SAME = {
    "itself": FIRST,
    "another transfer syntax": image(PIXELS, implicit=True, **HEADER),
    "compressed without loss": rle(PIXELS),
    "a header of which nothing is kept": image(PIXELS, PixelSpacing=[0.5, 0.5], SeriesDescription="second"),
}


@pytest.mark.parametrize("same_uid", SAME_UID)
@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_the_same_image_is_unchanged_under_every_setting(
    place: NewPlace, other: bytes, same_uid: str
) -> None:
    there = place(same_uid)
    there.add(FIRST)
    before = there.held()
    assert there.add(other) == (0, 0, 1, 0)
    assert there.held() == before == there.frames()


@every_other
def test_another_image_replaces_what_was_there(
    place: NewPlace, other: bytes, differing: str, caplog: pytest.LogCaptureFixture
) -> None:
    there = place(REPLACE)
    there.add(FIRST)
    first, _, last = [entry.entry_id for entry in there.held()]
    with caplog.at_level(logging.INFO):
        assert there.add(other) == (1, 0, 0, 0)
    assert f"3 frames (entries {first} to {last}) were replaced" in caplog.text
    assert "GEHEIM" not in caplog.text
    assert UID not in caplog.text
    opened = there.archive.open(other)
    assert [entry.info for entry in there.held()] == list(opened.infos)
    assert there.held() == there.frames()
    assert there.add(other) == (0, 0, 1, 0)
    for entry, frame in zip(there.held(), opened, strict=True):
        np.testing.assert_array_equal(there.archive.frame(entry).values, frame.values)


@every_other
def test_another_image_is_kept_beside_what_was_there(place: NewPlace, other: bytes, differing: str) -> None:
    there = place(KEEP_BOTH)
    there.add(FIRST)
    before = there.held()
    for outcome in ((1, 0, 0, 0), (0, 0, 1, 0)):
        assert there.add(other) == outcome
        assert there.add(FIRST) == (0, 0, 1, 0)
    assert there.held() == before
    [uid] = {entry.info.sop_instance_uid for entry in there.frames()} - {UID}
    opened, beside = there.archive.open(other), there.held(uid)
    assert uid.startswith("2.25.")
    assert [entry.info for entry in beside] == [
        replace(info, sop_instance_uid=uid, uids_derived=True) for info in opened.infos
    ]
    shown = there.archive.frame(beside[0])
    assert shown.info.sop_instance_uid == uid
    np.testing.assert_array_equal(shown.values, opened[0].values)
    [hit] = there.archive.search(shown, k=1, mode="global", exclude="instance", collection=there.collection)
    assert hit.entry.info.sop_instance_uid == UID


def test_what_is_kept_beside_another_keeps_its_uid_when_the_other_is_deleted(place: NewPlace) -> None:
    there, (other, _) = place(KEEP_BOTH), OTHERS["another series"]
    there.add(FIRST)
    there.add(other)
    there.archive.delete(series_uid="1.2.3.4", collection=there.collection)
    assert there.add(other) == (0, 0, 1, 0)
    assert len(there.frames()) == FRAMES


@pytest.mark.parametrize(("other", "differing"), [OTHERS["all of them"], OTHERS["a bit of the last frame"]])
def test_collections_do_not_conflict(place: NewPlace, other: bytes, differing: str) -> None:
    here, there = place(REFUSE), place(REFUSE)
    assert here.add(FIRST) == (1, 0, 0, 0)
    assert there.add(other) == (1, 0, 0, 0)
    assert here.owners().isdisjoint(there.owners()) == ("," in differing)


class OtherEncoder(ThumbnailEncoder):
    """The same codes under another fingerprint."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = "another model"

    def encode(self, frame: hmar.Frame) -> EncodedFrame:
        return replace(super().encode(frame), model_fingerprint=self.fingerprint)


@pytest.mark.parametrize("same_uid", SAME_UID)
def test_models_do_not_conflict_but_do_not_mix_two_images_either(tmp_path: Path, same_uid: str) -> None:
    settings = Settings(home=tmp_path, same_uid=same_uid)
    other, _ = OTHERS["all of them"]
    with hmar.Archive(model="thumbnail", settings=settings) as archive:
        archive.add(FIRST)
        frames = archive.frames()
    with hmar.Archive(model=OtherEncoder(), settings=settings) as archive:
        there = Place(archive, "default")
        assert there.add(FIRST) == (1, 0, 0, 0)
        assert len(there.held()) == 2 * FRAMES
        assert archive.add(other).indexed == (0 if same_uid == REFUSE else 1)
        assert len(there.owners()) == 1
        assert len(there.held()) == (2 if same_uid == REPLACE else 2 * FRAMES)
    with hmar.Archive(model="thumbnail", settings=settings) as archive:
        assert archive.frames() == ([] if same_uid == REPLACE else frames)


@pytest.mark.parametrize("same_uid", [REPLACE, KEEP_BOTH])
def test_what_is_interrupted_while_it_comes_is_gone_on_with(
    place: NewPlace, monkeypatch: pytest.MonkeyPatch, same_uid: str
) -> None:
    monkeypatch.setattr("hmar.indexing.adding.CHUNK_FRAMES", 1)
    there, (other, _) = place(same_uid), OTHERS["another patient"]
    there.add(FIRST)
    encode, encoded = ThumbnailEncoder.encode, []

    def interrupted(self: ThumbnailEncoder, frame: hmar.Frame) -> EncodedFrame:
        encoded.append(frame.info.frame_number)
        if len(encoded) == 2:
            raise KeyboardInterrupt
        return encode(self, frame)

    monkeypatch.setattr(ThumbnailEncoder, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        there.add(other)
    # A replacement is one transaction: nothing of it is there yet. What is kept beside is, and goes on.
    replaces = same_uid == REPLACE
    assert len(there.frames()) == (FRAMES if replaces else FRAMES + 1)
    assert there.add(other) == (1, 0, 0, 0)
    assert encoded == ([1, 2, 1, 2, 3] if replaces else [1, 2, 2, 3])
    assert len(there.frames()) == (FRAMES if replaces else 2 * FRAMES)
    assert len({entry.info.patient_key for entry in there.frames()}) == (1 if replaces else 2)
    for uid in {entry.info.sop_instance_uid for entry in there.frames()}:
        assert len(there.owners(uid)) == 1


def test_a_frame_given_as_a_value_is_compared_too(place: NewPlace) -> None:
    there = place(REFUSE)
    there.add(FIRST)
    same, changed = there.archive.open(FIRST)[1], there.archive.open(image(one_bit(1), **HEADER))[1]
    assert there.add(same) == (0, 0, 1, 0)
    with pytest.raises(ConflictError, match="differ in: pixels"):
        there.add([same, changed])
    with pytest.raises(ConflictError, match="differ in: study"):
        there.add(replace(same, info=replace(same.info, study_uid="9.1")))
    with pytest.raises(ConflictError, match="differ in: patient"):
        there.add(replace(same, info=replace(same.info, patient_key=None, frame_number=9)))
    assert len(there.held()) == FRAMES


def test_a_file_is_compared_with_frames_that_were_given_as_values(place: NewPlace) -> None:
    there = place(REFUSE)
    there.add(there.archive.open(FIRST)[1])
    assert there.add(image(one_bit(1), **HEADER)) == (0, 0, 0, 1)
    assert there.add(FIRST) == (1, 0, 0, 0)
    assert len(there.held()) == FRAMES


def test_frames_given_as_values_replace_themselves_or_all_of_another_patient(place: NewPlace) -> None:
    there = place(REPLACE)
    there.add(FIRST)
    changed = there.archive.open(image(one_bit(1), **HEADER))[1]
    assert there.add([changed, changed]) == (1, 0, 1, 0)
    assert [entry.info.frame_number for entry in there.held()] == [1, 2, 3]
    foreign = [replace(changed, info=replace(changed.info, study_uid="9.1", frame_number=n)) for n in (1, 2)]
    assert there.add(foreign) == (2, 0, 0, 0)
    kept = [(entry.info.study_uid, entry.info.frame_number) for entry in there.held()]
    assert kept == [("9.1", 1), ("9.1", 2)]


def test_frames_given_as_values_are_kept_beside_others_once(place: NewPlace) -> None:
    there = place(KEEP_BOTH)
    there.add(FIRST)
    changed = there.archive.open(image(one_bit(1), **HEADER))[1]
    assert there.add([changed, changed]) == (1, 0, 1, 0)
    assert there.add(changed) == (0, 0, 1, 0)
    assert len(there.frames()) == FRAMES + 1


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
