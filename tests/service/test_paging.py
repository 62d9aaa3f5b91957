"""Pages of one search, of one state of the archive, while others index and delete."""

from __future__ import annotations

import base64
import hmac
import io
from typing import Any

import pytest

from hmar.values.deletion import Selector
from service.cursors import Cursors
from service.errors import CursorError
from service.models.search_request import ImageQuery
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.service.conftest import FRAMES, NODULE, SERIES, Archive, fill

IMAGE = "/api/v1/search/image"
REGION = "/api/v1/search/region"
GROUPS = "/api/v1/search/series"
UID = {"sop_instance_uid": sop_uid(1, 2)}


def asked(archive: Archive, route: str = IMAGE, **fields: Any) -> dict[str, Any]:
    answer = archive.client.post(route, json=fields)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def pages(archive: Archive, route: str = IMAGE, **fields: Any) -> list[dict[str, Any]]:
    """Go through all pages."""
    found = [asked(archive, route, **fields)]
    while found[-1]["next"] is not None:
        found.append(asked(archive, route, **fields, cursor=found[-1]["next"]))
    return found


def hits_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [hit for answer in found for hit in answer["hits"]]


def refused(archive: Archive, route: str = IMAGE, **fields: Any) -> str:
    answer = archive.client.post(route, json=fields)
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["type"] == "/problems/cursor-not-usable"
    assert "next of an answer" in answer.get_json()["remedy"]
    return str(answer.get_json()["detail"])


@pytest.mark.parametrize("limit", [1, 4, FRAMES - 1, 1000])
@pytest.mark.parametrize(
    ("route", "fields"),
    [
        (IMAGE, UID),
        (IMAGE, UID | {"filters": {"sex": ["M", "O"], "age_years": {"min": 1}}, "bits": 64}),
        (IMAGE, UID | {"group_by": "series"}),
        (IMAGE, UID | {"group_by": "patient", "exclude": {"same": "series"}}),
        (REGION, UID | {"region": [50, 70, 20, 20], "mode": "auto"}),
        (GROUPS, {"series_uid": series_uid(2)}),
    ],
)
def test_pages_together_are_the_answer_at_once(
    archive: Archive, route: str, fields: dict[str, Any], limit: int
) -> None:
    whole = asked(archive, route, **fields, k=1000)
    found = pages(archive, route, **fields, k=1000, limit=limit)
    assert whole["next"] is None
    assert hits_of(found) == whole["hits"]
    assert [len(answer["hits"]) for answer in found[:-1]] == [limit] * (len(found) - 1)
    assert {answer["searched_frames"] for answer in found} == {whole["searched_frames"]}


def test_k_bounds_all_pages_together(archive: Archive) -> None:
    found = pages(archive, **UID, k=5, limit=2)
    assert [len(answer["hits"]) for answer in found] == [2, 2, 1]
    assert [hit["rank"] for hit in hits_of(found)] == [1, 2, 3, 4, 5]


def test_a_page_may_be_of_another_length_and_be_asked_for_again(archive: Archive) -> None:
    cursor = asked(archive, **UID, k=9, limit=2)["next"]
    rest = asked(archive, **UID, k=9, cursor=cursor)
    again = asked(archive, **UID, k=9, cursor=cursor, limit=3)
    assert [hit["rank"] for hit in rest["hits"]] == [3, 4, 5, 6, 7, 8, 9]
    assert again["hits"] == rest["hits"][:3]
    assert (rest["next"], again["next"] is None) == (None, False)


def test_a_file_is_searched_for_page_by_page(archive: Archive) -> None:
    def sent(**fields: str) -> dict[str, Any]:
        file = (io.BytesIO(ct_file(1, 2, NODULE)), "x.dcm")
        answer = archive.client.post(IMAGE, data={"file": file, "k": "4"} | fields)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    first = sent(limit="3")
    assert hits_of([first, sent(limit="3", cursor=first["next"])]) == sent()["hits"]
    other = {"file": (io.BytesIO(ct_file(1, 3)), "x.dcm"), "k": "4", "cursor": first["next"]}
    assert archive.client.post(IMAGE, data=other).get_json()["type"] == "/problems/cursor-not-usable"


@pytest.mark.slow
@pytest.mark.parametrize("group_by", [None, "series"])
def test_pages_are_of_one_state_while_others_index_and_delete(
    empty_archive: Archive, group_by: str | None
) -> None:
    archive = fill(empty_archive)
    fields = UID | {"k": 1000} | ({"group_by": group_by} if group_by else {})
    before = asked(archive, **fields)["hits"]
    first = asked(archive, **fields, limit=1)
    # The nearest of all comes, and of what was shown and of what was not, one is deleted.
    catalogue = archive.engine.catalogue
    new = (io.BytesIO(ct_file(1, 7, NODULE)), "new.dcm")
    archive.client.post("/api/v1/index-jobs", data={"file": new})
    assert archive.rows() == FRAMES + 1
    gone = [before[0]["sop_instance_uid"], before[2]["sop_instance_uid"]]
    for uid in gone:
        catalogue.delete(Selector("instance", uid))
    rest = asked(archive, **fields, cursor=first["next"])
    found = hits_of([first, rest])
    assert rest["next"] is None
    assert sop_uid(1, 7) not in {hit["sop_instance_uid"] for hit in found}
    if group_by is None:
        expected = [hit["sop_instance_uid"] for hit in before]
        assert [hit["sop_instance_uid"] for hit in found] == [uid for uid in expected if uid != gone[1]]
    else:
        assert sorted(hit["series_uid"] for hit in found) == sorted(map(series_uid, range(1, SERIES + 1)))
    assert [hit["rank"] for hit in found] == list(range(1, len(found) + 1))
    assert sop_uid(1, 7) in {hit["sop_instance_uid"] for hit in asked(archive, **UID, k=1000)["hits"]}


