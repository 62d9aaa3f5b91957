"""Rows as DICOM audit messages: all that the row has, and nothing else."""

from __future__ import annotations

import base64
import json
from typing import get_args
from xml.etree.ElementTree import Element, fromstring

import pytest

from hmar.audit_feed.messages import MOST_OBJECTS, messages_of
from hmar.values.audit import AuditRecord, AuditRow
from hmar.values.deletion import Level

RECORD = AuditRecord(
    at=1_780_000_000.125,
    operation="searchImage",
    route="/api/v1/search/image",
    scope="search",
    actor="oidc anna",
    status=200,
    address="10.0.0.7",
    touched=json.dumps(["patient:0a", "study:0b"]),
    touched_count=2,
)


def row(**changed: object) -> AuditRow:
    return AuditRow(41, RECORD._replace(**changed), "digest")  # type: ignore[arg-type]


def message(**changed: object) -> Element:
    [text] = messages_of(row(**changed))
    return fromstring(text)


def code(parent: Element | None, name: str) -> tuple[str, ...]:
    assert parent is not None
    found = parent.find(name)
    assert found is not None
    return tuple(found.attrib.values())


def details(found: Element) -> dict[str, str]:
    return {
        detail.attrib["type"]: base64.b64decode(detail.attrib["value"]).decode()
        for detail in found.iter("ParticipantObjectDetail")
    }


def test_a_message_has_all_that_the_row_has() -> None:
    found = message()
    assert [child.tag for child in found] == [
        "EventIdentification",
        "ActiveParticipant",
        "ActiveParticipant",
        "AuditSourceIdentification",
        *["ParticipantObjectIdentification"] * 3,
    ]
    event = found.find("EventIdentification")
    assert event is not None
    assert event.attrib == {
        "EventActionCode": "E",
        "EventDateTime": "2026-05-28T20:26:40.125+00:00",
        "EventOutcomeIndicator": "0",
    }
    assert code(event, "EventID") == ("110112", "DCM", "Query")
    asking = found.find("ActiveParticipant")
    assert asking is not None
    assert asking.attrib == {
        "UserID": "oidc anna",
        "UserIsRequestor": "true",
        "NetworkAccessPointID": "10.0.0.7",
        "NetworkAccessPointTypeCode": "2",
    }
    objects = found.findall("ParticipantObjectIdentification")
    assert [one.attrib["ParticipantObjectID"] for one in objects] == ["patient:0a", "study:0b", RECORD.route]
    assert [code(one, "ParticipantObjectIDTypeCode") for one in objects] == [
        ("2", "RFC-3881", "Patient Number"),
        ("110180", "DCM", "Study Instance UID"),
        ("12", "RFC-3881", "URI"),
    ]
    assert details(found) == {
        "row": "41",
        "operation": "searchImage",
        "scope": "search",
        "status": "200",
        "touched": "2",
    }


@pytest.mark.parametrize(
    ("operation", "route", "action", "event"),
    [
        ("searchRegion", "/api/v1/search/region", "E", "110112"),
        ("listSeries", "/api/v1/series", "R", "110103"),
        ("changeLabels", "/api/v1/labels", "U", "110103"),
        ("createIndexJob", "/api/v1/index-jobs", "C", "110107"),
        ("delete", "/api/v1/deletions", "D", "110105"),
        ("pruneAudit", "hmar audit prune", "D", "110101"),
        ("rotateSecrets", "hmar secrets rotate", "U", "110113"),
        ("makeKey", "/api/v1/keys", "C", "110113"),
        ("revokeKey", "/api/v1/keys/<name>", "D", "110113"),
        ("listAudit", "/api/v1/audit", "R", "110101"),
        ("logIn", "/login", "E", "110114"),
        ("deliverChanges", "webhook", "R", "110106"),
        ("exportHits", "/api/v1/exports", "R", "110106"),
        ("retrieveInstance", "/dicom-web/studies/<study_uid>", "R", "110104"),
    ],
)
def test_an_operation_is_the_event_that_dicom_has_for_it(
    operation: str, route: str, action: str, event: str
) -> None:
    told = message(operation=operation, route=route).find("EventIdentification")
    assert told is not None
    assert (told.attrib["EventActionCode"], code(told, "EventID")[0]) == (action, event)
    typed = ("logIn", "rotateSecrets", "makeKey", "revokeKey")
    assert (told.find("EventTypeCode") is not None) is (operation in typed)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0, "0"),
        (200, "0"),
        (304, "0"),
        (401, "8"),
        (403, "8"),
        (404, "4"),
        (422, "4"),
        (500, "12"),
        (503, "12"),
    ],
)
def test_the_outcome_follows_from_the_status(status: int, outcome: str) -> None:
    event = message(status=status).find("EventIdentification")
    assert event is not None
    assert event.attrib["EventOutcomeIndicator"] == outcome


@pytest.mark.parametrize(("status", "outcome"), [(204, "0"), (0, "4"), (307, "4"), (401, "4"), (500, "4")])
def test_a_delivery_that_no_receiver_took_is_no_success(status: int, outcome: str) -> None:
    event = message(operation="deliverChanges", status=status).find("EventIdentification")
    assert event is not None
    assert event.attrib["EventOutcomeIndicator"] == outcome


def test_a_row_of_many_studies_becomes_several_messages_that_have_them_all() -> None:
    names = [f"study:{number:032x}" for number in range(2 * MOST_OBJECTS + 1)]
    parts = list(messages_of(row(touched=json.dumps(names), touched_count=9000)))
    assert len(parts) == 3
    assert max(map(len, parts)) < 20_000
    told = [
        one.attrib["ParticipantObjectID"]
        for part in parts
        for one in fromstring(part).iter("ParticipantObjectIdentification")
    ]
    assert [name for name in told if name.startswith("study:")] == names
    assert {details(fromstring(part))["touched"] for part in parts} == {"9000"}


@pytest.mark.parametrize("level", get_args(Level))
def test_every_level_that_a_row_may_have_is_told(level: str) -> None:
    found = message(touched=json.dumps([f"{level}:0c"])).find("ParticipantObjectIdentification")
    assert found is not None
    assert found.attrib["ParticipantObjectID"] == f"{level}:0c"
    assert len(code(found, "ParticipantObjectIDTypeCode")) == 3


def test_names_are_written_so_that_they_change_no_message() -> None:
    name = 'oidc <a href="x">&Änne 安娜'
    [text] = messages_of(row(actor=name, address=""))
    assert text.isascii()
    asking = fromstring(text).find("ActiveParticipant")
    assert asking is not None
    assert asking.attrib == {"UserID": name, "UserIsRequestor": "true"}
    assert message(actor="").find("ActiveParticipant").attrib["UserID"] == "unknown"  # type: ignore[union-attr]
