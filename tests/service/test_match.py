"""Two series side by side, over HTTP."""

from __future__ import annotations

from hmar.values.identity import EVERYDAY, Identity
from tests.phantoms import series_uid, sop_uid
from tests.service.conftest import SLICES, Archive


def match_path(series: int) -> str:
    return f"/api/v1/series/{series_uid(series)}/match"


def test_each_frame_of_a_series_is_told_with_the_one_beside_it(archive: Archive) -> None:
    said = archive.client.get(match_path(1), query_string={"to": series_uid(2)}).get_json()
    uids = [frame["sop_instance_uid"] for frame in said["frames"]]
    assert uids == [sop_uid(1, number) for number in range(1, SLICES + 1)]
    assert {frame["beside"]["sop_instance_uid"] for frame in said["frames"]} <= {
        sop_uid(2, number) for number in range(1, SLICES + 1)
    }
    own = archive.client.get(match_path(1), query_string={"to": series_uid(1)}).get_json()
    assert own["order"] == "forward"
    assert {frame["distance"] for frame in own["frames"]} == {0}
    assert [frame["beside"]["sop_instance_uid"] for frame in own["frames"]] == uids


def test_the_distance_is_that_of_the_whole_images(archive: Archive) -> None:
    [first, *_] = archive.client.get(match_path(1), query_string={"to": series_uid(2)}).get_json()["frames"]
    fields = {"sop_instance_uid": first["sop_instance_uid"], "k": 50, "mode": "global"}
    hits = archive.client.post("/api/v1/search/image", json=fields).get_json()["hits"]
    [hit] = [one for one in hits if one["sop_instance_uid"] == first["beside"]["sop_instance_uid"]]
    assert first["distance"] == hit["experts"]["global"]["distance"]


def test_a_series_that_is_not_indexed_or_not_named_is_refused(archive: Archive) -> None:
    assert archive.client.get(match_path(1), query_string={"to": "9.9"}).status_code == 404
    assert archive.client.get(match_path(8), query_string={"to": series_uid(1)}).status_code == 404
    assert archive.client.get(match_path(1)).status_code in (400, 422)


def test_a_series_of_a_collection_that_is_not_seen_is_not_found(archive: Archive) -> None:
    key = archive.engine.keys.create(Identity("elsewhere", EVERYDAY, frozenset({"elsewhere"})))
    client = archive.app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    assert client.get(match_path(1), query_string={"to": series_uid(2)}).status_code == 404
