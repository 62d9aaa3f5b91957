"""Python and the API over one data directory: one answer, and pictures of frames without a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import hmar
from tests.frames import textured_frame
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.service.conftest import NODULE, Archive, build_archive, fill

BOX = (NODULE[0] - 10, NODULE[1] - 10, 20, 20)


@pytest.mark.slow
def test_what_python_finds_is_what_the_api_answers(archive: Archive) -> None:
    body = {"sop_instance_uid": sop_uid(1, 2), "region": BOX, "k": 5, "filters": {"sex": ["F", "O"]}}
    answer = archive.client.post("/api/v1/search/region", json=body).get_json()
    with hmar.Archive(archive.engine.settings.home, "thumbnail") as mine:
        query = ct_file(1, 2, NODULE)
        results = mine.search(query, BOX, k=5, sex=["F", "O"], exclude="instance")
        listed = [one.to_dict() for one in mine.series()]
        alike = mine.search_series(series_uid(1), mode="local")
    groups = archive.client.post("/api/v1/search/series", json={"series_uid": series_uid(1), "mode": "local"})
    for told, given in ((results.to_dict(), answer), (alike.to_dict(), groups.get_json())):
        given.pop("took_ms")
        told.pop("took_ms")
        assert given.pop("next") is None, "of pages the API alone knows"
        assert told == given
    assert listed == archive.client.get("/api/v1/series").get_json()["series"]


@pytest.mark.slow
def test_what_python_adds_is_found_by_the_api_and_the_other_way_round(tmp_path: Path) -> None:
    served = fill(build_archive(tmp_path / "home"))
    with hmar.Archive(served.engine.settings.home, "thumbnail") as mine:
        before = len(mine)
        assert mine.add(ct_file(4, 1)).indexed == 1
        assert mine.add(ct_file(1, 2, NODULE)).unchanged == 1
        listed = served.client.get("/api/v1/series").get_json()["series"]
        assert series_uid(4) in {one["series_uid"] for one in listed}
        assert len(mine) == before + 1


@pytest.mark.slow
def test_a_frame_without_a_file_has_no_picture_and_breaks_nothing(tmp_path: Path) -> None:
    served = build_archive(tmp_path / "home")
    made = textured_frame(0, 96, 96)
    uid = "2.25.77"
    with hmar.Archive(served.engine.settings.home, "thumbnail") as mine:
        mine.add(replace(made, info=replace(made.info, sop_instance_uid=uid)))
    picture = served.client.get(f"/api/v1/instances/{uid}/frames/1/image")
    assert picture.status_code == 404
    assert "not kept" in picture.get_json()["detail"]
