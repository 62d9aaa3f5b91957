"""Adapting the shipped model to a small archive."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ConfigError, DecodeError, NotFoundError
from hmar.model.bundle import CARD, THRESHOLDS, WEIGHTS, read_info, verify
from hmar.model.serving.features import FrameFeatures
from hmar.model.thresholds import UNKNOWN, ModalityThresholds, Thresholds, read_thresholds
from hmar.training.export.golden import golden_difference, golden_frame
from hmar.training.thresholds import adapt as module
from hmar.training.thresholds.adapt import adapt
from hmar.training.thresholds.measuring import measure, pooled
from hmar.training.thresholds.medians import weighted_median
from hmar.training.thresholds.sampling import MOST_OF_SERIES, in_turn, person, sample_frames
from hmar.training.typicality.summaries import Counted, Summaries
from hmar.values.codes import EncodedFrame
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame, Units
from hmar.values.hits import ATYPICAL
from tests.frames import frame_info
from tests.hmar.model.test_thresholds import give

MODEL = "model"
PATIENT = "0123456789abcdef"


def catalogue_of(*frames: tuple[str, str, str, int]) -> MemoryCatalogue:
    """Return a catalogue of (collection, modality, patient, frames), each a series of its own."""
    catalogue = MemoryCatalogue()
    code = np.zeros(16, np.uint8)
    for number, (collection, modality, patient, count) in enumerate(frames):
        infos = [
            replace(
                frame_info(96, 96, None, modality),
                study_uid=f"2.25.{number}",
                series_uid=f"2.25.{number}",
                sop_instance_uid=f"2.25.{number}.{i}",
                patient_key=patient or None,
            )
            for i in range(count)
        ]
        encoded = [
            EncodedFrame(info, code, code[None], np.zeros(1, np.uint32), (0.5, 0.5), MODEL) for info in infos
        ]
        catalogue.append(collection, encoded, Origin("import", str(number)))
    return catalogue


def drawn(catalogue: MemoryCatalogue, most: int, *collections: str) -> dict[str, list[EntryInfo]]:
    return sample_frames(catalogue, MODEL, collections, most, np.random.default_rng(1))


def texture(entry: EntryInfo) -> Frame:
    """A frame of random squares, darker for every later entry: its logits depend on the entry alone."""
    rng = np.random.default_rng(entry.entry_id)
    values = np.kron(rng.random((24, 24)), np.ones((4, 4))).astype(np.float32) ** (1 + entry.entry_id % 5)
    return Frame(replace(entry.info, rows=96, columns=96), values, Units.PRESENTATION)


def test_people_take_turns():
    sample = drawn(catalogue_of(("a", "CT", "one", 50), ("a", "CT", "one", 50), ("a", "CT", "two", 3)), 8)
    counts = {key: sum(person(entry) == key for entry in sample["CT"]) for key in ("one", "two")}
    assert counts == {"one": 5, "two": 3}
    assert len({entry.entry_id for entry in sample["CT"]}) == 8


def test_frames_without_a_patient_id_are_of_their_study():
    sample = drawn(catalogue_of(("a", "CT", "", 9), ("a", "CT", "", 9)), 4)
    assert sorted(person(entry) for entry in sample["CT"]) == ["2.25.0", "2.25.0", "2.25.1", "2.25.1"]


def test_modalities_and_collections_are_told_apart():
    catalogue = catalogue_of(("a", "CT", "one", 2), ("b", "MR", "two", 3), ("b", "OT", "two", 4))
    assert {name: len(entries) for name, entries in drawn(catalogue, 9).items()} == {
        "CT": 2,
        "MR": 3,
        UNKNOWN: 4,
    }
    assert set(drawn(catalogue, 9, "a")) == {"CT"}


def test_of_a_long_series_a_few_frames_are_considered_and_a_seed_draws_the_same():
    catalogue = catalogue_of(("a", "CT", "one", 90))
    assert len(drawn(catalogue, 1000)["CT"]) == MOST_OF_SERIES
    assert drawn(catalogue, 5) == drawn(catalogue, 5)
    entries = drawn(catalogue, 5)["CT"]
    assert sorted(e.entry_id for e in in_turn(entries, 9, np.random.default_rng(0))) == sorted(
        e.entry_id for e in entries
    )


def features_of_frame(frame: Frame) -> FrameFeatures:
    """Logits that are the frame's mean, and its first rows as windows."""
    windows = frame.values[:, :1].repeat(128, axis=1)
    ids = np.zeros(len(windows), np.uint32)
    summary = frame.values[0, :4]
    logits = np.full(128, frame.values.mean(), np.float32)
    return FrameFeatures("presentation:CT", logits, windows, summary, windows[:, :2], ids)


