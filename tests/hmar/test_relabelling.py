"""Tables that give labels to UIDs."""

from __future__ import annotations

import pytest

from hmar.adapters.memory import MemoryCatalogue
from hmar.errors import ParameterError
from hmar.relabelling import MAX_BYTES, MAX_ROWS, Relabelled, labels_of_table, relabel
from hmar.values.deletion import Selector
from tests.contract.examples import ORIGIN, encoded


@pytest.mark.parametrize(
    ("column", "level"),
    [
        ("sop_instance_uid", "instance"),
        ("SOPInstanceUID", "instance"),
        ("Series Instance UID", "series"),
        ("study_instance_uid", "study"),
    ],
)
def test_a_table_gives_labels_to_uids_of_one_level(column: str, level: str) -> None:
    table = f'\ufeff{column},label\r\n1.2, a b \r\n\r\n1.3,"x,y"\r\n1.4,\r\n1.2,a b\r\n'
    found = labels_of_table(table.encode())
    assert found == {
        Selector(level, "1.2"): "a b",  # type: ignore[arg-type]
        Selector(level, "1.3"): "x,y",  # type: ignore[arg-type]
        Selector(level, "1.4"): None,  # type: ignore[arg-type]
    }


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (b"", "0 lines"),
        (b"sop_instance_uid,label\n", "1 lines"),
        (b"sop_instance_uid\n1.2\n", "columns"),
        (b"uid,label\n1.2,x\n", "columns"),
        (b"sop_instance_uid,series_instance_uid,label\n1,2,x\n", "columns"),
        (b"sop_instance_uid,label,label\n1,x,x\n", "columns"),
        (b"sop_instance_uid,label,patient\n1,x,Mustermann\n", "columns"),
        (b"sop_instance_uid,label\n1.2,x,y\n", "Line 2"),
        (b"sop_instance_uid,label\n1.2,x\n ,y\n", "Line 3"),
        (b"sop_instance_uid,label\n1.2," + b"x" * 65 + b"\n", "Line 2"),
        (b"sop_instance_uid,label\n1.2,x\n1.2,y\n", "Line 3"),
        (b"\xff\xfe,label\n1.2,x\n", "cannot be read"),
        (b'sop_instance_uid,label\n1.2,"x\n', "cannot be read"),
        (b"sop_instance_uid,label\n" + b"1,x\n" * (MAX_ROWS + 1), "lines"),
        (b"sop_instance_uid,label\n" + b"\n" * MAX_BYTES, "bytes"),
        (b"sop_instance_uid,label\nErika Mustermann,x\n", "Line 2"),
        (b"sop_instance_uid,label\n1.2\x00,x\n", "Line 2"),
        (b"sop_instance_uid,label\n" + b"1" * 65 + b",x\n", "Line 2"),
    ],
)
def test_what_is_no_such_table_is_refused(table: bytes, named: str) -> None:
    with pytest.raises(ParameterError, match=named) as caught:
        labels_of_table(table)
    assert "Mustermann" not in str(caught.value)


def test_it_is_told_what_changed_what_did_not_and_what_there_is_not() -> None:
    catalogue = MemoryCatalogue()
    catalogue.append("a", [encoded("1.1", label="x"), encoded("1.2"), encoded("1.3")], ORIGIN)
    wanted = {Selector("instance", uid): "x" for uid in ("1.1", "1.2", "1.9")}
    assert relabel(catalogue, wanted, None) == Relabelled(1, 1, ("1.9",))
    assert relabel(catalogue, wanted, "b") == Relabelled(0, 0, ("1.1", "1.2", "1.9"))
