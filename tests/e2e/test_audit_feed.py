"""The web server as a process, with a syslog receiver that gets what the audit log has, and no ids."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path
from xml.etree.ElementTree import tostring

import pytest

from hmar.wiring import build_engine
from tests.hmar.audit_feed.test_messages import details
from tests.phantoms import PATIENT_ID, ROOT, sop_uid
from tests.service.conftest import build_archive, fill
from tests.service.test_serve import start
from tests.syslog_receiver import stream


@pytest.mark.slow
def test_a_receiver_gets_what_the_audit_log_has(tmp_path: Path) -> None:
    archive = fill(build_archive(tmp_path))
    with stream() as receiver:
        process = start(tmp_path, HMAR_AUDIT_SYSLOG=f"syslog+tcp://127.0.0.1:{receiver.port}")
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            body = json.dumps({"sop_instance_uid": sop_uid(1, 1), "k": 3}).encode()
            headers = {"X-API-Key": archive.key, "Content-Type": "application/json"}
            asked = urllib.request.Request(f"{url}/api/v1/search/image", body, headers)
            urllib.request.urlopen(asked, timeout=60).close()
            first = receiver.next().message
            urllib.request.urlopen(asked, timeout=60).close()
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
        last = receiver.next().message
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    rows = list(build_engine(archive.engine.settings, archive.engine.encoder).audit_log.rows())
    assert [details(one)["row"] for one in (first, last)] == [str(row.seq) for row in rows] == ["1", "2"]
    named = [one.attrib["ParticipantObjectID"] for one in first.iter("ParticipantObjectIdentification")]
    assert named == [*json.loads(rows[0].record.touched), "/api/v1/search/image"]
    text = tostring(first, encoding="unicode")
    assert "tests" in text, "the name of the key"
    for secret in (PATIENT_ID, ROOT, archive.key):
        assert secret not in text
