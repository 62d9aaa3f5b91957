"""A client finds what the archive itself finds, as values of the same types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hmar
from hmar.errors import DecodeError, InputError, NotFoundError, ParameterError, RegionError
from hmar.values.groups import GroupResults
from hmar.values.results import Results
from tests.hmar.client.conftest import Served
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.service.conftest import NODULE

pytestmark = pytest.mark.slow

BOX = (NODULE[0] - 10, NODULE[1] - 10, 20, 20)
OUTLINE = hmar.Outline(((48.5, 86), (56, 72), (70, 70), (74.25, 90), (60, 98)))
FRAME = hmar.IndexedFrame(sop_uid(1, 2))
FILE = ct_file(1, 2, NODULE)


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[hmar.Client]:
    with served.client() as client:
        yield client


@pytest.fixture(scope="module")
def mine(served: Served) -> Iterator[hmar.Archive]:
    with hmar.Archive(served.archive.engine.settings.home, "thumbnail") as archive:
        yield archive


def told(results: Results | GroupResults) -> dict[str, Any]:
    return {**results.to_dict(), "took_ms": 0}


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"k": 3, "mode": "local", "bits": 64},
        {"box": BOX, "exclude": "instance"},
        {"box": hmar.Box(*BOX), "exclude": hmar.Exclusion("series", study_uids=["1.2.3"])},
        {"box": [BOX, (100, 90, 30.5, 20)], "mode": "auto"},
        {"group_by": "series", "sex": ["F", "O"]},
        {"where": {"age_years": (40, None), "study_date": (None, "2021-01-01")}, "contrast": None},
        {"box": BOX, "group_by": "place"},
        {"box": BOX, "search": "exact"},
        {"search": "fast"},
        {"box": OUTLINE},
        {"box": [BOX, OUTLINE], "mode": "auto"},
        {"collection": "elsewhere"},
        {"only": [series_uid(3), "1.2.3"]},
        {"box": BOX, "relevant": [FRAME], "not_relevant": [hmar.IndexedFrame(sop_uid(3, 1))]},
    ],
)
def test_a_file_finds_what_the_archive_itself_finds(
    client: hmar.Client, mine: hmar.Archive, how: dict[str, Any]
) -> None:
    assert told(client.search(FILE, **how)) == told(mine.search(FILE, **how))


def test_a_file_is_given_by_its_path_too(client: hmar.Client, tmp_path: Path) -> None:
    path = tmp_path / "slice.dcm"
    path.write_bytes(FILE)
    assert (
        told(client.search(str(path), BOX))
        == told(client.search(path, BOX))
        == told(client.search(FILE, BOX))
    )


def test_a_frame_of_the_archive_is_named_or_is_a_hit_or_is_listed(
    client: hmar.Client, mine: hmar.Archive
) -> None:
    expected = told(mine.search(FILE, BOX, exclude="instance"))
    [hit] = client.search(FILE, k=1)
    [listed] = [
        one for one in client.frames(series_uid(1)) if one.info.sop_instance_uid == FRAME.sop_instance_uid
    ]
    for frame in (FRAME, hit, listed):
        assert told(client.search(frame, BOX)) == expected


@pytest.mark.parametrize("image", [FRAME, FILE])
def test_pages_hold_the_hits_of_one_search(client: hmar.Client, image: Any) -> None:
    pages = list(client.pages(image, BOX, k=9, limit=4))
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [hit for page in pages for hit in page] == list(client.search(image, BOX, k=9))


def test_a_page_is_asked_for_when_it_is_needed(client: hmar.Client) -> None:
    assert len(next(client.pages(FRAME, k=2, limit=1))) == 1


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"mode": "global", "k": 1},
        {"aggregation": "mean", "exclude": "study"},
        {"only": [series_uid(1), series_uid(2)]},
    ],
)
def test_series_and_studies_are_what_the_archive_itself_finds(
    client: hmar.Client, mine: hmar.Archive, how: dict[str, Any]
) -> None:
    uid, study = series_uid(1), mine.series()[0].study_uid
    assert told(client.search_series(uid, **how)) == told(mine.search_series(uid, **how))
    assert told(client.search_study(study, **how)) == told(mine.search_study(study, **how))


def test_a_batch_is_answered_query_by_query(client: hmar.Client) -> None:
    outside = (1000, 1000, 5, 5)
    whole, region, error, missing = client.search_batch(
        [(FRAME, None), (FRAME, BOX), (FRAME, outside), (hmar.IndexedFrame("1.2.3"), None)], k=3
    )
    assert isinstance(whole, Results)
    assert isinstance(region, Results)
    assert told(whole) == told(client.search(FRAME, k=3))
    assert told(region) == told(client.search(FRAME, BOX, k=3))
    assert isinstance(error, RegionError)
    assert "1000,1000,5,5" in error.detail
    assert isinstance(missing, NotFoundError)


@pytest.mark.parametrize(
    ("image", "how", "expected"),
    [
        (b"no image", {}, DecodeError),
        (Path("not there.dcm"), {}, DecodeError),
        (FRAME, {"box": (1, 2, 3)}, RegionError),
        (FRAME, {"box": (1000, 1000, 5, 5)}, RegionError),
        (FRAME, {"k": 0}, ParameterError),
        (FRAME, {"modalty": "CT"}, ParameterError),
        (FRAME, {"age_years": 40}, ParameterError),
        (FRAME, {"sex": "F", "where": {"sex": "M"}}, ParameterError),
        (FRAME, {"exclude": "ward"}, ParameterError),
        (FRAME, {"only": series_uid(1)}, ParameterError),
        (FRAME, {"only": []}, ParameterError),
        (hmar.IndexedFrame("1.2.3"), {}, NotFoundError),
        (FILE, {"frame_number": 2}, ParameterError),
    ],
)
def test_what_the_archive_refuses_is_refused_with_the_same_error(
    client: hmar.Client, image: Any, how: dict[str, Any], expected: type[InputError]
) -> None:
    with pytest.raises(expected) as raised:
        client.search(image, **how)
    assert raised.value.detail
    assert raised.value.remedy
