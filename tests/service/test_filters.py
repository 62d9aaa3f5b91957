"""Filters, exclusions and groups over HTTP, as JSON and as forms; the phantoms differ by series."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from hmar.properties.declaration import Property
from hmar.properties.kinds.bands import Bands
from hmar.properties.table import TABLE
from hmar.values.entries import Origin
from tests.hmar.dicom.build import image, ramp
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid
from tests.samples import samples
from tests.service.conftest import FRAMES, NODULE, SERIES, SLICES, Archive
from tests.service.contract import check

IMAGE = "/api/v1/search/image"
REGION = "/api/v1/search/region"


def found(archive: Archive, route: str = IMAGE, **fields: Any) -> dict[str, Any]:
    """Search with the second slice of series 1 as the query; check the answer's form."""
    body = {"sop_instance_uid": sop_uid(1, 2), "k": 1000} | fields
    check(body, "RegionQuery" if route == REGION else "ImageQuery")
    answer = archive.client.post(route, json=body)
    assert answer.status_code == 200, answer.text
    check(answer.get_json(), "Answer")
    return answer.get_json()


def series_of(answer: dict[str, Any]) -> list[int]:
    names = {series_uid(number): number for number in range(1, SERIES + 1)}
    return [names[hit["series_uid"]] for hit in answer["hits"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "series"),
    [
        ({"sex": "F"}, {1}),
        ({"sex": ["O", "M"]}, {2, 3}),
        ({"age_years": {"min": 50, "max": 60}}, {1, 2}),
        ({"age_years": {"min": 61}}, {3}),
        ({"study_date": {"from": "2020-01-02", "to": "2020-01-02"}}, {2}),
        ({"study_date": {"to": "2020-01-02"}}, {1, 2}),
        ({"manufacturer": "phantom works, 3"}, {3}),
        ({"modality": ["ct", "MR"], "body_part": "chest"}, {1, 2, 3}),
        ({"slice_thickness_mm": {"min": 5, "max": 5.0}}, {1, 2, 3}),
        ({"slice_thickness_mm": {"max": 4.999}}, set()),
        ({"contrast": False}, set()),
        ({"modality": "MR"}, set()),
        ({"label": "none"}, set()),
        ({"sex": "M", "age_years": {"min": 50, "max": 60}}, set()),
        ({}, {1, 2, 3}),
    ],
)
@pytest.mark.parametrize("mode", ["global", "local", "auto"])
def test_filters_limit_the_hits_and_the_count(
    archive: Archive, filters: dict[str, Any], series: set[int], mode: str
) -> None:
    answer = found(archive, filters=filters, mode=mode)
    assert set(series_of(answer)) == series
    assert len(answer["hits"]) == answer["searched_frames"] == SLICES * len(series) - (1 in series)


def test_hits_show_what_they_can_be_filtered_by(archive: Archive) -> None:
    hits = found(archive, filters={"manufacturer": "PHANTOM WORKS, 2"}, k=1)["hits"]
    names = ("sex", "age_years", "study_date", "manufacturer", "label", "modality", "body_part")
    assert [hits[0][name] for name in names] == [
        "O", 60, "2020-01-02", "PHANTOM WORKS, 2", None, "CT", "CHEST",
    ]  # fmt: skip
    assert {name: hits[0][name] for name in ("slice_thickness_mm", "contrast", "laterality")} == {
        "slice_thickness_mm": 5.0,
        "contrast": None,
        "laterality": None,
    }


@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)
def test_every_property_is_in_every_hit_and_filters_by_several_values_or_a_range(
    archive: Archive, item: Property
) -> None:
    for route, hits in (
        (IMAGE, found(archive)["hits"]),
        ("/api/v1/search/series", found_groups(archive)),
    ):
        assert hits, route
        assert all(item.name in hit for hit in hits), route
    value = item.kind.to_json(samples(item)[0])
    if isinstance(item.kind, Bands):
        least, greatest = item.kind.ends
        taken: list[Any] = [{least: value, greatest: value}, {least: value}, {greatest: value}]
        refused: list[Any] = [{}, value, [value], {least: value, "other": value}]
    elif isinstance(value, bool):
        taken, refused = [True, False], ["yes", [True], 1]
    else:
        taken, refused = [value, [value], [item.kind.to_json(one) for one in samples(item)[:2]]], [[], {}, 7]
    for filters in taken:
        found(archive, filters={item.name: filters})
    for filters in refused:
        body = {"sop_instance_uid": sop_uid(1, 2), "filters": {item.name: filters}}
        answer = archive.client.post(IMAGE, json=body)
        assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/parameter-out-of-range")
        assert item.name in answer.get_json()["detail"]


