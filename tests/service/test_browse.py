"""Series, frames and pictures for the page."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image

from hmar.image.outlines import outlined
from hmar.values.geometry import Box
from tests.hmar.dicom.build import image
from tests.phantoms import PATIENT_NAME, SIDE, SPACING_MM, ct_file, series_uid, slice_hu, sop_uid
from tests.service.conftest import NODULE, SERIES, SLICES, Archive

IMAGE = f"/api/v1/instances/{sop_uid(1, 2)}/frames/1/image"


def pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_every_series_is_listed_with_its_number_of_frames(archive: Archive) -> None:
    series = archive.client.get("/api/v1/series").get_json()["series"]
    assert [one["series_uid"] for one in series] == [series_uid(n) for n in range(1, SERIES + 1)]
    assert {(one["modality"], one["body_part"], one["frames"]) for one in series} == {("CT", "CHEST", SLICES)}
    assert {one["label"] for one in series} == {None}
    [patient] = archive.client.get("/api/v1/patients").get_json()["patients"]
    assert {one["patient"] for one in series} == {patient["patient"]}
    assert archive.client.get("/api/v1/series?collection=other").get_json()["series"] == []


def test_a_series_is_shown_by_its_middle_frame_which_a_browser_may_keep(archive: Archive) -> None:
    series = f"/api/v1/series/{series_uid(1)}"
    frames = archive.client.get(f"{series}/frames").get_json()["frames"]
    uid = frames[len(frames) // 2]["sop_instance_uid"]
    shown = archive.client.get(f"{series}/image?size=64&collection=default")
    assert shown.data == archive.client.get(f"/api/v1/instances/{uid}/frames/1/image?size=64").data
    assert archive.client.get(f"{series}/image?centre=40&width=400").headers["X-HMAR-Window"] == "40,400"
    tag = {"If-None-Match": shown.headers["ETag"]}
    assert archive.client.get(f"{series}/image?size=64", headers=tag).status_code == 304
    assert archive.client.get(f"{series}/image?collection=other").status_code == 404
    assert archive.client.get("/api/v1/series/1.2.3/image").status_code == 404


def test_frames_come_head_first_with_their_geometry_and_without_a_collection_given(archive: Archive) -> None:
    answer = archive.client.get(f"/api/v1/series/{series_uid(2)}/frames").get_json()
    heights = [frame["position_mm"][2] for frame in answer["frames"]]
    assert heights == sorted(heights, reverse=True)
    assert answer["collection"] == "default"
    assert answer["frames"][0]["spacing_mm"] == [SPACING_MM, SPACING_MM]
    assert (answer["frames"][0]["rows"], answer["frames"][0]["columns"]) == (SIDE, SIDE)


def test_an_unknown_series_is_not_found_in_any_or_in_a_given_collection(archive: Archive) -> None:
    assert archive.client.get("/api/v1/series/1.2.3/frames").status_code == 404
    assert archive.client.get(f"/api/v1/series/{series_uid(1)}/frames?collection=x").status_code == 404


def test_a_picture_is_the_frame_through_the_display_window_asked_for(archive: Archive) -> None:
    answer = archive.client.get(f"{IMAGE}?centre=40&width=400")
    shown = pixels(answer.data)
    hu = np.rint(slice_hu(1, 2, NODULE))
    assert shown.shape == (SIDE, SIDE)
    assert np.all(shown[hu < -170] == 0)
    assert np.all(shown[hu > 250] == 255)
    assert answer.headers["X-HMAR-Window"] == "40,400"
    assert answer.headers["X-HMAR-Units"] == "HU"
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("size", [64, 128, 1024])
def test_a_thumbnail_is_the_picture_made_smaller(archive: Archive, size: int) -> None:
    answer = archive.client.get(f"{IMAGE}?size={size}")
    assert np.array_equal(pixels(answer.data), outlined(pixels(archive.client.get(IMAGE).data), side=size))
    assert answer.headers["X-HMAR-Rows"] == str(SIDE)


def test_boxes_are_drawn_around_places_of_the_frame(archive: Archive) -> None:
    boxes = [(10, 20, 30, 40), (50.5, 60, 20, 20)]
    asked = "&".join(f"box={','.join(map(str, box))}" for box in boxes)
    shown = pixels(archive.client.get(f"{IMAGE}?{asked}&size=128").data)
    plain = pixels(archive.client.get(IMAGE).data)
    assert np.array_equal(shown, outlined(plain, [Box(*box) for box in boxes], 128))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("size=100", "64, 128, 256, 512, 1024"),
        ("size=64&size=64", "more than once"),
        ("box=1,2,3", "box=x,y,width,height"),
        ("box=1,2,3,4&box=nan,2,3,4", "box=x,y,width,height"),
        (f"box=0,0,{SIDE + 1},5", "The box 0,0,"),
        ("box=5,5,0,5", "no area"),
        ("&".join(["box=1,2,3,4"] * 17), "at most 16"),
    ],
)
def test_a_size_or_box_that_cannot_be_is_refused_with_what_can(
    archive: Archive, query: str, said: str
) -> None:
    answer = archive.client.get(f"{IMAGE}?{query}")
    assert answer.status_code == 422
    assert said in answer.text


def test_without_a_display_window_the_files_own_is_used_and_told(archive: Archive) -> None:
    assert archive.client.get(IMAGE).headers["X-HMAR-Window"] == "-500,1400"


def test_an_upload_is_rendered_as_the_indexed_file_is_and_nothing_is_kept(archive: Archive) -> None:
    uploads = archive.engine.settings.upload_root
    before = (archive.rows(), sorted(uploads.rglob("*")))
    form = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "x"), "frame": "1", "centre": "40", "width": "400"}
    answer = archive.client.post("/api/v1/render", data=form)
    assert answer.data == archive.client.get(f"{IMAGE}?centre=40&width=400").data
    assert (answer.headers["X-HMAR-Frames"], answer.headers["X-HMAR-Rows"]) == ("1", str(SIDE))
    assert answer.headers["X-HMAR-Spacing"] == f"{SPACING_MM},{SPACING_MM}"
    assert (archive.rows(), sorted(uploads.rglob("*"))) == before


def test_a_window_in_hounsfield_units_is_not_used_for_a_frame_in_other_units(archive: Archive) -> None:
    localizer = image(np.arange(64 * 48, dtype=np.uint16).reshape(64, 48), Modality="CT")

    def rendered(**fields: str) -> bytes:
        form = {"file": (io.BytesIO(localizer), "x")} | fields
        return bytes(archive.client.post("/api/v1/render", data=form).data)

    lung = {"centre": "-600", "width": "1500"}
    assert rendered(**lung, units="HU") == rendered()
    assert rendered(**lung) != rendered()
    assert archive.client.get(f"{IMAGE}?centre=40&width=400&units=HU").headers["X-HMAR-Window"] == "40,400"
    assert archive.client.get(f"{IMAGE}?centre=40&width=400&units=cm").status_code == 422


def test_a_png_is_rendered_without_spacing(archive: Archive) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(64 * 48, dtype=np.uint8).reshape(64, 48)).save(buffer, "PNG")
    answer = archive.client.post("/api/v1/render", data={"file": (io.BytesIO(buffer.getvalue()), "x.png")})
    assert pixels(answer.data).shape == (64, 48)
    assert "X-HMAR-Spacing" not in answer.headers
    assert answer.headers["X-HMAR-Units"] == "presentation"


def test_a_ct_in_unknown_units_says_why(archive: Archive) -> None:
    dataset = pydicom.dcmread(io.BytesIO(ct_file(0, 0)))
    dataset.RescaleType = "whatever"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    answer = archive.client.post("/api/v1/render", data={"file": (io.BytesIO(buffer.getvalue()), "x.dcm")})
    assert answer.headers["X-HMAR-Units"] == "presentation"
    assert answer.headers["X-HMAR-Units-Note"] == "RescaleType is unknown"
    assert "X-HMAR-Units-Note" not in archive.client.get(IMAGE).headers


def test_the_lists_hold_no_patient_and_no_path(archive: Archive) -> None:
    for path in ("/api/v1/series", f"/api/v1/series/{series_uid(1)}/frames"):
        text = archive.client.get(path).text
        assert PATIENT_NAME not in text
        assert ".dcm" not in text


def test_the_page_tells_the_model_and_that_it_is_no_diagnosis(archive: Archive) -> None:
    page = archive.client.get("/").text
    assert archive.engine.encoder.name in page
    assert "not a diagnosis" in page
    assert "http://" not in page
    assert "https://" not in page
