"""Searching for several regions of one frame at once, as JSON and as a form."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hmar.values.codes import hamming
from hmar.values.outline import Outline
from hmar.values.selection import Selection
from tests.phantoms import SPACING_MM, ct_file, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import NODULE, Archive

REGION = "/api/v1/search/region"
BOXES = [[NODULE[0] - 10, NODULE[1] - 10, 20, 20], [90, 90, 40, 30]]
UID = {"sop_instance_uid": sop_uid(1, 2)}


def found(archive: Archive, **fields: Any) -> dict[str, Any]:
    answer = archive.client.post(REGION, json=UID | {"k": 1000} | fields)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_hit_has_a_box_for_each_region_and_the_mean_of_their_distances(archive: Archive) -> None:
    answer = found(archive, regions=BOXES)
    query = answer["query"]
    assert (query["region"], query["region_mm"]) == (None, None)
    assert [list(each["region"].values()) for each in query["regions"]] == BOXES
    assert query["regions"][1]["region_mm"]["width"] == pytest.approx(40 * SPACING_MM)
    for hit in answer["hits"]:
        distances = [each["distance"] for each in hit["regions"]]
        assert hit["distance"] == pytest.approx(sum(distances) / 2, abs=1e-5)
        assert hit["box"] == hit["regions"][0]["box"]
        assert hit["regions"][0]["score"] == pytest.approx(1 - distances[0] / 128, abs=1e-5)


def test_regions_together_are_as_near_as_each_is_alone(archive: Archive) -> None:
    together = {hit["sop_instance_uid"]: hit["regions"] for hit in found(archive, regions=BOXES)["hits"]}
    for number, box in enumerate(BOXES):
        for hit in found(archive, region=box)["hits"]:
            [alone] = hit["regions"]
            assert together[hit["sop_instance_uid"]][number] == alone
            assert alone["distance"] == hit["distance"]


def test_one_of_several_regions_is_that_region(archive: Archive) -> None:
    one, alone = found(archive, regions=BOXES[:1]), found(archive, region=BOXES[0])
    assert one | {"took_ms": 0} == alone | {"took_ms": 0}


def test_a_form_gives_regions_with_semicolons_between(archive: Archive) -> None:
    text = ";".join(",".join(map(str, box)) for box in BOXES)
    fields = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "a.dcm"), "regions": text, "k": "1000"}
    sent = archive.client.post(REGION, data=fields).get_json()
    others = [hit | {"rank": 0} for hit in sent["hits"] if hit["sop_instance_uid"] != UID["sop_instance_uid"]]
    assert others == [hit | {"rank": 0} for hit in found(archive, regions=BOXES)["hits"]]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"regions": []}, "regions is []"),
        ({"regions": BOXES * 9}, "regions is [["),
        ({"regions": [[1, 2, 3]]}, "[[1, 2, 3]]"),
        ({"regions": {"x": 1}}, "{'x': 1}"),
        ({"regions": None}, "regions is null"),
        ({"regions": BOXES, "region": BOXES[0]}, "both given"),
        ({}, "region is None"),
        ({"regions": [BOXES[0], [180, 70, 20, 20]]}, "180,70,20,20"),
        ({"regions": [[50, 70, 0, 20]]}, "50,70,0,20"),
    ],
)
def test_bad_regions_are_refused_by_name(archive: Archive, fields: dict[str, Any], named: str) -> None:
    answer = archive.client.post(REGION, json=UID | fields)
    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]


def test_the_search_for_a_whole_image_knows_no_regions(archive: Archive) -> None:
    answer = archive.client.post("/api/v1/search/image", json=UID | {"regions": BOXES})
    assert answer.status_code == 422
    assert "whole image" in answer.get_json()["detail"]


def test_a_place_is_the_nearest_frame_of_a_series_with_its_neighbours(archive: Archive) -> None:
    series = found(archive, region=BOXES[0], group_by="series")["hits"]
    places = found(archive, region=BOXES[0], group_by="place", k=100)["hits"]
    assert [hit["place"] for hit in series] == [None] * len(series)
    assert [hit | {"place": None} for hit in places] == series
    frames = {hit["sop_instance_uid"]: hit for hit in found(archive, region=BOXES[0])["hits"]}
    for hit in places:
        place = hit["place"]
        ends = [frames[place[end]["sop_instance_uid"]] for end in ("first", "last")]
        assert [end["series_uid"] for end in ends] == [hit["series_uid"]] * 2
        assert place["distances"][0] == ends[0]["experts"]["local"]["distance"]
        assert place["distances"][-1] == ends[1]["experts"]["local"]["distance"]
        assert hit["experts"]["local"]["distance"] == min(place["distances"])
        assert place["extent"]["width_mm"] == pytest.approx(place["box"]["width"] * SPACING_MM, abs=1e-5)


def test_a_place_is_shown_once_on_the_pages_of_a_search(archive: Archive) -> None:
    fields = {"region": BOXES[0], "group_by": "place", "k": 10}
    whole, answer = found(archive, **fields)["hits"], found(archive, **fields, limit=1)
    shown = answer["hits"]
    while answer["next"]:
        answer = found(archive, **fields, limit=1, cursor=answer["next"])
        shown += answer["hits"]
    assert shown == whole


def test_outlines_are_shown_page_by_page_and_a_cursor_is_of_one_outline(archive: Archive) -> None:
    x, y = NODULE[:2]
    outline = [[x - 10, y - 10], [x + 10, y - 10], [x, y + 10]]
    for fields in ({"region": outline}, {"regions": [outline, BOXES[1]]}):
        whole, answer = found(archive, **fields, k=10)["hits"], found(archive, **fields, k=10, limit=2)
        first, shown = answer["next"], answer["hits"]
        while answer["next"]:
            answer = found(archive, **fields, k=10, limit=2, cursor=answer["next"])
            shown += answer["hits"]
        assert shown == whole
        other = fields | {"cursor": first, "region": [*outline[:2], [x, y + 9]]}
        refused = archive.client.post(REGION, json=UID | {"k": 10, "limit": 2} | other)
        assert refused.status_code in (400, 422)


def test_places_are_of_regions_and_of_few_hits(archive: Archive) -> None:
    for path, fields in (
        ("image", {"group_by": "place", "k": 10}),
        ("region", {"group_by": "place", "k": 101, "region": BOXES[0]}),
    ):
        answer = archive.client.post(f"/api/v1/search/{path}", json=UID | fields)
        assert answer.status_code == 422
        assert "'place'" in answer.get_json(force=True)["detail"]


def test_a_place_has_nothing_of_collections_that_a_key_does_not_see(empty_archive: Archive) -> None:
    for collection, numbers in (("seen", (1, 2, 4)), ("hidden", (1, 2, 3, 4))):
        files = [(io.BytesIO(ct_file(1, number, NODULE)), f"{number}.dcm") for number in numbers]
        answer = empty_archive.client.post(
            "/api/v1/index-jobs", data={"file": files, "collection": collection}
        )
        assert answer.status_code == 202, answer.text
    reader = client_of(empty_archive, limited("reader", "search", "seen"))
    form = {
        "file": (io.BytesIO(ct_file(1, 3, NODULE)), "x"),
        "region": ",".join(map(str, BOXES[0])),
        "group_by": "place",
    }
    [hit] = reader.post(REGION, data=form).get_json()["hits"]
    assert hit["collection"] == "seen"
    named = {hit["place"][end]["sop_instance_uid"] for end in ("first", "last")}
    assert sop_uid(1, 3) not in named
    assert hit["place"]["frames"] <= 3


OUTLINE = [[50, 74], [60, 70], [72, 78], [70, 92], [56, 96], [48, 86]]


def test_an_outline_is_searched_for_by_its_windows_and_told_by_its_box(archive: Archive) -> None:
    answer = found(archive, region=OUTLINE)
    assert answer["query"]["region"] == {"x": 48, "y": 70, "width": 24, "height": 26}
    distances = {hit["sop_instance_uid"]: hit["distance"] for hit in answer["hits"]}
    frame = archive.engine.decoder.open(ct_file(1, 2, NODULE)).frame(1)
    query = archive.engine.encoder.region_query(frame, Outline(tuple((x, y) for x, y in OUTLINE)))
    for uid, distance in distances.items():
        [entry] = archive.engine.catalogue.find(uid, archive.engine.encoder.fingerprint)
        [codes] = archive.engine.index.codes([entry.entry_id], Selection())
        nearest = hamming(query.window_codes[:, None], codes.window_codes[None]).min(axis=1)
        assert distance == pytest.approx(nearest.mean(), abs=1e-5)


def test_boxes_and_outlines_are_searched_for_together(archive: Archive) -> None:
    together = found(archive, regions=[BOXES[1], OUTLINE])
    assert [list(each["region"].values()) for each in together["query"]["regions"]] == [
        BOXES[1],
        [48, 70, 24, 26],
    ]
    alone = {hit["sop_instance_uid"]: hit["distance"] for hit in found(archive, region=OUTLINE)["hits"]}
    for hit in together["hits"]:
        assert hit["regions"][1]["distance"] == alone[hit["sop_instance_uid"]]


def test_a_form_gives_points_with_spaces_between(archive: Archive) -> None:
    text = " ".join(f"{x},{y}" for x, y in OUTLINE)
    for field, value in (("region", text), ("regions", f"90,90,40,30;{text}")):
        fields = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "a.dcm"), field: value}
        sent = archive.client.post(REGION, data=fields).get_json()
        assert list(sent["query"]["regions"][-1]["region"].values()) == [48, 70, 24, 26]


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ([[1, 2], [3, 4]], "[[1, 2], [3, 4]]"),
        ([[50, 74], [60, 70], [72, "a"]], "'a'"),
        ([[0, 0]] * 257, "region is [["),
        ([[50, 74], [60, 70], [300, 78]], "50,70,250,8"),
        ([[50, 74], [60, 80], [70, 86]], "3 points has no area"),
    ],
)
def test_bad_outlines_are_refused_by_name(archive: Archive, region: object, named: str) -> None:
    answer = archive.client.post(REGION, json=UID | {"region": region})
    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]