def found_groups(archive: Archive) -> list[dict[str, Any]]:
    answer = archive.client.post("/api/v1/search/series", json={"series_uid": series_uid(1)})
    return list(answer.get_json()["hits"])


def test_a_hit_says_its_collection_and_its_model(archive: Archive) -> None:
    name = archive.engine.encoder.name
    for hit in found(archive)["hits"]:
        assert (hit["collection"], hit["model"]) == ("default", name)


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ({"series_uids": [series_uid(2)]}, {1, 3}),
        ({"study_uids": [f"{ROOT}.92", f"{ROOT}.93", "1.2.3"]}, {1}),
        ({"series_uids": [series_uid(2), series_uid(2)], "same": "series"}, {3}),
        ({"sop_instance_uids": [sop_uid(3, number) for number in range(1, SLICES + 1)]}, {1, 2}),
        ({"series_uids": ["nowhere"], "sop_instance_uids": ["nowhere"]}, {1, 2, 3}),
    ],
)
def test_what_is_named_is_left_out(archive: Archive, exclude: dict[str, Any], left: set[int]) -> None:
    answer = found(archive, exclude=exclude)
    assert set(series_of(answer)) == left
    assert answer["searched_frames"] == len(answer["hits"])
    data = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "x.dcm"), "k": "1000", "exclude": json.dumps(exclude)}
    assert set(series_of(archive.client.post(IMAGE, data=data).get_json())) == left
    asked = {"series_uid": series_uid(1), "exclude": exclude}
    groups = archive.client.post("/api/v1/search/series", json=asked).get_json()
    assert {hit["series_uid"] for hit in groups["hits"]} == {series_uid(number) for number in left - {1}}


@pytest.mark.parametrize("name", ["series_uids", "study_uids", "sop_instance_uids"])
def test_a_list_of_uids_is_bounded_and_of_uids(archive: Archive, name: str) -> None:
    for wrong in ([], ["1"] * 1001, "1.2", [7], ["1" * 65], ["a b"], [None], {"1": 2}):
        body = {"sop_instance_uid": sop_uid(1, 2), "exclude": {name: wrong}}
        answer = archive.client.post(IMAGE, json=body)
        assert answer.status_code == 422
        assert f"exclude.{name}" in answer.get_json()["detail"]
    found(archive, exclude={name: [f"1.{number}" for number in range(1000)]}, k=1)


def test_a_form_takes_the_same_as_json_text(archive: Archive) -> None:
    filters = {"age_years": {"min": 60}, "sex": ["M", "O"]}
    fields = {
        "filters": filters,
        "exclude": {"same": "series"},
        "group_by": "series",
        "region": [50, 70, 20, 20],
    }
    named = found(archive, REGION, **fields)
    form = {name: json.dumps(value) for name, value in fields.items() if name in ("filters", "exclude")}
    form |= {"group_by": "series", "region": "50,70,20,20", "k": "1000"}
    data = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "a.dcm")} | form
    uploaded = archive.client.post(REGION, data=data).get_json()
    assert uploaded["hits"] == named["hits"]
    assert len(named["hits"]) == 2


@pytest.mark.parametrize(
    ("same", "left"),
    [("instance", FRAMES - 1), ("series", FRAMES - SLICES), ("study", FRAMES - SLICES), ("patient", 0)],
)
def test_the_own_instance_series_study_or_patient_is_left_out(archive: Archive, same: str, left: int) -> None:
    data = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "a.dcm"), "k": "1000"}
    data["exclude"] = json.dumps({"same": same})
    uploaded = archive.client.post(IMAGE, data=data).get_json()
    assert len(uploaded["hits"]) == uploaded["searched_frames"] == left
    assert len(found(archive, exclude={"same": same})["hits"]) == left


