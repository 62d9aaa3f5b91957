"""Two web processes with tokens, a webhook and an audit feed: each row and each change is told once."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.hmar.audit_feed.test_messages import code, details
from tests.hmar.webhooks.receiver import Receiver, fails
from tests.phantoms import series_uid
from tests.provider import AUDIENCE, ROLES, provided
from tests.service.conftest import FRAMES, SLICES
from tests.service.processes.served import PROCESSES, Connection, Server, several, until
from tests.syslog_receiver import datagrams

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SERIES, WEBHOOKS = "/api/v1/series", "/api/v1/webhooks"


def until_sent(server: Server, connection: Connection) -> None:
    until(lambda: connection.json("GET", WEBHOOKS)["webhooks"][0]["lag"] == 0, server.log)


def figures(connection: Connection, name: str) -> list[str]:
    _, text = connection.call("GET", "/metrics")
    return re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)


def test_tokens_changes_and_accesses_are_those_of_one_server(tmp_path: Path) -> None:
    (tmp_path / "roles.toml").write_text(ROLES)
    with provided() as provider, datagrams() as syslog, Receiver(fails) as receiver:
        settings = {
            "HMAR_OIDC_ISSUER": provider.issuer,
            "HMAR_OIDC_AUDIENCE": AUDIENCE,
            "HMAR_OIDC_ROLES_FILE": str(tmp_path / "roles.toml"),
            "HMAR_AUDIT_SYSLOG": f"syslog+udp://127.0.0.1:{syslog.port}",
            "HMAR_WEBHOOK_NETWORKS": "127.0.0.0/8",
        }
        with several(tmp_path / "home", **settings) as server, server.one_to_each() as (one, two):
            for connection in (one, two):
                bearer = {"Authorization": f"Bearer {provider.token()}"}
                assert connection.call("GET", SERIES, key="", **bearer)[0] == 200
            added = {"name": "ris", "url": receiver.url, "after": 0}
            _, text = one.call("POST", WEBHOOKS, added)
            receiver.secret = json.loads(text)["secret"]
            until_sent(server, two)
            two.json("POST", "/api/v1/deletions", {"level": "series", "uid": series_uid(3)})
            until_sent(server, one)
            for name in ("hmar_webhook_deliveries_total", "hmar_webhook_failures_total"):
                assert figures(one, name) == figures(two, name)
            assert server.stop() == 0
        assert receiver.seqs == [*range(1, FRAMES + SLICES + 1)], "the first attempt failed, and came again"
        log = server.archive.engine.audit_log
        assert log.verify().fault == ""
        rows = list(log.rows())
        messages = [syslog.next() for _ in rows]
    assert sorted(int(details(one.message)["row"]) for one in messages) == [row.seq for row in rows]
    assert len({one.process for one in messages}) == PROCESSES
    actors = Counter(row.record.actor for row in rows if row.record.operation == "listSeries")
    assert actors == {"oidc anna": PROCESSES}
    events = [one.message.find("EventIdentification") for one in messages]
    exports = [event for event in events if code(event, "EventID")[0] == "110106"]
    outcomes = Counter(event.attrib["EventOutcomeIndicator"] for event in exports if event is not None)
    assert outcomes.keys() == {"0", "4"}
    assert outcomes["0"] == len(receiver.bodies)
