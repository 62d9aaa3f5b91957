"""Exact and fast searches by the API: what is asked for, and what an answer tells of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pydicom
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hmar.thumbnail import ThumbnailEncoder
from hmar.values.identity import Identity
from hmar.values.results import Results
from hmar.wiring import build_engine
from service.app import create_app
from tests.fast import FRAMES as CROWD
from tests.fast import add_crowd, fast_at_any_size
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.service.asking import client_of
from tests.service.conftest import FRAMES, NODULE, Archive, build_archive, fill

IMAGE = "/api/v1/search/image"
REGION = "/api/v1/search/region"
BATCH = "/api/v1/search/batch"
UID = {"sop_instance_uid": sop_uid(1, 2)}
BOXED = UID | {"region": [50, 70, 20, 20]}
EXACT = {"made": "exact", "ranked_share": 1, "expected_recall": 1}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that is searched fast unless it is asked not to."""
    with fast_at_any_size():
        archive = fill(build_archive(tmp_path_factory.mktemp("large"), fast_above=1))
        add_crowd(archive.engine, ct_file(1, 2, NODULE))
        yield archive
        archive.engine.close()


def asked(archive: Archive, route: str, **fields: Any) -> dict[str, Any]:
    answer = archive.client.post(route, json=fields)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


@pytest.mark.parametrize(
    ("route", "fields"), [(IMAGE, UID), (REGION, BOXED), (IMAGE, UID | {"mode": "global"})]
)
@pytest.mark.parametrize("search", [{}, {"search": "exact"}, {"search": "fast"}])
def test_a_small_archive_is_searched_exactly_whatever_is_asked(
    archive: Archive, route: str, fields: dict[str, Any], search: dict[str, str]
) -> None:
    told = asked(archive, route, **fields, **search)
    assert told["search"] == EXACT
    assert told["hits"] == asked(archive, route, **fields)["hits"]


def test_a_form_asks_for_it_too(archive: Archive) -> None:
    def sent(search: str) -> Any:
        file = (io.BytesIO(ct_file(1, 2, NODULE)), "x.dcm")
        return archive.client.post(REGION, data={"file": file, "region": "50,70,20,20", "search": search})

    assert sent("exact").get_json()["search"] == EXACT
    refused = sent("quick")
    assert (refused.status_code, "search is 'quick'" in refused.get_json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("route", "fields", "said"),
    [
        (IMAGE, UID | {"search": None}, "search is null"),
        (REGION, BOXED | {"search": 1}, "search is 1"),
        (BATCH, {"queries": [UID], "search": "quick"}, "search is 'quick'"),
        ("/api/v1/exports", UID | {"search": "quick"}, "search is 'quick'"),
        ("/api/v1/search/series", {"series_uid": series_uid(1), "search": "exact"}, "search"),
    ],
)
def test_what_is_no_way_to_search_is_refused_by_name(
    archive: Archive, route: str, fields: dict[str, Any], said: str
) -> None:
    answer = archive.client.post(route, json=fields)
    assert answer.status_code in (400, 422)
    assert said in answer.get_json()["detail"]


def test_each_answer_of_a_batch_tells_it(archive: Archive) -> None:
    told = asked(archive, BATCH, queries=[UID, BOXED], search="exact")
    assert [item["answer"]["search"] for item in told["answers"]] == [EXACT, EXACT]


@pytest.mark.parametrize(("route", "fields"), [(IMAGE, UID), (REGION, BOXED)])
@pytest.mark.parametrize("search", [{}, {"search": "fast"}])
def test_a_large_archive_is_searched_fast_and_says_so(
    large: Archive, route: str, fields: dict[str, Any], search: dict[str, str]
) -> None:
    told = asked(large, route, **fields, **search, k=3)
    assert (told["search"]["made"], told["searched_frames"]) == ("fast", FRAMES + CROWD - 1)
    assert set(told["search"]) == set(EXACT)
    assert all(0 < told["search"][name] <= 1 for name in EXACT if name != "made")
    exact = asked(large, route, **fields, search="exact", k=3)
    assert exact["search"] == EXACT
    assert told["hits"] == exact["hits"]
    assert Results.from_dict(told).thoroughness.to_dict() == told["search"]


