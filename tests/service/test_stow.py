"""STOW-RS: every instance is told of, what is taken is indexed, and what is refused leaves nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from flask.testing import FlaskClient
from pydicom.uid import generate_uid

from hmar.values.jobs import ItemState, JobState
from hmar.values.received import FailureReason
from service.accepting import DICOM_JSON, JSON
from service.readers.related import PIECE_BYTES, RelatedParts
from tests.phantoms import ROOT, ct_file, sop_uid
from tests.service.asking import stow
from tests.service.conftest import Archive, build_archive

STUDIES = "/dicom-web/studies"
OTHER = [ct_file(7, number) for number in (1, 2)]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Archive]:
    archive = build_archive(tmp_path)
    yield archive
    archive.engine.close()


def changed(data: bytes, **elements: Any) -> bytes:
    """Return a file with other elements; those that are None are taken out."""
    file = pydicom.dcmread(io.BytesIO(data))
    for keyword, value in elements.items():
        if value is None:
            delattr(file, keyword)
        else:
            setattr(file, keyword, value)
    target = io.BytesIO()
    file.save_as(target)
    return target.getvalue()


def stored(answer: Any) -> list[str]:
    return [one["00081155"]["Value"][0] for one in answer.json.get("00081199", {}).get("Value", [])]


def failed(answer: Any) -> list[tuple[str | None, int]]:
    sequence = answer.json.get("00081198", {}).get("Value", [])
    return [
        (one.get("00081155", {"Value": [None]})["Value"][0], one["00081197"]["Value"][0]) for one in sequence
    ]


def spooled(archive: Archive) -> list[Path]:
    found = archive.engine.settings.spool_root.rglob("*")
    return [path for path in found if path.is_file() and path.name != ".lock"]


def send(client: FlaskClient, *files: bytes, study: str = "", **more: Any) -> Any:
    return client.post(f"{STUDIES}{study}", **stow("default", *files), **more)


def test_what_is_stored_is_indexed_and_sent_again_it_is_the_same(own: Archive) -> None:
    before = own.rows()
    answer = send(own.client, *OTHER)
    assert (answer.status_code, answer.mimetype) == (200, DICOM_JSON)
    assert stored(answer) == [sop_uid(7, 1), sop_uid(7, 2)]
    assert "00081198" not in answer.json
    assert own.rows() == before + 2
    assert spooled(own) == []
    again = send(own.client, *OTHER, headers={"Accept": JSON})
    assert (again.status_code, again.mimetype, own.rows()) == (200, JSON, before + 2)
    states = [job.state for job in own.engine.jobs.listed(set(JobState), 2)]
    assert states == [JobState.DONE] * 2


def test_each_instance_has_its_own_outcome(own: Archive) -> None:
    files = {
        "good": OTHER[0],
        "text": b"no DICOM at all",
        "report": changed(OTHER[1], PixelData=None),
        "truncated": OTHER[1][:-1000],
        "syntax": OTHER[1].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.99"),
        "nameless": changed(OTHER[1], SOPInstanceUID=None),
    }
    answer = send(own.client, *files.values())
    assert answer.status_code == 202
    assert stored(answer) == [sop_uid(7, 1)]
    assert failed(answer) == [
        (None, FailureReason.NOT_UNDERSTOOD),
        (sop_uid(7, 2), FailureReason.SOP_CLASS),
        (sop_uid(7, 2), FailureReason.NOT_UNDERSTOOD),
        (sop_uid(7, 2), FailureReason.TRANSFER_SYNTAX),
        (None, FailureReason.NOT_UNDERSTOOD),
    ]
    assert spooled(own) == []


def test_an_instance_of_another_study_is_refused(own: Archive) -> None:
    before = own.rows()
    answer = send(own.client, *OTHER, study=f"/{generate_uid()}")
    assert answer.status_code == 409
    assert failed(answer) == [(sop_uid(7, number), FailureReason.OTHER_STUDY) for number in (1, 2)]
    assert own.rows() == before
    assert send(own.client, *OTHER, study=f"/{ROOT}.97").status_code == 200


def test_no_preamble_is_kept(own: Archive) -> None:
    assert send(own.client, b"MZ, a program" + OTHER[0][13:]).status_code == 200
    [item] = own.engine.jobs.items(own.engine.jobs.listed(set(JobState), 1)[0].job_id, set(ItemState), 2)
    kept = own.engine.uploads.fetch(item.origin.reference, 1 << 20)
    assert kept[:] == OTHER[0]
    assert OTHER[0][:128] == bytes(128)


def test_every_study_that_comes_is_in_the_audit_log(own: Archive) -> None:
    before = len(list(own.engine.audit_log.rows()))
    send(own.client, *OTHER)
    study = own.engine.audit_log.hashed("study", f"{ROOT}.97")
    rows = list(own.engine.audit_log.rows(touching=[study]))
    assert [(row.record.operation, row.record.actor) for row in rows][:1] == [("receiveStudy", "worker")]
    assert len(list(own.engine.audit_log.rows())) >= before + 1


def test_images_that_say_that_text_is_burned_in_are_refused_where_the_site_says_so(tmp_path: Path) -> None:
    burned = changed(OTHER[0], BurnedInAnnotation="YES")
    taking = build_archive(tmp_path)
    assert stored(send(taking.client, burned)) == [sop_uid(7, 1)]
    taking.engine.keys.revoke("tests")
    taking.engine.close()
    refusing = build_archive(tmp_path, burned_in="refuse")
    answer = send(refusing.client, burned, changed(OTHER[1], BurnedInAnnotation="NO"))
    assert stored(answer) == [sop_uid(7, 2)]
    assert failed(answer) == [(sop_uid(7, 1), FailureReason.NOT_UNDERSTOOD)]
    # What was indexed before is not shown any more.
    address = f"/api/v1/instances/{sop_uid(7, 1)}/frames/1/image"
    assert refusing.client.get(address).status_code == 422
    refusing.engine.close()


def test_a_file_that_is_too_large_is_refused_and_the_next_one_is_not(tmp_path: Path) -> None:
    large = changed(OTHER[0], NumberOfFrames=2, PixelData=bytes(2 * 192 * 192 * 2))
    archive = build_archive(tmp_path, max_file_bytes=len(OTHER[0]) + 100)
    answer = send(archive.client, large, OTHER[1])
    assert (answer.status_code, stored(answer)) == (202, [sop_uid(7, 2)])
    assert failed(answer) == [(None, FailureReason.OUT_OF_RESOURCES)]
    archive.engine.close()


def test_a_full_disk_is_told_for_each_instance(tmp_path: Path) -> None:
    archive = build_archive(tmp_path, min_free_mb=1)
    full = build_archive(tmp_path / "full", min_free_mb=1)
    full.engine.disk._least_bytes = 1 << 62
    answer = send(full.client, *OTHER)
    assert (answer.status_code, failed(answer)) == (409, [(None, FailureReason.OUT_OF_RESOURCES)] * 2)
    for one in (archive, full):
        one.engine.close()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/dicom", 415),
        ('multipart/related; type="application/dicom+json"; boundary=part', 415),
        ("multipart/form-data; boundary=part", 415),
        ('multipart/related; type="application/dicom"', 400),
    ],
)
def test_other_bodies_are_refused(archive: Archive, content_type: str, status: int) -> None:
    sent = stow("default") | {"content_type": content_type}
    assert archive.client.post(STUDIES, **sent).status_code == status


def test_a_boundary_may_be_as_long_as_orthancs_and_a_type_without_quotes(own: Archive) -> None:
    sent, boundary = stow("default", OTHER[0]), "b" * 73
    kind = f"multipart/related; type=application/dicom; boundary={boundary}"
    data = sent["data"].replace(b"--part", f"--{boundary}".encode())
    answer = own.client.post(STUDIES, **(sent | {"data": data, "content_type": kind}))
    assert answer.status_code == 200


def test_an_answer_in_xml_is_not_given(archive: Archive) -> None:
    accept = {"Accept": "application/dicom+xml"}
    assert send(archive.client, OTHER[0], headers=accept).status_code == 406


def test_a_body_that_ends_early_leaves_nothing(own: Archive) -> None:
    sent = stow("default", *OTHER)
    before = own.rows()
    answer = own.client.post(STUDIES, **(sent | {"data": sent["data"][:-20]}))
    assert (answer.status_code, own.rows(), spooled(own)) == (400, before, [])
    assert own.client.post(STUDIES, **(sent | {"data": b"--part--"})).status_code == 400


def test_what_was_left_in_the_spool_is_taken_by_the_next_sweep(own: Archive) -> None:
    before, engine = own.rows(), own.engine
    draft = engine.spool.draft("stow", "default", 1 << 20, lambda: None)
    draft.write(OTHER[0])
    draft.keep("default")
    unfinished = engine.spool.draft("stow", "default", 1 << 20, lambda: None)
    unfinished.write(OTHER[1])
    assert engine.intake.sweep(older_than_s=100.0) == 0
    assert engine.intake.sweep() == 1
    assert own.rows() == before + 1
    unfinished.discard()
    assert spooled(own) == []


def test_what_cannot_be_stored_at_once_waits_in_the_spool(own: Archive) -> None:
    before, obstacle = own.rows(), own.engine.settings.upload_root
    obstacle.write_bytes(b"")
    assert send(own.client, *OTHER).status_code == 503
    assert len(spooled(own)) == 2
    obstacle.unlink()
    assert own.engine.intake.sweep() == 2
    assert (own.rows(), spooled(own)) == (before + 2, [])


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 3, 3 * PIECE_BYTES + 1])
@pytest.mark.parametrize("preamble", [b"", b"passed over\r\n"])
def test_parts_are_found_wherever_the_boundary_lies(size: int, preamble: bytes) -> None:
    contents = [bytes(range(256)) * (size // 256) + b"\r\n--bX" * (size % 256 > 0), b"second"]
    body = preamble + b"".join(b"--b\r\nA: b\r\n\r\n" + one + b"\r\n" for one in contents) + b"--b--\r\n"
    parts = [b"".join(part) for part in RelatedParts(io.BytesIO(body.replace(b"bX", b"X")), b"b")]
    assert parts == [one.replace(b"bX", b"X") for one in contents]
    assert len(list(RelatedParts(io.BytesIO(body.replace(b"bX", b"X")), b"b"))) == 2
