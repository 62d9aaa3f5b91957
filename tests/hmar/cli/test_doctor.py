"""``hmar doctor`` tells every kind of damage, says what to do, and repairs what can be repaired."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hmar.adapters.memory import InlineQueue
from hmar.cli import main
from hmar.config import Settings
from hmar.library.index_job import run_job
from hmar.library.integrity import waiting_remedy
from hmar.spool import LISTENER, Spool
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.models import ModelName
from hmar.wiring import build_engine
from tests.contract.examples import encoded
from tests.dicom_network import running_listener
from tests.hmar.adapters.sql.damage import flip_bit, flip_value
from tests.phantoms import ct_file
from tests.provider import AUDIENCE, ROLES, ec_key, jwk, provided

PARTS = ("database file", "rows", "log", "damaged rows", "uploads", "snapshots", "secrets")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("HMAR_HOME", str(home))
    monkeypatch.setenv("HMAR_MODEL_DIR", "thumbnail")
    queue = InlineQueue()
    settings = Settings(home=home, model_dir="thumbnail").checked()
    with closing(build_engine(settings, ThumbnailEncoder(), queue)) as engine:
        run_job(engine, queue, "sent", Origin("upload", ""), [ct_file(1, 1), ct_file(1, 2)])
        engine.searcher.refresh()
        engine.index.snapshot()
    return home


def doctor(*options: str) -> dict[str, Any]:
    outcome = CliRunner().invoke(main, ["doctor", "--json", *options])
    found = json.loads(outcome.stdout)
    parts = {check["part"]: check for check in found["checks"]}
    assert outcome.exit_code == (0 if found["healthy"] else 1)
    for check in parts.values():
        assert check["remedy"] or check["state"] == "ok", check
    return parts


def failed(parts: dict[str, Any]) -> set[str]:
    return {name for name in (*PARTS, "repair") if name in parts and parts[name]["state"] == "failed"}


@pytest.mark.slow
def test_an_intact_archive_is_healthy(home: Path) -> None:
    parts = doctor()
    assert failed(parts) == set()
    assert set(PARTS) <= set(parts)
    assert "rows" not in doctor("--quick")
    assert (home / "catalogue.db").exists()


@pytest.mark.slow
def test_a_damaged_row_is_named_and_repaired(home: Path) -> None:
    flip_value(home / "catalogue.db", "entries", "rows", "entry_id = 1")
    flip_value(home / "catalogue.db", "log", "mark", "seq = 2")
    parts = doctor()
    assert {"rows", "log"} <= failed(parts)
    assert "entries 1" in parts["rows"]["found"]
    repaired = doctor("--repair")["repair"]
    assert repaired["state"] == "ok"
    assert "frame 1" in repaired["found"]
    assert failed(doctor()) == set()


@pytest.mark.slow
def test_a_damaged_row_of_the_next_model_is_not_to_be_deleted_and_comes_back_by_indexing(home: Path) -> None:
    with closing(build_engine(Settings(home=home, model_dir="thumbnail").checked())) as engine:
        following = engine.known_models.named("hmar-ct-128")
        used = ModelName(engine.encoder.fingerprint, engine.encoder.name)
        engine.models.begin(used, following)
        codes = {number: encoded(model=following.fingerprint) for number in (1, 2)}
        assert engine.models.carry(codes) == 2
        flip_value(home / "catalogue.db", "entries", "window_codes", "entry_id = 3")
        remedy = doctor("--repair")["repair"]["remedy"]
        assert f"hmar reindex --model {following.fingerprint[:12]}" in remedy
        assert "delete them" not in remedy
        assert doctor()["damaged rows"]["remedy"] == remedy
        assert engine.models.carry(codes) == 1, "as 'hmar reindex' does"
        flip_value(home / "catalogue.db", "entries", "window_codes", "entry_id = 4")
        engine.storage.integrity.take_out([4])
        [row] = engine.storage.integrity.damaged_rows()
        assert "delete them" not in waiting_remedy(engine, [row], "repeat")
        gone = replace(row, frame_number=2)
        assert "delete them" in waiting_remedy(engine, [gone], "repeat"), "it is under no other model"
        assert engine.models.carry(codes) == 1
    assert doctor()["damaged rows"]["state"] == "ok"


@pytest.mark.slow
def test_a_next_model_that_is_not_installed_is_told(home: Path) -> None:
    with closing(build_engine(Settings(home=home, model_dir="thumbnail").checked())) as engine:
        used = ModelName(engine.encoder.fingerprint, engine.encoder.name)
        engine.models.begin(used, ModelName("f" * 32, "elsewhere"))
    told = doctor("--quick")["model"]
    assert (told["state"], told["remedy"]) == ("failed", "Install it: hmar models install DIR")


@pytest.mark.slow
def test_a_damaged_upload_snapshot_and_secret_are_told(home: Path) -> None:
    upload = next(path for path in (home / "uploads").glob("??/*"))
    flip_bit(upload, 8 * 600)
    array = next((home / "index").glob("*/gen-*/window_codes.npy"))
    flip_bit(array, 8 * (array.stat().st_size - 1))
    parts = doctor()
    assert {"uploads", "snapshots"} <= failed(parts)
    assert upload.name in parts["uploads"]["found"]
    flip_bit(home / "secrets" / "patient", 7)
    assert "secrets" in failed(doctor("--quick"))


@pytest.mark.slow
def test_the_identity_provider_is_asked_for_its_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> dict[str, Any]:
        told: dict[str, Any] = doctor("--quick")["identity provider"]
        return told

    assert found()["state"] == "ok"
    with provided() as provider:
        monkeypatch.setenv("HMAR_OIDC_ISSUER", provider.issuer)
        monkeypatch.setenv("HMAR_OIDC_AUDIENCE", AUDIENCE)
        monkeypatch.setenv("HMAR_OIDC_ROLES_FILE", str(home / "roles.toml"))
        assert found()["state"] == "failed"
        assert "roles.toml" in found()["found"]
        (home / "roles.toml").write_text(ROLES)
        assert found()["state"] == "ok"
        assert f"{provider.issuer} publishes 1 key " in found()["found"]
        provider.publish(jwk(ec_key(), "a", use="enc"))
        assert (found()["state"], found()["remedy"]) == (
            "failed",
            "Let HMAR_OIDC_ALGORITHMS name what it signs with.",
        )
        provider.describe(issuer="https://elsewhere.example")
        assert "says that it is 'https://elsewhere.example'" in found()["found"]
    assert "does not answer at" in found()["found"]


@pytest.mark.slow
def test_what_is_kept_of_what_was_sent_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor("--quick")["kept files"]["found"].startswith("2 uploads")
    monkeypatch.setenv("HMAR_UPLOADS_PACS", "main")
    unknown = doctor("--quick")["kept files"]
    assert (unknown["state"], "no PACS called 'main'" in unknown["found"]) == ("failed", True)
    (home / "pacs.toml").write_text('[main]\nroot = "https://pacs.example/dicom-web"')
    told = doctor("--quick")["kept files"]
    assert told["state"] == "note"
    assert "the PACS main has it (HMAR_UPLOADS_PACS). 2 uploads are here" in told["found"]


@pytest.mark.slow
def test_received_files_and_the_listener_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor("--quick")["listener"]["found"] == "none; HMAR_LISTEN_PORT is not set"
    spool = Spool(Settings(home=home).spool_root)
    draft = spool.draft(LISTENER, "pushed", 1 << 20, lambda: None)
    draft.write(ct_file(2, 1))
    kept = draft.keep("pushed")
    with running_listener(home) as listener:
        monkeypatch.setenv("HMAR_LISTEN_PORT", str(listener.port))
        parts = doctor("--quick")
        assert parts["received files"]["found"] == "1 received files wait for an index job"
        assert parts["listener"]["state"] == "ok"
        assert f"HMAR takes connections on port {listener.port}" in parts["listener"]["found"]
    assert doctor("--quick")["listener"]["state"] == "note"
    kept.path.write_bytes(b"altered")
    spool.set_damaged_aside([kept])
    told = doctor("--quick")["received files"]
    assert (told["state"], kept.reference in told["found"]) == ("failed", True)


@pytest.mark.slow
def test_what_scans_is_told_and_a_gpu_that_cannot(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor("--quick")["scan"]["found"].startswith("on the processor")
    monkeypatch.setenv("HMAR_SCAN_DEVICE", "cuda")
    monkeypatch.setattr("hmar.cli.checks.why_no_gpu", lambda: "there is no driver")
    told = doctor("--quick")["scan"]
    assert (told["state"], "there is no driver" in told["found"]) == ("failed", True)
    monkeypatch.setattr("hmar.cli.checks.why_no_gpu", lambda: None)
    monkeypatch.setattr("hmar.wiring.gpu_scanner", lambda processor: processor)
    for free, state in ((1e9, "ok"), (1.0, "note")):
        monkeypatch.setattr("hmar.cli.checks.room_on_gpu", lambda free=free: ("a card", free))
        assert doctor("--quick")["scan"]["state"] == state
