"""What a type checker sees of the front door: `make check` reads this file, nothing runs it."""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import benchmark
import hmar
from hmar.values.codes import EncodedFrame, Query
from hmar.values.entries import EntryInfo


def images() -> None:
    image = hmar.open_image("slice.dcm")
    assert_type(image[0], hmar.Frame)
    assert_type(image[1:], list[hmar.Frame])
    assert_type([frame.values for frame in image], list[NDArray[np.float32]])
    assert_type(image[0].spacing, hmar.Spacing | None)


def models() -> None:
    model = hmar.load_model()
    frame = hmar.open_image(b"")[0]
    assert_type(model.encode(frame), EncodedFrame)
    assert_type(model.region_query(frame, (1, 2, 3, 4)), Query)


def archives() -> None:
    with hmar.Archive("hmar-data", hmar.load_model("thumbnail")) as archive:
        assert_type(archive.add("study", progress=lambda done, known: print(done, known)), hmar.Added)  # noqa: T201
        results = archive.search(
            "slice.dcm", (1, 2, 3, 4), exclude="patient", modality=["CT"], age_years=(40, None)
        )
        assert_type(results, hmar.Results)
        assert_type(results[0], hmar.Hit)
        assert_type(results[0].box.centre, tuple[float, float])
        assert_type(
            archive.search("slice.dcm", [(1, 2, 3, 4), hmar.Box(5, 6, 7, 8)])[0].regions[0].distance, float
        )
        assert_type(archive.search_series("1.2", sex="F")[0].pairs[0].found, EntryInfo)
        assert_type(archive.search_study("1.2", aggregation="mean")[0].distance, float)
        assert_type(archive.frame(results[0]), hmar.Frame)
        assert_type(archive.frames(), list[EntryInfo])
        assert_type(hmar.train_model("models/ours", archive), hmar.Model)


def clients() -> None:
    with hmar.Client("https://pacs.example", "hmar_") as client:
        results = client.search(
            hmar.IndexedFrame("1.2", 3), [(1, 2, 3, 4)], exclude="patient", modality=["CT"]
        )
        assert_type(results, hmar.Results)
        assert_type(client.search(results[0])[0], hmar.Hit)
        assert_type(next(client.pages(b"", k=50)), hmar.Results)
        assert_type(client.search_series("1.2"), hmar.GroupResults)
        assert_type(client.add(["study", b""]), hmar.Added)
        assert_type(client.picture(results[0]), bytes)


def figures() -> None:
    assert_type(benchmark.evaluate(np.zeros((2, 16), np.uint8), ["a", "b"]), benchmark.Figures)


def unknown() -> None:
    hmar.Archiv  # type: ignore[attr-defined]  # noqa: B018 - a name that is not there must not pass
    hmar.Archive().search("slice.dcm", exclude="ward")  # type: ignore[arg-type]
    hmar.Client().search_batch([("slice.dcm", None)])  # type: ignore[list-item]
