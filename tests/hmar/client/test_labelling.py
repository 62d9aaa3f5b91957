"""Labels that a client gives are found, and the outcome is the archive's."""

from __future__ import annotations

from pathlib import Path

import pytest

import hmar
from hmar.errors import ParameterError
from hmar.values.relabelled import Relabelled
from tests.hmar.client.conftest import Served
from tests.phantoms import series_uid, sop_uid
from tests.service.conftest import FRAMES, SLICES

pytestmark = pytest.mark.slow


def labels(client: hmar.Client) -> dict[str, int]:
    [held] = client.collections()
    return dict(held.labels)


def test_labels_are_given_by_uids_and_taken_away(own: Served) -> None:
    client = own.client()
    assert client.relabel(series_uid(1), "proven", level="series") == Relabelled(SLICES, 0, ())
    assert client.relabel(series_uid(1), "proven", level="series") == Relabelled(0, SLICES, ())
    assert labels(client) == {"proven": SLICES}
    assert client.relabel([sop_uid(1, 1), "1.2.3"], None) == Relabelled(1, 0, ("1.2.3",))
    assert labels(client) == {"proven": SLICES - 1}
    assert len(client.search(hmar.IndexedFrame(sop_uid(2, 1)), k=FRAMES, label="proven")) == SLICES - 1
    with hmar.Archive(own.archive.engine.settings.home, "thumbnail") as mine:
        assert mine.relabel([series_uid(1)], "proven", level="series") == Relabelled(1, SLICES - 1, ())
        with pytest.raises(ParameterError):
            mine.relabel(sop_uid(1, 1), "a\nb")
    with pytest.raises(ParameterError):
        client.relabel(sop_uid(1, 1), "a\nb")


def test_more_uids_than_one_request_takes_go_in_several(own: Served) -> None:
    unknown = [f"1.2.{number}" for number in range(1500)]
    assert own.client().relabel(unknown, "x") == Relabelled(0, 0, tuple(unknown))


def test_labels_are_given_by_a_table(own: Served, tmp_path: Path) -> None:
    client = own.client()
    table = tmp_path / "labels.csv"
    table.write_text(f"series_instance_uid,label\n{series_uid(1)},one\n{series_uid(2)},two\n")
    assert client.relabel_table(table) == Relabelled(2 * SLICES, 0, ())
    assert labels(client) == {"one": SLICES, "two": SLICES}
    with hmar.Archive(own.archive.engine.settings.home, "thumbnail") as mine:
        assert mine.relabel_table(table.read_bytes()) == Relabelled(0, 2 * SLICES, ())
    with pytest.raises(ParameterError, match="columns"):
        client.relabel_table(b"name,label\nx,y\n")
