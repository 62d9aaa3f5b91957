"""The part "requests": right and wrong requests, made from the OpenAPI document, for every route."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.trust.material.dicom import dicom, stored_slice
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.product import Product, product

EXAMPLES, SHORT_EXAMPLES = 200, 2
_HOOKS = "benchmark.trust.related"
_LIMIT_S = {True: 25, False: 1200}
"""How long rounds of examples go on. The first takes some minutes, and asks each operation 200 times."""
_INDEXED = 5
_NOT_A_METHOD = 501
_SHOWN = 200
_INSIDE = re.compile(r" -> |/properties/\w+/")
_WRONG_TYPE = ("Incorrect type", "violates `type`")
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


def run(trial: Run) -> Outcome:
    """Ask every route of the OpenAPI document with requests that fit it, and with ones that do not.

    schemathesis makes the requests, with a valid key, against the real server over a small archive: the
    examples, the borders of every type, and random data. A failure is a status, content type, header or body
    that the document does not name, a status of 500 and above, a wrong request that is accepted, a method
    that is answered although it does not exist, or a route that answers without its key. A method that HTTP
    does not have is answered 501, as RFC 9110 asks, and that is no failure;
    nor is a value of another type in a form, which has no types.
    """
    trial.folder.joinpath("report").mkdir()
    # Wrong keys are part of the trial; after thirty a minute, right ones would be the only ones answered.
    unlimited = {"HMAR_FAILURES_PER_MINUTE": "1000000", "HMAR_REQUESTS_PER_MINUTE": "10000000"}
    with product(trial.folder, **unlimited) as running:
        _fill(running)
        before = running.parts()
        report = _asked(trial, running)
        failures = [] if running.parts() == before else ["A part of the product ended."]
    counts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    found: set[str] = set()
    for operation, case in _cases(report):
        counts[operation] += 1
        for check in case:
            failed[operation] += 1
            found.add(f"{operation}: {check}")
    rows: list[Row] = [
        {"operation": operation, "requests": counts[operation], "failed": failed[operation]}
        for operation in sorted(counts)
    ]
    if not rows:
        failures.append("No request was made.")
    summary: Row = {
        "operations": len(rows),
        "requests": sum(counts.values()),
        "failures": len(found),
    }
    return Outcome(rows, summary, failures + sorted(found))


def _fill(running: Product) -> None:
    folder = running.home / "import" / "some"
    folder.mkdir(parents=True)
    for number in range(1, _INDEXED + 1):
        (folder / f"{number}.dcm").write_bytes(dicom(stored_slice(number), number=number))
    running.finished(running.index("some"))


def _asked(trial: Run, running: Product) -> Path:
    """Run schemathesis; return its report, a line of JSON for each event."""
    document = trial.folder / "openapi.json"
    document.write_bytes(running.get("/openapi.json").body)
    report = trial.folder / "report" / "events.ndjson"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
        *("--url", f"http://{running.place}", "-H", f"Authorization: Bearer {running.key}"),
        *("--checks", ",".join(_CHECKS), "--phases", "examples,coverage,fuzzing", "--mode", "all"),
        *("--max-examples", str(SHORT_EXAMPLES if trial.short else EXAMPLES), "--seed", str(trial.seed)),
        *("--continue-on-failure", "--no-color", "--no-shrink", "--suppress-health-check", "all"),
        *(
            "--generation-with-security-parameters",
            "false",
            "--generation-database",
            "none",
            "--report-ndjson-path",
            str(report),
        ),
        *("--max-time", str(_LIMIT_S[trial.short])),
    ]
    with (trial.folder / "report" / "output").open("wb") as output:
        subprocess.run(  # noqa: S603 - our own command
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=trial.folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": _HOOKS},
            timeout=2 * _LIMIT_S[trial.short],
            check=False,
        )
    return report


def _cases(report: Path) -> Iterator[tuple[str, list[str]]]:
    """Go through the requests in a report: the operation, and the checks that failed."""
    if not report.exists():
        return
    with report.open() as lines:
        for line in lines:
            event: dict[str, Any] = json.loads(line).get("ScenarioFinished", {})
            recorder = event.get("recorder", {})
            for number, case in recorder.get("cases", {}).items():
                checks = recorder.get("checks", {}).get(number, [])
                interaction = recorder.get("interactions", {}).get(number, {})
                status = (interaction.get("response") or {}).get("status_code", 0)
                sent_in_form = in_form(case["value"].get("media_type"), interaction.get("request") or {})
                yield recorder["label"], list(alarms(checks, status, sent_in_form))


def in_form(planned: str | None, request: dict[str, Any]) -> bool:
    """Whether a request has its body in a form, by the type that was sent, or the planned one."""
    headers = {name.lower(): values for name, values in request.get("headers", {}).items()}
    sent = str((headers.get("content-type") or [planned or ""])[0]).lower()
    return sent.startswith(("multipart/", "application/x-www-form-urlencoded"))


def alarms(checks: list[dict[str, Any]], status: int, in_form: bool) -> Iterator[str]:
    """Go through the checks of a request that failed, without those that are false alarms."""
    for check in checks:
        if check["status"] != "failure" or status == _NOT_A_METHOD:
            continue
        failure = check["failure_info"]["failure"]
        message = " ".join(str(failure.get("message", "")).split())
        if in_form and _of_a_whole_field(message):
            continue  # 0 in place of a text is the text "0" there, and an empty array is no field at all
        yield f"{failure['title']} ({status}): {message[:_SHOWN]}"


def _of_a_whole_field(message: str) -> bool:
    """Whether the message is of the type of a field itself, not of what is inside the JSON that it holds."""
    return any(words in message for words in _WRONG_TYPE) and not _INSIDE.search(message)


PART = Part(
    "requests",
    "Requests made from the OpenAPI document",
    run,
    "{requests} right and wrong requests to {operations} operations",
    "{failures} kinds of answers that the API does not promise",
)