def test_filters_and_groups_hold_in_a_fast_search(large: Archive) -> None:
    told = asked(large, REGION, **BOXED, k=3, collection="crowd", group_by="series")
    assert told["search"]["made"] == "fast"
    assert len({hit["series_uid"] for hit in told["hits"]}) == 3
    assert {hit["collection"] for hit in told["hits"]} == {"crowd"}


def test_a_key_for_one_collection_finds_nothing_else_in_a_fast_search(large: Archive) -> None:
    reader = client_of(large, Identity("reader", frozenset({"search"}), frozenset({"crowd"})))
    file = (io.BytesIO(ct_file(1, 2, NODULE)), "x.dcm")
    told = reader.post(REGION, data={"file": file, "region": "50,70,20,20", "k": "3"}).get_json()
    assert (told["search"]["made"], told["searched_frames"]) == ("fast", CROWD)
    assert {hit["collection"] for hit in told["hits"]} == {"crowd"}


def test_each_answer_of_a_batch_may_be_fast(large: Archive) -> None:
    told = asked(large, BATCH, queries=[UID, BOXED], k=3)
    assert [item["answer"]["search"]["made"] for item in told["answers"]] == ["fast", "fast"]


def test_pages_of_a_fast_search_are_its_hits(large: Archive) -> None:
    first = asked(large, REGION, **BOXED, k=4, limit=2)
    second = asked(large, REGION, **BOXED, k=4, limit=2, cursor=first["next"])
    assert [page["search"]["made"] for page in (first, second)] == ["fast", "fast"]
    assert first["hits"] + second["hits"] == asked(large, REGION, **BOXED, k=4)["hits"]
    assert second["next"] is None


def test_pages_stay_exact_where_the_first_was(large: Archive) -> None:
    """As when the archive grows between two pages: by another server's setting it is not large yet."""
    more = replace(large.engine.settings, fast_above=large.engine.index.stats().windows + 1)
    engine = build_engine(more, ThumbnailEncoder())
    other = Archive(engine, create_app(engine), large.key)
    first = asked(other, REGION, **BOXED, k=4, limit=2)
    second = asked(large, REGION, **BOXED, k=4, limit=2, cursor=first["next"])
    engine.close()
    assert [page["search"] for page in (first, second)] == [EXACT, EXACT]
    assert first["hits"] + second["hits"] == asked(large, REGION, **BOXED, k=4, search="exact")["hits"]


@pytest.mark.parametrize(("search", "said"), [({}, True), ({"search": "exact"}, False)])
def test_documents_of_a_fast_search_say_so(large: Archive, search: dict[str, str], said: bool) -> None:
    answer = large.client.post("/api/v1/exports", json=BOXED | {"k": 3, "kinds": ["picture"]} | search)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as packed:
        picture = pydicom.dcmread(io.BytesIO(packed.read("picture.dcm")))
    assert ("a nearer image may be missing" in picture.ImageComments) is said


@pytest.mark.parametrize(("search", "said"), [({}, True), ({"search": "exact"}, False)])
def test_where_a_fast_search_lacks_a_chosen_hit_an_exact_one_is_advised(
    large: Archive, search: dict[str, str], said: bool
) -> None:
    strange = {"hits": [{"sop_instance_uid": sop_uid(3, 1)}], "k": 1}
    answer = large.client.post("/api/v1/exports", json=BOXED | strange | search)
    assert answer.status_code == 404, answer.text
    assert ("search exactly" in answer.get_json()["remedy"]) is said


def test_fast_searches_are_counted_apart(large: Archive) -> None:
    def counted() -> dict[str, float]:
        text = large.client.get("/metrics").get_data(as_text=True)
        return {
            sample.labels["made"]: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "hmar_queries_total" and sample.labels["typicality"] == "not_told"
        }

    before = counted()
    asked(large, REGION, **BOXED, k=3)
    asked(large, REGION, **BOXED, k=3, search="exact")
    assert {made: value - before[made] for made, value in counted().items()} == {"exact": 1, "fast": 1}
