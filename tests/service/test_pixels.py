"""The stored values of a frame: exact, described, compressed, in parts, and kept by browsers."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pydicom
import pytest
import zstandard
from pydicom.dataset import Dataset
from werkzeug.test import TestResponse

from hmar.values.entries import Origin
from service.cors import EXPOSED_HEADERS
from service.models.pixels import PartOfPixels
from tests.hmar.dicom.build import image
from tests.phantoms import SIDE, SPACING_MM, ct_file, sop_uid
from tests.service.conftest import NODULE, Archive

PIXELS = f"/api/v1/instances/{sop_uid(1, 2)}/frames/1/pixels"
STORED = pydicom.dcmread(io.BytesIO(ct_file(1, 2, NODULE))).pixel_array.astype("<i2").tobytes()


def test_the_values_are_those_of_the_file_and_their_meaning_is_told(archive: Archive) -> None:
    answer = archive.client.get(PIXELS)
    dataset = pydicom.dcmread(io.BytesIO(ct_file(1, 2, NODULE)))
    kind = "int16" if dataset.PixelRepresentation else "uint16"
    assert answer.data == dataset.pixel_array.astype(np.dtype(kind).newbyteorder("<")).tobytes()
    assert answer.headers["X-HMAR-Type"] == kind
    assert (answer.headers["X-HMAR-Rows"], answer.headers["X-HMAR-Columns"]) == (str(SIDE), str(SIDE))
    assert answer.headers["X-HMAR-Units"] == "HU"
    assert float(answer.headers["X-HMAR-Slope"]) == dataset.RescaleSlope
    assert float(answer.headers["X-HMAR-Intercept"]) == dataset.RescaleIntercept
    assert answer.headers["X-HMAR-Inverted"] == "false"
    assert answer.headers["X-HMAR-Windows"] == "-500,1400"
    assert answer.headers["X-HMAR-Spacing"] == f"{SPACING_MM},{SPACING_MM}"
    position = [float(value) for value in answer.headers["X-HMAR-Position"].split(",")]
    assert position == [float(value) for value in dataset.ImagePositionPatient]
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("zstd;q=0, GZIP;q=0.5", "gzip"),
        ("br", None),
        ("", None),
    ],
)
def test_the_values_come_as_a_client_takes_them_and_are_the_same(
    archive: Archive, accepted: str, coding: str | None
) -> None:
    answer = archive.client.get(PIXELS, headers={"Accept-Encoding": accepted})
    undone = {"zstd": zstandard.ZstdDecompressor().decompress, "gzip": gzip.decompress}
    assert answer.headers.get("Content-Encoding") == coding
    assert (answer.data if coding is None else undone[coding](answer.data)) == STORED
    assert "Accept-Encoding" in answer.headers["Vary"]
    again = archive.client.get(
        PIXELS, headers={"Accept-Encoding": accepted, "If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_each_coding_has_a_strong_tag_of_its_own(archive: Archive) -> None:
    tags = {
        archive.client.get(PIXELS, headers={"Accept-Encoding": coding}).headers["ETag"]
        for coding in ("zstd", "gzip", "identity")
    }
    assert len(tags) == 3
    assert not any(tag.startswith("W/") for tag in tags)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=10-", 10, len(STORED) - 1),
        ("bytes=-7", len(STORED) - 7, len(STORED) - 1),
        (f"bytes=5-{10**12}", 5, len(STORED) - 1),
        (f"bytes=-{10**12}", 0, len(STORED) - 1),
    ],
)
def test_a_range_of_bytes_is_of_the_uncompressed_values(
    archive: Archive, asked: str, first: int, last: int
) -> None:
    answer = archive.client.get(PIXELS, headers={"Range": asked, "Accept-Encoding": "gzip, zstd"})
    assert answer.status_code == 206
    assert answer.data == STORED[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(STORED)}"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "items=0-5", "bytes=9-3", "bytes=-", "bytes", "bytes=a-b", "bytes=1 - 2"]
)
def test_a_range_that_is_none_or_several_is_not_read(archive: Archive, asked: str) -> None:
    answer = archive.client.get(PIXELS, headers={"Range": asked})
    assert (answer.status_code, answer.data) == (200, STORED)


@pytest.mark.parametrize("asked", [f"bytes={len(STORED)}-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(archive: Archive, asked: str) -> None:
    answer = archive.client.get(PIXELS, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(STORED)}"
    assert answer.get_json(force=True)["type"] == "/problems/range-not-satisfiable"


def test_a_range_counts_only_while_the_content_is_the_one_that_if_range_names(archive: Archive) -> None:
    tag = archive.client.get(PIXELS).headers["ETag"]
    asked = {"Range": "bytes=0-9"}
    assert archive.client.get(PIXELS, headers={**asked, "If-Range": tag}).status_code == 206
    for other in ('"other"', f"W/{tag}", "Sun, 29 Nov 2026 08:00:00 GMT"):
        assert archive.client.get(PIXELS, headers={**asked, "If-Range": other}).status_code == 200


def test_a_head_tells_the_same_without_the_values(archive: Archive) -> None:
    whole, head = archive.client.get(PIXELS), archive.client.head(PIXELS)
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(whole.data))
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert archive.client.head(PIXELS, headers={"Range": "bytes=0-9"}).status_code == 200


def test_a_frame_that_is_not_there_is_not_found(archive: Archive) -> None:
    for path in ("/api/v1/instances/1.2.3/frames/1/pixels", PIXELS.replace("frames/1", "frames/2")):
        assert archive.client.get(path).status_code == 404
    assert archive.stranger.get(PIXELS).status_code == 401


def test_pages_of_other_origins_may_read_every_header() -> None:
    told = {field.serialization_alias or "" for field in PartOfPixels.model_fields.values()}
    assert told <= set(EXPOSED_HEADERS.split(", "))


@pytest.mark.slow
def test_a_file_that_holds_other_pixels_by_now_is_not_shown_as_the_old_one(empty_archive: Archive) -> None:
    folder = empty_archive.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    original = ct_file(1, 2, NODULE)
    (folder / "2.dcm").write_bytes(original)
    empty_archive.engine.indexer.submit("default", Origin("import", "chest"))
    altered = bytearray(original)
    altered[-2000] ^= 1
    (folder / "2.dcm").write_bytes(altered)
    answer = empty_archive.client.get(PIXELS)
    assert answer.status_code == 404
    assert "other pixels" in answer.get_json(force=True)["detail"]
    (folder / "2.dcm").write_bytes(original)
    assert empty_archive.client.get(PIXELS).data == STORED


def sent(archive: Archive, data: bytes, **fields: object) -> TestResponse:
    form = {"file": (io.BytesIO(data), "file"), **fields}
    return archive.client.post("/api/v1/pixels", data=form)


LOOP = np.arange(5 * 4 * 6, dtype=np.uint8).reshape(5, 4, 6)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, (1, 1)),
        ({"count": 3}, (1, 3)),
        ({"frame": 2, "count": 64}, (2, 4)),
        ({"frame": 5, "count": 2}, (5, 1)),
    ],
)
def test_frames_of_a_file_that_are_alike_come_together(
    archive: Archive, asked: dict[str, int], given: tuple[int, int]
) -> None:
    answer = sent(archive, image(LOOP, Modality="US"), **asked)
    first, count = given
    assert answer.headers["X-HMAR-Count"] == str(count)
    assert answer.headers["X-HMAR-Frames"] == "5"
    values = np.frombuffer(answer.data, "<u2").reshape(count, 4, 6)
    np.testing.assert_array_equal(values, LOOP[first - 1 : first - 1 + count])


def test_a_run_of_frames_ends_before_one_of_another_meaning_and_tells_each_position(archive: Archive) -> None:
    windows, places = ((40, 400), (40, 400), (50, 60)), (1.0, 2.5, 4.0)
    groups = [per_frame(window, place) for window, place in zip(windows, places, strict=True)]
    data = image(LOOP[:3].astype(np.uint16), Modality="MR", PerFrameFunctionalGroupsSequence=groups)
    answer = sent(archive, data, count=3)
    assert answer.headers["X-HMAR-Count"] == "2"
    assert answer.headers["X-HMAR-Position"] == "0,0,1;0,0,2.5"
    last = sent(archive, data, frame=3, count=3)
    assert last.headers["X-HMAR-Windows"] == "50,60"
    assert last.headers["X-HMAR-Position"] == "0,0,4"


def per_frame(window: tuple[int, int], z: float) -> Dataset:
    """Return the functional groups of a frame: its display window, and its place."""
    shown, lies, group = Dataset(), Dataset(), Dataset()
    shown.WindowCenter, shown.WindowWidth = window
    lies.ImagePositionPatient = [0, 0, z]
    group.FrameVOILUTSequence, group.PlanePositionSequence = [shown], [lies]
    return group


@pytest.mark.parametrize("count", [0, 65, "two"])
def test_a_count_out_of_range_is_refused(archive: Archive, count: object) -> None:
    assert sent(archive, image(LOOP, Modality="US"), count=count).status_code == 422