@pytest.mark.slow
def test_a_series_that_comes_to_another_collection_between_two_pages_changes_neither(
    empty_archive: Archive,
) -> None:
    archive = fill(empty_archive)
    fields = {"series_uid": series_uid(1), "k": 5}
    before = asked(archive, GROUPS, **fields)
    first = asked(archive, GROUPS, **fields, limit=1)
    again = (io.BytesIO(ct_file(1, 1, NODULE)), "again.dcm")
    archive.client.post("/api/v1/index-jobs", data={"file": again, "collection": "aaa"})
    second = asked(archive, GROUPS, **fields, cursor=first["next"])
    assert hits_of([first, second]) == before["hits"]
    assert first["query"] == second["query"] == before["query"]


@pytest.mark.parametrize(
    "changed",
    [
        {"k": 8},
        {"mode": "global"},
        {"bits": 64},
        {"sop_instance_uid": sop_uid(1, 3)},
        {"collection": "default"},
        {"filters": {"sex": "M"}},
        {"exclude": {"same": "instance"}},
        {"group_by": "series"},
        {"search": "exact"},
    ],
)
def test_a_cursor_of_another_search_is_refused(archive: Archive, changed: dict[str, Any]) -> None:
    cursor = asked(archive, **UID, k=9, limit=2)["next"]
    assert "another search" in refused(archive, **(UID | {"k": 9, "cursor": cursor} | changed))


def test_a_cursor_of_another_route_is_refused(archive: Archive) -> None:
    cursor = asked(archive, GROUPS, series_uid=series_uid(1), k=9, limit=1)["next"]
    assert "another search" in refused(archive, **UID, k=9, cursor=cursor)


def test_an_altered_cursor_is_refused_wherever_it_was(archive: Archive) -> None:
    cursor = asked(archive, **UID, k=9, limit=2)["next"]
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for at in range(len(content)):
        altered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        text = base64.urlsafe_b64encode(altered).rstrip(b"=").decode()
        assert "altered" in refused(archive, **UID, k=9, cursor=text)
    for text in ("", "x", "!!", cursor + "A", cursor + "=", cursor[:-1], cursor[:30], "\u00e4", "A" * 99_999):
        assert "altered" in refused(archive, **UID, k=9, cursor=text)


@pytest.mark.parametrize(
    ("route", "fields"), [(IMAGE, UID | {"k": 9}), (GROUPS, {"series_uid": series_uid(1), "k": 9})]
)
def test_a_cursor_that_does_not_say_how_it_was_searched_is_refused(
    archive: Archive, route: str, fields: dict[str, Any]
) -> None:
    """As those of earlier versions, which have the same signature: what was shown follows the model."""
    cursor = asked(archive, route, **fields, limit=1)["next"]
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[32:]
    earlier = content[:32] + content[33:]
    key = hmac.digest(archive.engine.secrets.session, b"signature of a search cursor", "sha256")
    text = base64.urlsafe_b64encode(hmac.digest(key, earlier, "sha256") + earlier).rstrip(b"=").decode()
    assert "earlier version" in refused(archive, route, **fields, cursor=text)


def test_a_cursor_of_another_archive_is_refused(archive: Archive, empty_archive: Archive) -> None:
    cursor = asked(archive, **UID, k=9, limit=2)["next"]
    assert "altered" in refused(empty_archive, **UID, k=9, cursor=cursor)


def test_a_cursor_of_a_log_that_is_gone_is_refused(archive: Archive) -> None:
    """As after a restore of an older copy: the secret is the same, rows of the same numbers are others."""
    cursor = asked(archive, **UID, k=9, limit=2)["next"]
    secret, model = archive.engine.secrets.session, archive.engine.encoder.fingerprint
    restored = Cursors(secret, lambda seq: f"another mark of {seq}", model)
    query = ImageQuery.model_validate(UID | {"k": 9, "cursor": cursor})
    with pytest.raises(CursorError, match="another state"):
        restored.page(query)
    mine = Cursors(secret, archive.engine.searcher.mark_at, model).page(query)
    assert mine is not None
    assert (mine.as_of, len(mine.shown)) == (FRAMES, 2)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"limit": 1001}, "limit is 1001"),
        ({"limit": "many"}, "limit is 'many'"),
        ({"cursor": 7}, "cursor is 7"),
        ({"cursor": None}, "cursor is null"),
    ],
)
def test_bad_fields_are_refused_by_name(archive: Archive, fields: dict[str, Any], named: str) -> None:
    answer = archive.client.post(IMAGE, json=UID | fields)
    assert (answer.status_code, named in answer.get_json()["detail"]) == (422, True)


def test_a_cursor_tells_no_uid_and_no_patient(archive: Archive) -> None:
    found = asked(archive, **UID, k=9, limit=8, group_by="patient", exclude={"same": "series"})
    cursor = asked(archive, **UID, k=9, limit=8)["next"]
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert found["next"] is None
    assert len(content) == 32 + 33 + 8 * 8
    for hit in found["hits"]:
        assert hit["sop_instance_uid"].encode() not in content
