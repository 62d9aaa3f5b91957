"""The conformance statement says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from pydicom.uid import UID

from hmar.listener.contexts import contexts
from hmar.listener.server import MAX_PDU_BYTES

STATEMENT = (Path(__file__).parents[1] / "docs" / "conformance.md").read_text("utf-8")
_ROW = re.compile(r"^\| [^|]+ \| ([0-9.]+) \|$", re.MULTILINE)


def section(name: str) -> str:
    return STATEMENT.split(f"{name}\n", 1)[1].split("\n##", 1)[0]


def test_the_transfer_syntaxes_are_those_that_the_listener_takes() -> None:
    stated = _ROW.findall(section("### Transfer syntaxes"))
    assert len(stated) == len(set(stated))
    _, *storage = contexts()
    assert {frozenset(map(str, one.transfer_syntax)) for one in storage} == {frozenset(stated)}


def test_the_storage_classes_are_counted_and_the_pdu_is_the_one_asked_for() -> None:
    _, *storage = contexts()
    assert f"{len(storage)} storage SOP classes" in STATEMENT
    assert f"{MAX_PDU_BYTES:,} bytes" in STATEMENT


def test_the_documents_that_are_created_have_the_classes_that_are_stated() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \| ([0-9.]+) \| [^|]+ \|$", section("## What is created"), re.MULTILINE
    )
    assert [(UID(uid).name.removesuffix(" Storage"), name) for name, uid in rows] == [
        (name, name) for name, _ in rows
    ]
    assert len(rows) == 3
