"""Rows of the audit log as DICOM audit messages (PS3.15 A.5), in XML.

A message has what the row has and no more: of patients and studies keyed hashes, no ids.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from hmar.values.audit import AuditRecord, AuditRow

SOURCE = "HMAR search"
MOST_OBJECTS = 50
"""Patients and studies of one message, which keeps it below 20 KB; a row with more becomes several."""
_ANONYMOUS = "unknown"


class _Event(NamedTuple):
    """Code and meaning (PS3.16 CID 400), and action: Create, Read, Update, Delete or Execute."""

    code: str
    meaning: str
    action: str


_ACCESSED = _Event("110103", "DICOM Instances Accessed", "R")
_QUERY = _Event("110112", "Query", "E")
_IMPORT = _Event("110107", "Import", "C")
_AUTHENTICATION = _Event("110114", "User Authentication", "E")
_EXPORT = _Event("110106", "Export", "R")
_DELETED = _Event("110105", "DICOM Study Deleted", "D")
_DELIVERY = "deliverChanges"
_OF_OPERATIONS = {
    "createIndexJob": _IMPORT,
    "retryIndexJob": _IMPORT,
    "storeInstances": _IMPORT,
    "storeStudyInstances": _IMPORT,
    "receiveStudy": _IMPORT,
    "changeLabels": _Event("110103", "DICOM Instances Accessed", "U"),
    "delete": _DELETED,
    "deleteGoneStudy": _DELETED,
    "pruneAudit": _Event("110101", "Audit Log Used", "D"),
    "retrieveInstance": _Event("110104", "DICOM Instances Transferred", "R"),
    "exportHits": _EXPORT,
    "readStudyPatient": _Event("110110", "Patient Record", "R"),
    "listAudit": _Event("110101", "Audit Log Used", "R"),
    "rotateSecrets": _Event("110113", "Security Alert", "U"),
    "makeKey": _Event("110113", "Security Alert", "C"),
    "revokeKey": _Event("110113", "Security Alert", "D"),
    _DELIVERY: _EXPORT,
    "logIn": _AUTHENTICATION,
    "logOut": _AUTHENTICATION,
}
_TYPES = {
    "logIn": ("110122", "Login"),
    "logOut": ("110123", "Logout"),
    **dict.fromkeys(
        ("rotateSecrets", "makeKey", "revokeKey"), ("110137", "User Security Attributes Changed")
    ),
}
_OBJECTS = {
    # Type, role, and the code, system and meaning of what the id is. The last two codes are our own: systems
    # that begin with 99 are private (PS3.3, section 8.2).
    "patient": ("1", "1", ("2", "RFC-3881", "Patient Number")),
    "study": ("2", "3", ("110180", "DCM", "Study Instance UID")),
    "series": ("2", "3", ("series", "99HMAR", "Series Instance UID")),
    "instance": ("2", "3", ("instance", "99HMAR", "SOP Instance UID")),
}
"""Of whom and of what a row tells (:data:`hmar.values.deletion.Level`)."""


def messages_of(row: AuditRow) -> Iterator[bytes]:
    """Yield the messages of a row as XML in ASCII: one, or several where it tells of many."""
    touched: list[str] = json.loads(row.record.touched)
    for start in range(0, len(touched) or 1, MOST_OBJECTS):
        message = _message(row, touched[start : start + MOST_OBJECTS])
        yield tostring(message, encoding="us-ascii", xml_declaration=True)


def _message(row: AuditRow, touched: Sequence[str]) -> Element:
    record = row.record
    message = Element("AuditMessage")
    _add_event(message, record)
    asking = SubElement(
        message, "ActiveParticipant", UserID=record.actor or _ANONYMOUS, UserIsRequestor="true"
    )
    if record.address:
        asking.set("NetworkAccessPointID", record.address)
        asking.set("NetworkAccessPointTypeCode", "2")
    _add_code(asking, "RoleIDCode", "110153", "DCM", "Source Role ID")
    server = SubElement(message, "ActiveParticipant", UserID=SOURCE, UserIsRequestor="false")
    _add_code(server, "RoleIDCode", "110152", "DCM", "Destination Role ID")
    source = SubElement(message, "AuditSourceIdentification", AuditSourceID=SOURCE)
    SubElement(source, "AuditSourceTypeCode", {"csd-code": "4"})  # an application server
    for name in touched:
        kind, role, code = _OBJECTS[name.partition(":")[0]]
        _add_code(_object(message, name, kind, role), "ParticipantObjectIDTypeCode", *code)
    _add_row(message, row)
    return message


def _add_row(message: Element, row: AuditRow) -> None:
    """Add what DICOM has no place for, as details of the route: row, operation, scope, status and count."""
    record = row.record
    route = _object(message, record.route, "2", "13")
    _add_code(route, "ParticipantObjectIDTypeCode", "12", "RFC-3881", "URI")
    details = {
        "row": row.seq,
        "operation": record.operation,
        "scope": record.scope,
        "status": record.status,
        "touched": record.touched_count,
    }
    for name, value in details.items():
        encoded = base64.b64encode(str(value).encode()).decode()
        SubElement(route, "ParticipantObjectDetail", type=name, value=encoded)


def _object(message: Element, name: str, kind: str, role: str) -> Element:
    return SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=name,
        ParticipantObjectTypeCode=kind,
        ParticipantObjectTypeCodeRole=role,
    )


def _add_code(parent: Element, name: str, code: str, system: str, meaning: str) -> None:
    SubElement(parent, name, {"csd-code": code, "codeSystemName": system, "originalText": meaning})


def _add_event(message: Element, record: AuditRecord) -> None:
    event = _event_of(record)
    told = SubElement(
        message,
        "EventIdentification",
        EventActionCode=event.action,
        EventDateTime=datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=outcome_of(record),
    )
    _add_code(told, "EventID", event.code, "DCM", event.meaning)
    if record.operation in _TYPES:
        code, meaning = _TYPES[record.operation]
        _add_code(told, "EventTypeCode", code, "DCM", meaning)


def _event_of(record: AuditRecord) -> _Event:
    if record.operation in _OF_OPERATIONS:
        return _OF_OPERATIONS[record.operation]
    return _QUERY if "/search/" in record.route else _ACCESSED


def outcome_of(record: AuditRecord) -> str:
    """Return success (0), minor failure (4), serious failure for what was not allowed (8), or major (12).

    A delivery that a receiver did not take is a minor one, whatever it answered: it comes again.
    """
    status = record.status
    if record.operation == _DELIVERY:
        return "0" if 200 <= status < 300 else "4"
    if status < 400:
        return "0"
    if status in (401, 403):
        return "8"
    return "4" if status < 500 else "12"
