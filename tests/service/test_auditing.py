"""Every access to patients' data is in the audit log, with its answer and whose data it was."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hmar.errors import UnavailableError
from hmar.values.audit import Accessed, AuditRow
from hmar.values.identity import PAGE_LOGIN, Identity
from service import recorder, strangers
from service.app import RECORDER
from service.auditing import UNRECORDED
from service.recorder import Recorder
from tests.phantoms import PATIENT_ID, PATIENT_NAME, ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import REQUESTS, client_of, limited, needed_scope, operations
from tests.service.conftest import Archive, build_archive
from tests.service.test_deletions import upload
from tests.service.test_scopes import filled

SCOPED = sorted(name for name in REQUESTS if needed_scope(name) not in UNRECORDED)
ACCESS = Accessed(1.0, "searchImage", "/", "search", "pacs", 200, "::1")


def rows(archive: Archive) -> list[AuditRow]:
    return list(archive.engine.audit_log.rows())


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", SCOPED)
def test_an_access_is_recorded_be_it_granted_or_denied(tmp_path: Path, operation_id: str) -> None:
    archive, target = filled(tmp_path)
    scope = needed_scope(operation_id)
    denied = limited("denied", "index" if scope != "index" else "search")
    clients: list[tuple[str, FlaskClient]] = [
        ("denied", client_of(archive, denied)),
        ("", archive.stranger),
        ("granted", client_of(archive, limited("granted", "admin"))),
    ]
    for actor, client in clients:
        with REQUESTS[operation_id].ask(client, operation_id, target) as answer:
            record = rows(archive)[-1].record
            assert (record.operation, record.scope, record.actor) == (operation_id, scope, actor)
            assert (record.status, record.address) == (answer.status_code, "127.0.0.1")
    # What indexes tells of the study that came.
    asked = [row for row in rows(archive) if row.record.operation != "receiveStudy"]
    verdict = archive.engine.audit_log.verify()
    assert (len(asked), verdict.fault) == (4, "")


def test_an_operation_that_gives_no_patients_data_is_not_recorded(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    for name in sorted(set(operations()) - set(SCOPED) - {"logIn", "logOut", "showLogin", "readFile"}):
        method, path, _ = operations()[name]
        named = path.format(filename="swagger-ui.css", part="jobs", fingerprint="0" * 32)
        archive.client.open(named, method=method.upper()).close()
    archive.client.get("/nowhere")
    assert rows(archive) == []


def test_logins_are_recorded(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    client = archive.stranger
    who = Identity(f"{PAGE_LOGIN} anna", frozenset({"search"}))
    for token in ("wrong", archive.engine.keys.create_login(who, 60)):
        client.post("/login", data={"token": token})
    client.get("/api/v1/series")
    told = [(row.record.operation, row.record.actor, row.record.status) for row in rows(archive)]
    assert told == [("logIn", "", 401), ("logIn", who.name, 303), ("listSeries", who.name, 200)]


@pytest.mark.slow
def test_it_is_told_whose_data_was_given_and_no_uid_name_or_patient_id(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    upload(archive, ct_file(1, 1), ct_file(2, 1))
    log, client = archive.engine.audit_log, archive.client
    [key] = archive.engine.catalogue.patients(sop_uid(1, 1), archive.engine.encoder.fingerprint)
    patient = log.hashed("patient", key)
    studies = {log.hashed("study", f"{ROOT}.9{series}") for series in (1, 2)}
    client.post("/api/v1/search/image", json={"sop_instance_uid": sop_uid(1, 1)})
    assert set(rows(archive)[-1].to_dict()["touched"]) == {patient, *studies}
    client.get("/api/v1/series")
    assert set(rows(archive)[-1].to_dict()["touched"]) == {patient, *studies}
    client.get(f"/api/v1/studies/{ROOT}.91")
    assert set(rows(archive)[-1].to_dict()["touched"]) == {patient, log.hashed("study", f"{ROOT}.91")}
    client.get(f"/api/v1/instances/{sop_uid(2, 1)}/frames/1/image")
    assert set(rows(archive)[-1].to_dict()["touched"]) == {
        patient,
        log.hashed("study", f"{ROOT}.92"),
    }
    client.post("/api/v1/deletions", json={"level": "patient", "patient_id": PATIENT_ID})
    assert rows(archive)[-1].to_dict()["touched"] == [patient]
    client.post("/api/v1/deletions", json={"level": "series", "uid": series_uid(9)})
    assert rows(archive)[-1].to_dict()["touched"] == [log.hashed("series", series_uid(9))]
    kept = str([row.to_dict() for row in rows(archive)])
    assert not any(secret in kept for secret in (ROOT, PATIENT_ID, PATIENT_NAME, key, archive.key))


@pytest.mark.slow
def test_what_was_looked_through_and_not_given_is_not_told(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    for series in (1, 2, 3):
        upload(archive, ct_file(series, 1), collection=f"c{series}")
    log, client = archive.engine.audit_log, archive.client

    def studies_told() -> set[str]:
        told = {log.hashed("study", f"{ROOT}.9{series}"): str(series) for series in (1, 2, 3)}
        return {told[each] for each in rows(archive)[-1].to_dict()["touched"] if each in told}

    client.get(f"/api/v1/series/{series_uid(2)}/frames")
    assert studies_told() == {"2"}
    client.get(f"/api/v1/series/{series_uid(9)}/frames")
    assert studies_told() == set()
    client.get("/api/v1/series?collection=c3")
    assert studies_told() == {"3"}
    exclude = {"sop_instance_uids": [sop_uid(2, 1)]}
    client.post("/api/v1/search/image", json={"sop_instance_uid": sop_uid(1, 1), "exclude": exclude})
    assert studies_told() == {"1", "3"}
    for route, named in (("series", series_uid(1)), ("study", f"{ROOT}.91")):
        for collection, found in (("c2", {"1", "2"}), ("elsewhere", {"1"})):
            body = {f"{route}_uid": named, "collection": collection}
            assert client.post(f"/api/v1/search/{route}", json=body).status_code == 200
            assert studies_told() == found


def test_a_flood_without_a_key_is_recorded_up_to_a_rate_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    crowd = strangers.Strangers(lambda: now[0])
    recorded = [crowd.recorded() for _ in range(100)]
    assert recorded.count(True) == strangers.RECORDED_PER_MINUTE
    assert "not recorded" not in caplog.text
    now[0] += 60.0
    assert crowd.recorded()
    assert "40 requests were refused" in caplog.text
    monkeypatch.setattr(strangers, "RECORDED_PER_MINUTE", 2)
    archive = build_archive(tmp_path)
    for _ in range(4):
        assert archive.stranger.get("/api/v1/series").status_code == 401
        assert archive.client.get("/api/v1/series").status_code == 200
    assert [row.record.status for row in rows(archive)] == [401, 200, 401, 200, 200, 200]


def test_many_accesses_are_written_together_and_none_is_lost_at_the_end() -> None:
    written: list[list[Accessed]] = []
    together = Recorder(lambda some: written.append(list(some)))
    together.start()
    for number in range(250):
        together.record(ACCESS if number else replace(ACCESS, at=0.0))
    together.stop()
    assert sum(map(len, written)) == 250
    assert len(written) < 250
    assert written[0][0].at == 0.0


def test_what_is_recorded_after_the_end_is_written_at_once() -> None:
    written: list[Accessed] = []
    late = Recorder(written.extend)
    late.start()
    late.stop()
    late.record(ACCESS)
    assert written == [ACCESS]


def test_what_could_not_be_written_is_written_once_when_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "GATHERED_S", 0.0)
    monkeypatch.setattr(recorder, "AGAIN_S", 0.01)
    written, tries, done = [], [], threading.Event()

    def append(some: Sequence[Accessed]) -> None:
        tries.append(len(some))
        if len(tries) < 3:
            raise UnavailableError("The database does not answer.", "Start it.")
        written.extend(some)
        done.set()

    again = Recorder(append)
    again.start()
    again.record(ACCESS)
    assert done.wait(30)
    again.stop()
    assert (written, tries) == ([ACCESS], [1, 1, 1])


@pytest.mark.slow
def test_nothing_is_given_that_cannot_be_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "RECORDED_PER_MINUTE", 3)
    archive, _ = filled(tmp_path)
    monkeypatch.setattr(recorder, "MOST_WAITING", 1)
    held, release = threading.Event(), threading.Event()
    written: list[int] = []

    def append(some: Sequence[Accessed]) -> None:
        held.set()
        assert release.wait(30)
        written.extend(access.status for access in some)

    waiting = archive.app.extensions[RECORDER]
    monkeypatch.setattr(waiting, "_append", append)
    waiting.start()
    try:
        assert archive.client.get("/api/v1/series").status_code == 200
        assert held.wait(30)
        for client in [archive.client, archive.stranger] * 5:
            assert client.get("/api/v1/series").status_code == 503
        assert archive.client.get("/openapi.json").status_code == 200
    finally:
        release.set()
        waiting.stop()
    assert written == [200, 503, 503, 503], "those that were refused do not fill the memory"