def test_the_own_patient_cannot_be_left_out_where_nobody_knows_who_it_is(archive: Archive) -> None:
    data = {"file": (io.BytesIO(image(ramp(rows=64, columns=64), PatientID=None)), "a.dcm")}
    data["exclude"] = json.dumps({"same": "patient"})
    answer = archive.client.post(IMAGE, data=data)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["type"]) == (422, "/problems/parameter-out-of-range")
    assert "no patient id" in problem["detail"]
    assert "study" in problem["remedy"]


def test_only_named_series_are_found_in_json_and_in_a_form(archive: Archive) -> None:
    only = {"series_uids": [series_uid(1), series_uid(3), "9.9"]}
    assert {*series_of(found(archive, only=only))} == {1, 3}
    narrower = found(archive, only=only, exclude={"same": "series"}, filters={"sex": "F"})
    assert (narrower["hits"], narrower["searched_frames"]) == ([], 0)
    assert {*series_of(found(archive, only=only, exclude={"same": "series"}))} == {3}
    data = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "a.dcm"), "only": json.dumps(only), "k": "1000"}
    assert {*series_of(archive.client.post(IMAGE, data=data).get_json())} == {1, 3}
    refused = archive.client.post(
        IMAGE, json={"sop_instance_uid": sop_uid(1, 2), "only": {"series_uids": []}}
    )
    assert refused.status_code == 422


@pytest.mark.parametrize(("group_by", "groups"), [("series", SERIES), ("study", SERIES), ("patient", 1)])
@pytest.mark.parametrize("mode", ["global", "local", "auto"])
def test_a_group_is_one_hit_by_its_nearest_frame(
    archive: Archive, group_by: str, groups: int, mode: str
) -> None:
    single = found(archive, mode=mode)["hits"]
    grouped = found(archive, mode=mode, group_by=group_by)["hits"]
    assert [hit["rank"] for hit in grouped] == list(range(1, groups + 1))
    first: dict[str, dict[str, Any]] = {}
    for hit in single:
        first.setdefault("the patient" if group_by == "patient" else hit[f"{group_by}_uid"], hit)
    assert [hit | {"rank": 0} for hit in grouped] == [hit | {"rank": 0} for hit in first.values()]


@pytest.mark.slow
def test_a_label_is_given_by_a_job_and_finds_its_frames(empty_archive: Archive) -> None:
    client = empty_archive.client
    for number, label in ((1, "proven nodules"), (2, None)):
        fields = {} if label is None else {"label": label}
        job = client.post("/api/v1/index-jobs", data={"file": (io.BytesIO(ct_file(number, 1)), "a")} | fields)
        check(job.get_json(), "Job")
        assert job.get_json()["label"] == label
    folder = empty_archive.engine.settings.import_root / "more"
    folder.mkdir(parents=True)
    (folder / "a.dcm").write_bytes(ct_file(3, 1))
    client.post("/api/v1/index-jobs", json={"folder": "more", "label": "More"})
    asked = {"sop_instance_uid": sop_uid(2, 1), "filters": {"label": ["proven nodules", "more"]}}
    hits = client.post(IMAGE, json=asked).get_json()["hits"]
    assert [(hit["sop_instance_uid"], hit["label"]) for hit in hits] == [(sop_uid(1, 1), "proven nodules")]


@pytest.mark.slow
def test_what_was_indexed_without_metadata_is_found_without_filters_alone(empty_archive: Archive) -> None:
    data = image(ramp(rows=64, columns=64))
    upload = empty_archive.engine.uploads.put(data)
    empty_archive.engine.indexer.submit("default", Origin("upload", ""), [upload])
    body = {"file": (io.BytesIO(ct_file(1, 1)), "a.dcm")}
    assert len(empty_archive.client.post(IMAGE, data=dict(body)).get_json()["hits"]) == 1
    for filters in (
        {"sex": ["F", "M", "O"]},
        {"age_years": {"min": 0}},
        {"study_date": {"from": "0001-01-01"}},
        {"slice_thickness_mm": {"min": 0}},
        {"contrast": False},
        {"contrast": True},
    ):
        fields = {"file": (io.BytesIO(ct_file(1, 1)), "a.dcm"), "filters": json.dumps(filters)}
        answer = empty_archive.client.post(IMAGE, data=fields).get_json()
        assert (answer["hits"], answer["searched_frames"]) == ([], 0)
