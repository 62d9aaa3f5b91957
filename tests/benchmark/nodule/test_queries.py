import json
from dataclasses import replace

import numpy as np
import pytest

from benchmark.nodule.queries import load_nodule, run_queries
from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.geometry import Box, Spacing
from tests.frames import textured_frame

POINTS = [[[100, 80], [119, 80], [119, 99], [100, 99]], [[104, 84], [119, 84], [119, 99], [104, 99]]]


def nodule_file(tmp_path, planes):
    readers = [[{"z": z, "points": points} for z in planes] for points in POINTS]
    path = tmp_path / "nodule.json"
    path.write_text(json.dumps({"series_uid": "1.2", "readers": readers}))
    return path


def slice_at(z: float, seed: int, number: int, centre: tuple[int, int] = (30, 200)):
    """A slice with a bright disc at (x, y); the nodule of the file above lies at (111, 91)."""
    frame = textured_frame(seed, spacing=Spacing(1.0, 1.0))
    y, x = np.mgrid[0:256, 0:256] + 0.5
    values = np.where((x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 81, np.float32(3000), frame.values)
    uid = f"1.2.{number}"
    info = replace(frame.info, series_uid="1.2", sop_instance_uid=uid, position=(0.0, 0.0, z))
    return replace(frame, info=info, values=values)


def test_the_nodules_box_is_the_mean_of_its_readers_and_holds_whole_pixels(tmp_path):
    nodule = load_nodule(nodule_file(tmp_path, [-5.0]))
    assert nodule.boxes == {-5.0: Box(102, 82, 18, 18)}


@pytest.mark.slow
def test_hits_are_other_slices_of_the_nodule_and_errors_are_in_mm(tmp_path):
    nodule = load_nodule(nodule_file(tmp_path, [0.0, -1.0]))
    encoder, catalogue = ThumbnailEncoder(), MemoryCatalogue()
    # Two slices are the same picture: each must find the other, at its very place.
    nodule_at = (111, 91)
    frames = [
        slice_at(0.0, 1, 1, nodule_at),
        slice_at(-1.0, 1, 2, nodule_at),
        slice_at(-2.0, 2, 3),
        slice_at(-3.0, 3, 4),
    ]
    for frame in frames:
        catalogue.append("c", [encoder.encode(frame)], Origin("local", "x"))
    searcher = Searcher(catalogue, MemoryIndex(encoder.fingerprint), encoder)
    entries = catalogue.frames("c", "1.2", encoder.fingerprint)
    by_z = {entry.info.position[2]: entry for entry in entries}
    slices = [(by_z[z], frame) for z, frame in ((0.0, frames[0]), (-1.0, frames[1]))]
    results = list(run_queries(searcher, nodule, slices, k=1))
    assert [result.hits for result in results] == [1, 1]
    for result in results:
        # The nodule is not on the lattice of 16 mm: the window found lies within a cell of it.
        assert result.centre_errors_mm[0] <= 16 + 1
        assert result.ms > 0


def test_a_slice_without_the_nodule_is_no_query(tmp_path):
    nodule = load_nodule(nodule_file(tmp_path, [0.0]))
    encoder, catalogue = ThumbnailEncoder(), MemoryCatalogue()
    frame = slice_at(-7.0, 1, 1)
    catalogue.append("c", [encoder.encode(frame)], Origin("local", "x"))
    searcher = Searcher(catalogue, MemoryIndex(encoder.fingerprint), encoder)
    entry = catalogue.frames("c", "1.2", encoder.fingerprint)[0]
    with pytest.raises(ValueError, match="does not show"):
        list(run_queries(searcher, nodule, [(entry, frame)]))
