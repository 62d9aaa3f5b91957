"""Names that a site shows from its PACS: told to whom they may be, recorded, and kept nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hmar.errors import ConfigError
from hmar.values.identity import Scope
from tests.pacs import Pacs
from tests.phantoms import PATIENT_ID, ROOT, ct_file
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive, build_archive
from tests.service.test_deletions import upload

STUDY, OTHER = f"{ROOT}.91", f"{ROOT}.92"
PATH = "/api/v1/studies/{}/patient"
NAME = "Zwoelfschuh^Quirinia"
READ = {"name": "Zwoelfschuh, Quirinia", "patient_id": PATIENT_ID, "birth_date": "1903-11-22", "pacs": "main"}
PLANTED = ("zwoelfschuh", "quirinia", "19031122", "1903-11-22")


@pytest.fixture
def pacs() -> Iterator[Pacs]:
    with Pacs.serving([ct_file(1, 1)]) as pacs:
        pacs.told_of_patients = {
            "00100010": {"Alphabetic": NAME},
            "00100020": PATIENT_ID,
            "00100030": "19031122",
        }
        yield pacs


@pytest.fixture
def archive(pacs: Pacs, tmp_path: Path) -> Iterator[Archive]:
    file = tmp_path / "pacs.toml"
    file.write_text(f'[main]\nroot = "{pacs.url}/dicom-web"\n')
    archive = build_archive(tmp_path / "home", pacs_file=str(file), show_names="main")
    upload(archive, ct_file(1, 1))
    upload(archive, ct_file(2, 1))
    yield archive
    archive.engine.close()


def test_who_may_see_names_is_told_and_the_audit_log_says_so(archive: Archive) -> None:
    reader = client_of(archive, limited("reader", "names", "default"))
    answer = reader.get(PATH.format(STUDY))
    assert (answer.status_code, answer.json) == (200, READ)
    assert answer.headers["Cache-Control"] == "no-store"
    row = list(archive.engine.audit_log.rows())[-1]
    assert (row.record.operation, row.record.scope, row.record.actor) == (
        "readStudyPatient",
        "names",
        "reader",
    )
    assert archive.engine.audit_log.hashed("study", STUDY) in row.to_dict()["touched"]


@pytest.mark.parametrize("scope", ["search", "files", "export"])
def test_no_other_scope_is_told_a_name(archive: Archive, pacs: Pacs, scope: Scope) -> None:
    answer = client_of(archive, limited("other", scope)).get(PATH.format(STUDY))
    assert (answer.status_code, pacs.asked) == (403, [])


def test_the_pacs_is_not_asked_for_what_the_archive_does_not_show(archive: Archive, pacs: Pacs) -> None:
    elsewhere = client_of(archive, limited("elsewhere", "names", "teaching"))
    assert elsewhere.get(PATH.format(STUDY)).status_code == 404
    assert archive.client.get(PATH.format(f"{ROOT}.99")).status_code == 404
    assert pacs.asked == []


def test_a_study_that_the_pacs_lacks_or_has_of_another_patient_has_no_name(
    archive: Archive, pacs: Pacs
) -> None:
    assert archive.client.get(PATH.format(OTHER)).status_code == 404
    pacs.told_of_patients["00100020"] = "another id"
    answer = archive.client.get(PATH.format(STUDY))
    assert answer.status_code == 409
    assert not any(part in answer.text.lower() for part in (*PLANTED, "another id"))


def test_a_pacs_that_is_down_is_said_to_be_and_nothing_else_fails(archive: Archive, pacs: Pacs) -> None:
    pacs.habits.garbage = True
    answer = archive.client.get(PATH.format(STUDY))
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/service-unavailable")
    assert archive.client.get("/api/v1/series").status_code == 200


def test_nothing_of_a_name_is_kept_or_logged(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert archive.client.get(PATH.format(STUDY)).json == READ
        figures = archive.client.get("/metrics").text
    archive.engine.close()
    # The uploads hold files as they came.
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "uploads" not in path.parts]
    assert len(kept) > 3
    texts = [caplog.text, figures, *(path.read_bytes().decode("latin-1") for path in kept)]
    assert not any(part in text.lower() for text in texts for part in PLANTED)


def test_a_site_that_shows_no_names_says_so_and_one_that_names_no_pacs_is_told(tmp_path: Path) -> None:
    archive = build_archive(tmp_path / "off")
    upload(archive, ct_file(1, 1))
    answer = archive.client.get(PATH.format(STUDY))
    assert (answer.status_code, "HMAR_SHOW_NAMES" in answer.json["remedy"]) == (404, True)
    with pytest.raises(ConfigError, match="HMAR_SHOW_NAMES is 'main'"):
        build_archive(tmp_path / "wrong", show_names="main")