def test_people_count_equally_whatever_they_have():
    """One person has three frames of one look; two others have one frame each."""
    values = {1: 0.0, 2: 0.0, 3: 0.0, 4: 1.0, 5: 2.0}
    catalogue = catalogue_of(("a", "CT", "one", 3), ("a", "CT", "two", 1), ("a", "CT", "three", 1))
    entries = drawn(catalogue, 9)["CT"]

    def read(entry: EntryInfo) -> Frame:
        return Frame(entry.info, np.full((96, 96), values[entry.entry_id], np.float32), Units.PRESENTATION)

    found = measure(
        entries, read, features_of_frame, np.random.default_rng(0), lambda *_: None, Summaries((3,))
    )
    assert (found.medians().frame == 1).all()
    assert (found.medians().windows == 1).all()
    assert found.number_of_people == 3
    weights = found.weights()
    assert [weight.sum() for weight in weights] == pytest.approx([3, 3])
    alone = found.of_people(np.array([found.people[0]]))
    assert alone.number_of_people == 1
    assert len(alone.windows) == 64 * len(alone.frames)


def test_frames_that_are_gone_are_left_out_and_who_has_two_modalities_is_one_person():
    entries = drawn(catalogue_of(("a", "CT", "one", 4)), 9)["CT"]

    def read(entry: EntryInfo) -> Frame:
        if entry.entry_id == 2:
            raise DecodeError("gone", "look")
        return texture(entry)

    told: list[tuple[int, int]] = []
    summaries = Summaries((3,))
    rng = np.random.default_rng(0)
    found = measure(entries, read, features_of_frame, rng, lambda *done: told.append(done), summaries)
    assert len(found.frames) == 3
    assert summaries.counted() == {"presentation:CT": Counted(3, 1)}
    assert told[-1] == (4, 4)
    nothing = measure([], read, features_of_frame, np.random.default_rng(0), lambda *_: None, Summaries((3,)))
    both = pooled([found, nothing, found])
    assert (len(both.frames), both.number_of_people) == (6, 1)
    assert np.array_equal(both.frames[both.frame_of], np.concatenate([found.frames[found.frame_of]] * 2))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a dozen frames be enough, so that tests take seconds."""
    monkeypatch.setattr(module, "LEAST_FRAMES", 10)
    monkeypatch.setattr(module, "LEAST_PEOPLE", 5)


def archive() -> dict[str, list[EntryInfo]]:
    people = [("a", "MR", f"{PATIENT}{i}", 2) for i in range(6)]
    return drawn(catalogue_of(*people, ("a", "CT", "one", 3)), 100)


@pytest.mark.slow
def test_bits_of_an_adapted_model_halve_the_archive(few, tmp_path):
    sample, out = archive(), tmp_path / "ours"
    done = adapt(shipped_bundle(), out, sample, texture, np.random.default_rng(0), lambda *_: None)
    verify(out)
    info = read_info(out)
    assert (info.name, info.fingerprint) == ("ours", done.fingerprint)
    assert (out / WEIGHTS).read_bytes() == (shipped_bundle() / WEIGHTS).read_bytes()
    encoder = HmarEncoder.load(out)
    codes = np.stack([encoder.encode(texture(entry)).global_code for entry in sample["MR"]])
    assert (np.unpackbits(codes, axis=1).sum(axis=0) == 6).all()  # of 12 frames, 6 people with 2 each
    assert golden_difference(out / "golden.npz", encoder)[0] == 0
    plain = HmarEncoder.load(shipped_bundle())
    frame = texture(sample["CT"][0])
    assert np.array_equal(encoder.encode(frame).global_code, plain.encode(frame).global_code)
    assert done.kept == {"CT": "3 frames of 1 people"}
    assert [(one.name, one.frames, one.people) for one in done.fitted] == [("MR", 12, 6), (UNKNOWN, 15, 7)]


@pytest.mark.slow
def test_thresholds_are_the_medians_and_frames_without_a_tag_have_those_of_all(few, tmp_path):
    sample, out = archive(), tmp_path / "ours"
    adapt(shipped_bundle(), out, sample, texture, np.random.default_rng(0), lambda *_: None)
    known = read_thresholds(out / THRESHOLDS).known
    encoder = HmarEncoder.load(shipped_bundle())
    frames = {
        name: np.stack([encoder.features(texture(e)).frame_logits for e in sample[name]]) for name in sample
    }
    assert np.array_equal(known["MR"].frame, weighted_median(frames["MR"], np.full(12, 0.5)))
    everyone = np.concatenate([frames["CT"], frames["MR"]])
    shares = np.array([1 / 3] * 3 + [1 / 2] * 12)
    assert np.array_equal(known[UNKNOWN].frame, weighted_median(everyone, shares))
    assert set(known) == {"MR", UNKNOWN}


@pytest.mark.slow
def test_thresholds_that_a_model_has_stay_where_an_archive_has_too_few(few, tmp_path):
    base = Path(shutil.copytree(shipped_bundle(), tmp_path / "base"))
    mine = Thresholds(np.ones(128, np.float32), np.ones(128, np.float32))
    give(base, ModalityThresholds({"CT": mine, "US": mine}))
    adapt(base, tmp_path / "ours", archive(), texture, np.random.default_rng(0), lambda *_: None)
    known = read_thresholds(tmp_path / "ours" / THRESHOLDS).known
    assert all((known[name].windows == 1).all() for name in ("CT", "US"))
    assert not (known["MR"].windows == 1).all()


@pytest.mark.slow
def test_what_an_archive_has_enough_of_is_typical_afterwards_and_other_kinds_stay(few, tmp_path):
    sample, out = archive(), tmp_path / "ours"
    done = adapt(shipped_bundle(), out, sample, texture, np.random.default_rng(0), lambda *_: None)
    assert done.typicality.fitted == {"presentation:MR": Counted(12, 6)}
    assert done.typicality.too_few == {"presentation:CT": Counted(3, 1)}
    before, after = HmarEncoder.load(shipped_bundle()), HmarEncoder.load(out)
    frame = texture(sample["MR"][0])
    assert before.image_query(frame).typicality < ATYPICAL < after.image_query(frame).typicality
    slices = golden_frame()
    assert after.image_query(slices).typicality == before.image_query(slices).typicality
    assert after.image_query(texture(sample["CT"][0])).typicality is None


@pytest.mark.slow
def test_the_card_says_how_many_and_not_who(few, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for base, out in ((shipped_bundle(), first), (first, second)):
        adapt(base, out, archive(), texture, np.random.default_rng(0), lambda *_: None)
    text = (second / CARD).read_text()
    assert text.startswith("# second\n")
    assert text.count("## Thresholds") == 1
    assert "| MR | 12 | 6 | frame, after | " in text
    assert f"Weights of first ({read_info(first).fingerprint})" in text
    assert "## Limits" in text
    assert text.count("## Typicality") == 1
    assert "| presentation:MR | 12 frames of 6 people |" in text
    assert "| HU | as in first |" in text
    assert PATIENT not in text
    assert "2.25" not in text


def test_a_folder_that_holds_something_is_not_overwritten(tmp_path):
    (tmp_path / "notes").touch()
    with pytest.raises(ConfigError, match="there already"):
        adapt(shipped_bundle(), tmp_path, {}, texture, np.random.default_rng(0), lambda *_: None)


def test_an_archive_of_too_few_is_refused_and_nothing_is_written(tmp_path):
    sample = {"CT": archive()["CT"]}
    with pytest.raises(NotFoundError, match="CT: 3 frames of 1 people"):
        adapt(shipped_bundle(), tmp_path / "out", sample, texture, np.random.default_rng(0), lambda *_: None)
    assert not (tmp_path / "out").exists()
