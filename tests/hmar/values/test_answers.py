"""Answers of the API become the library's values again, and say what they said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import hmar
from hmar.properties.table import TABLE
from hmar.values.deletion import Extent
from hmar.values.entries import EntryInfo, Origin, SeriesInfo
from hmar.values.fast import EXACT, Thoroughness
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box, Spacing
from hmar.values.groups import GroupResults
from hmar.values.jobs import ItemState, Job, JobProgress, JobState, reindexing_origin
from hmar.values.results import Results
from tests.frames import frame_info, textured_frame
from tests.hmar.values.test_results import HIT, results
from tests.phantoms import ct_file
from tests.samples import samples

BOX = (60, 80, 40, 40)


@pytest.fixture(scope="module")
def archive() -> Iterator[hmar.Archive]:
    with hmar.Archive(model="thumbnail") as archive:
        for series in (1, 2):
            for number in (1, 2, 3):
                archive.add(ct_file(series, number))
        info = replace(
            frame_info(200, 200, None, "MR"), sop_instance_uid="2.25.9", position=(1.0, -2.5, 1e-7)
        )
        archive.add(replace(textured_frame(0, 200, 200, None), info=info))
        yield archive


def sent(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a client reads of an answer."""
    read: dict[str, Any] = json.loads(json.dumps(told, allow_nan=False))
    return read


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"box": BOX},
        {"box": [BOX, (20.5, 30.25, 25, 60)], "mode": "auto", "bits": 64},
        {"group_by": "series", "k": 2},
        {"modality": "XA"},
        {"box": BOX, "modality": "MR"},
    ],
)
def test_results_say_again_what_the_answer_said(archive: hmar.Archive, how: dict[str, Any]) -> None:
    told = sent(archive.search(ct_file(1, 1), **how).to_dict())
    assert Results.from_dict(told).to_dict() == told
    assert bool(told["hits"]) == (how.get("modality") != "XA")


@pytest.mark.parametrize("how", [{}, {"mode": "global"}, {"aggregation": "mean"}, {"modality": "XA"}])
def test_series_and_studies_say_again_what_the_answer_said(
    archive: hmar.Archive, how: dict[str, Any]
) -> None:
    listed = archive.series()[0]
    for told in (
        sent(archive.search_series(listed.series_uid, **how).to_dict()),
        sent(archive.search_study(listed.study_uid, **how).to_dict()),
    ):
        assert GroupResults.from_dict(told).to_dict() == told


def test_hits_are_values_of_the_types_that_the_archive_gives(archive: hmar.Archive) -> None:
    mine = archive.search(ct_file(1, 1), BOX)
    read = Results.from_dict(sent(mine.to_dict()))
    for hit, other in zip(read, mine, strict=True):
        assert type(hit.box) is Box
        assert hit.box == pytest.approx(other.box, abs=1e-6)
        assert hit.distance == pytest.approx(other.distance, abs=1e-6)
        assert hit.entry.info.study_date == other.entry.info.study_date
        assert hit.query_typicality == other.query_typicality
    assert type(read[0].entry.info.study_date) is date
    assert (read.region, read.frame.spacing) == (mine.region, mine.frame.spacing)


def test_a_distance_that_is_not_known_is_not_a_number() -> None:
    told = sent(results(HIT).to_dict())
    read = Results.from_dict(told)
    assert math.isnan(read[0].local_score)
    assert read[0].query_out_of_distribution is True
    assert read.to_dict() == told


def test_a_fast_search_says_again_how_thorough_it_was() -> None:
    fast = Thoroughness("fast", 0.0812, 0.9968)
    told = sent(replace(results(HIT), thoroughness=fast).to_dict())
    assert told["search"]["made"] == "fast"
    assert Results.from_dict(told).thoroughness == fast


def test_a_server_that_does_not_tell_how_it_searched_searched_exactly() -> None:
    told = sent(results(HIT).to_dict())
    del told["search"]
    assert Results.from_dict(told).thoroughness == EXACT


def test_a_spacing_with_many_digits_gives_the_same_lengths_again() -> None:
    info = replace(frame_info(), spacing=Spacing(0.68359375, 0.1 + 0.2))
    found = replace(results(HIT, region=Box(300, 347, 36, 41.5)), frame=info)
    told = sent(found.to_dict())
    assert told["query"]["spacing_mm"] == [0.68359375, 0.1 + 0.2]
    assert Results.from_dict(told).to_dict() == told


def test_what_an_answer_does_not_tell_is_empty(archive: hmar.Archive) -> None:
    [read] = Results.from_dict(sent(archive.search(ct_file(1, 1), k=1).to_dict()))
    entry = read.entry
    assert (entry.entry_id, entry.origin, entry.model_fingerprint) == (0, ("", ""), "")
    assert entry.info.patient_key is None


@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)
def test_every_property_is_read_as_it_was_told(item: Any) -> None:
    for value in samples(item):
        read = item.from_answer(json.loads(json.dumps(item.to_json(value))))
        assert (read, type(read)) == (value, type(value))
    assert item.from_answer(None) is None


def test_frames_series_and_counts_say_again_what_the_answer_said(archive: hmar.Archive) -> None:
    for entry in archive.frames():
        told = sent(entry.to_dict())
        assert EntryInfo.from_dict(told).to_dict() == told
        assert FrameInfo.from_dict(sent(entry.info.to_dict())).to_dict() == entry.info.to_dict()
    assert [SeriesInfo.from_dict(sent(one.to_dict())) for one in archive.series()] == archive.series()
    assert Extent.from_dict({**Extent(4, 3, 2, 1).to_dict(), "level": "study"}) == Extent(4, 3, 2, 1)


@pytest.mark.parametrize("origin", [Origin("local", "/data"), reindexing_origin("5212d9d0005a4587")])
def test_jobs_say_again_what_the_answer_said(origin: Origin) -> None:
    counts = dict.fromkeys(ItemState, 2)
    job = Job("0f9a", "ct", origin, JobState.RUNNING, 1000.25, 1001.5, counts, 7, None, "mine")
    told = sent(JobProgress(job, 2.5).to_dict())
    read = JobProgress.from_dict(told)
    assert (read.to_dict(), read.job.model) == (told, job.model)


def test_answers_of_servers_of_earlier_versions_are_read() -> None:
    told = sent(results(HIT).to_dict())
    del told["refined"], told["unindexed_frames"]
    read = Results.from_dict(told)
    assert (read.refined, read.unindexed_frames) == (None, 0)
    job = Job("0f9a", "ct", Origin("local", ""), JobState.DONE, 1000.0, 1001.0, {}, 7, None).summary()
    del job["kind"], job["model_fingerprint"]
    assert Job.from_dict(job).model is None
