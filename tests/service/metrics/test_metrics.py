"""Figures tell what happened and what the archive holds, and nothing of whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hmar.errors import UnavailableError
from hmar.values.entries import Origin
from hmar.values.identity import Identity
from tests.phantoms import PATIENT_ID, ROOT, ct_file, sop_uid
from tests.service.asking import client_of
from tests.service.conftest import FRAMES, Archive, build_archive, fill
from tests.syslog_receiver import datagrams

SCRAPER = Identity("scraper", frozenset({"metrics"}))
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(archive: Archive) -> Figures:
    """Return all samples by name and labels."""
    answer = client_of(archive, Identity(f"scraper-{id(object())}", frozenset({"metrics"}))).get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures[name, frozenset(labels.items())]


@pytest.fixture
def filled(tmp_path: Path) -> Archive:
    return fill(build_archive(tmp_path))


@pytest.mark.slow
def test_the_figures_tell_what_the_index_holds_and_what_was_searched(filled: Archive) -> None:
    client = filled.client
    body = {"sop_instance_uid": sop_uid(1, 1), "k": 3}
    for _ in range(2):
        assert client.post("/api/v1/search/image", json=body).status_code == 200
    assert client.post("/api/v1/search/batch", json={"queries": [body] * 3}).status_code in (200, 422)
    assert client.get("/api/v1/search/nowhere").status_code == 404
    figures = read(filled)
    assert figure(figures, "hmar_index_frames") == FRAMES
    windows = filled.engine.index.stats().windows
    assert figure(figures, "hmar_index_windows") == windows
    assert figure(figures, "hmar_index_code_bytes") == 16 * (FRAMES + windows)
    assert figure(figures, "hmar_log_rows_total") == FRAMES
    assert figure(figures, "hmar_index_lag_rows") == 0
    route = {"method": "POST", "route": "/api/v1/search/image", "status": "200"}
    assert figure(figures, "hmar_request_seconds_count", **route) == 2
    assert figure(figures, "hmar_request_seconds_count", method="GET", route="-", status="404") == 1
    assert figure(figures, "hmar_queries_total", typicality="not_told", made="exact") >= 2
    for stage in ("read", "encode", "scan", "catalogue"):
        assert figure(figures, "hmar_search_stage_seconds_count", stage=stage) >= 2
        assert figure(figures, "hmar_search_stage_seconds_sum", stage=stage) > 0
    assert figure(figures, "hmar_disk_free_bytes") > 0


@pytest.mark.slow
def test_what_waits_is_read_from_the_job_store_and_rows_not_applied_from_the_log(filled: Archive) -> None:
    filled.engine.searcher.refresh()
    filled.engine.jobs.create("default", Origin("import", "more"), ["a.dcm", "b.dcm"])
    filled.engine.jobs.create("default", Origin("import", "unlisted"))
    folder = filled.engine.settings.import_root / "one"
    folder.mkdir()
    (folder / "1.dcm").write_bytes(ct_file(9, 1))
    filled.engine.indexer.submit("default", Origin("import", "one"))
    figures = read(filled)
    assert figure(figures, "hmar_index_job_files", state="queued") == 2
    assert figure(figures, "hmar_index_job_files", state="running") == 0
    assert figure(figures, "hmar_index_jobs_unlisted") == 1
    assert figure(figures, "hmar_index_jobs_oldest_seconds") > 0
    assert figure(figures, "hmar_index_lag_rows") == 1


@pytest.mark.slow
def test_nothing_of_a_patient_an_image_a_key_or_a_collection_is_told(filled: Archive) -> None:
    client = filled.client
    client.post("/api/v1/search/region", json={"sop_instance_uid": sop_uid(1, 1), "region": [60, 60, 30, 30]})
    client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image")
    client.open(f"/{PATIENT_ID}", method="SECRETWORD")
    told = client_of(filled, SCRAPER).get("/metrics").text
    for hidden in (
        ROOT,
        PATIENT_ID,
        "SECRETWORD",
        "scraper",
        "tests",
        "default",
        "chest",
        str(filled.engine.settings.home),
    ):
        assert hidden not in told
    assert 'route="/api/v1/instances/<sop_instance_uid>/frames/<int:frame_number>/image"' in told


@pytest.mark.slow
def test_figures_need_their_scope_and_all_collections(empty_archive: Archive) -> None:
    assert empty_archive.stranger.get("/metrics").status_code == 401
    everyday = Identity("everyday", frozenset({"search", "index", "delete"}))
    assert client_of(empty_archive, everyday).get("/metrics").status_code == 403
    limited = Identity("limited", frozenset({"metrics"}), frozenset({"lung"}))
    answer = client_of(empty_archive, limited).get("/metrics")
    assert (answer.status_code, "limited to collections" in answer.text) == (403, True)
    scraper = client_of(empty_archive, SCRAPER)
    assert scraper.get("/metrics").status_code == 200
    assert scraper.get("/api/v1/series").status_code == 403
    assert [row.record.operation for row in empty_archive.engine.audit_log.rows()] == ["listSeries"]


class _SilentJobs:
    """Jobs of a database that does not answer."""

    def load(self) -> None:
        raise UnavailableError("The database does not answer.", "Start it.")


def test_figures_of_a_part_that_does_not_answer_are_left_out(
    empty_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(empty_archive.engine), "jobs", _SilentJobs())
    names = {name for name, _ in read(empty_archive)}
    assert "hmar_index_frames" in names
    assert "hmar_index_job_files" not in names


@pytest.mark.slow
def test_the_figures_tell_what_a_syslog_receiver_was_sent(tmp_path: Path) -> None:
    with datagrams() as receiver:
        archive = build_archive(tmp_path, audit_syslog=f"syslog+udp://127.0.0.1:{receiver.port}")
        assert archive.client.get("/api/v1/series").status_code == 200
        assert receiver.next().kind == "DICOM+RFC3881"
        assert archive.engine.audit_feed is not None
        archive.engine.audit_feed.close()
    figures = read(archive)
    assert figure(figures, "hmar_audit_feed_rows_total", outcome="sent") == 1
    assert figure(figures, "hmar_audit_feed_rows_total", outcome="dropped") == 0
    assert figure(figures, "hmar_audit_feed_waiting") == 0


@pytest.mark.slow
def test_every_figure_is_documented_and_no_other(filled: Archive) -> None:
    told = client_of(filled, SCRAPER).get("/metrics").text
    helps = dict(re.findall(r"^# HELP (hmar_\w+) (.*)$", told, re.MULTILINE))
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
    rows = re.findall(r"^\| `(hmar_\w+)` \| ([\w, ]*?) ?\| (.*) \|$", page, re.MULTILINE)
    assert {name: meaning for name, _, meaning in rows} == helps
    labels = {name: {label for label in of.split(", ") if label} for name, of, _ in rows}
    for family in text_string_to_metric_families(told):
        for sample in family.samples:
            if family.name.startswith("hmar_"):
                documented = labels.get(family.name) or labels.get(f"{family.name}_total") or set()
                assert set(sample.labels) - {"le"} == documented
