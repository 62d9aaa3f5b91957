"""The part "mixed": bad files among good ones in one job, and the same files from several clients at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from benchmark.trust.material.bad import NO_IMAGE, bad_files
from benchmark.trust.material.dicom import ROOT, dicom, stored_slice
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.product import DEADLINE_S, Product, product

GOOD, BAD, CLIENTS = 1000, 100, 8
SHORT_GOOD, SHORT_BAD = 60, 30
_ROUTES = ("/api/v1/render", "/api/v1/search/image")
_RIGHT = frozenset({200, 413, 422})
_REASONED = frozenset({"failed", "dead", "partial", "skipped"})
_GOOD_FRAMES = 2
"""Of the three of a file with a bad frame."""
_LISTED = 1000
_FIRST = 10_000
"""Numbers of good files begin here: bad ones have the same UIDs as no good one."""


def run(trial: Run) -> Outcome:
    """Index bad files of all kinds among good ones in one job; meanwhile send the bad ones from 8 clients.

    The bad files are streams with changed bytes, cut files, headers that contradict themselves or their
    pixels, bombs, files of which one frame is bad, files that are no images, and files that crash a native
    decoder. Right is: every good file is indexed, once; every file has a final state, and a reason unless it
    was indexed; all frames but the bad one of a file are indexed in part; every request is answered
    within 60 s by 200, 413 or 422; broker, worker and web server are the same processes as before. Codes are
    the thumbnail's.
    """
    good, bad = (SHORT_GOOD, SHORT_BAD) if trial.short else (GOOD, BAD)
    files = bad_files(bad, trial.seed)
    failures: list[str] = []
    with product(trial.folder) as running:
        before = running.parts()
        _fill(running, good, files)
        job_id = running.index("mixed")
        rows = _sent(running, files, failures)
        trial.say("requests answered")
        running.finished(job_id)
        rows.insert(0, _job_row(running, job_id, good, bad, failures))
        after = running.parts()
        if before != after:
            failures.append(f"The parts were {before} and are {after}.")
        if running.get("/readyz").status != 200:
            failures.append("The product was not ready afterwards.")
    summary: Row = {
        "files": good + bad,
        "good_indexed": f"{rows[0]['right']} of {good}",
        "requests_answered": f"{sum(int(row['right']) for row in rows[1:])} of {bad * len(_ROUTES)}",
        "slowest_s": max(float(row["slowest_s"]) for row in rows[1:]),
        "parts_restarted": len(set(before) - set(after)),
    }
    return Outcome(rows, summary, failures)


def _fill(running: Product, good: int, files: list[tuple[str, bytes]]) -> None:
    """Write all files to the import folder, each bad one between good ones."""
    folder = running.home / "import" / "mixed"
    folder.mkdir(parents=True)
    for place in range(good):
        number = _FIRST + place
        (folder / f"{place:05}-good.dcm").write_bytes(dicom(stored_slice(number, 32), number=number))
    for place, (kind, data) in enumerate(files):
        # Without the suffix, what is no image was not meant to be one.
        name = f"{place * good // len(files):05}-{place:03}{'' if kind == NO_IMAGE else '.dcm'}"
        (folder / name).write_bytes(data)


def _job_row(running: Product, job_id: str, good: int, bad: int, failures: list[str]) -> Row:
    found = _indexed(running)
    missing = [place for place in range(good) if found[f"{ROOT}.1.{_FIRST + place}"] != 1]
    if missing:
        failures.append(f"{len(missing)} good files are not indexed once, such as number {missing[0]}.")
    items = _items(running, job_id)
    open_items = [item for item in items if item["state"] in ("queued", "running")]
    unreasoned = [item for item in items if item["state"] in _REASONED and not item["reason"]]
    in_part = [item for item in items if item["state"] == "partial"]
    if not in_part or any(item["frames"] != _GOOD_FRAMES for item in in_part):
        failures.append(
            f"Of {len(in_part)} files in part, frames are {[item['frames'] for item in in_part]}."
        )
    if len(items) != good + bad or open_items or unreasoned:
        failures.append(
            f"Of {good + bad} files, {len(items)} are items, {len(open_items)} have no final state, "
            f"{len(unreasoned)} have no reason for theirs."
        )
    if not any(item["state"] == "skipped" for item in items):
        failures.append("No file was skipped.")
    dead = [item["reason"] for item in items if item["state"] == "dead"]
    failures += [f"A file was given up after several attempts: {reason}" for reason in dead]
    return {
        "trial": "one job",
        "files": good + bad,
        "right": good - len(missing),
        "answers": str(dict(sorted(Counter(str(item["state"]) for item in items).items()))),
        "slowest_s": 0.0,
    }


def _indexed(running: Product) -> Counter[str]:
    frames = running.get(f"/api/v1/series/{ROOT}.3/frames").json["frames"]
    return Counter(frame["sop_instance_uid"] for frame in frames)


def _items(running: Product, job_id: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    after: int | None = 0
    while after is not None:
        page = running.get(f"/api/v1/index-jobs/{job_id}/items?after={after}&limit={_LISTED}").json
        items += page["items"]
        after = page["next_after"]
    return items


def _sent(running: Product, files: list[tuple[str, bytes]], failures: list[str]) -> list[Row]:
    """Send each file to each route, by several clients at a time."""
    rows: list[Row] = []

    def status(place: int, route: str) -> tuple[int, float]:
        try:
            answer = running.send(route, files[place][1])
        except (OSError, HTTPException) as error:
            failures.append(f"{route} did not answer bad file {place}: {type(error).__name__}.")
            return 0, DEADLINE_S
        if answer.status not in _RIGHT:
            failures.append(f"{route} answered {answer.status} to bad file {place} ({files[place][0]}).")
        return answer.status, answer.seconds

    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = {
            route: [pool.submit(status, place, route) for place in range(len(files))] for route in _ROUTES
        }
        for route, futures in asked.items():
            answers = [future.result() for future in futures]
            rows.append(
                {
                    "trial": f"{CLIENTS} clients, {route}",
                    "files": len(files),
                    "right": sum(found in _RIGHT for found, _ in answers),
                    "answers": str(dict(sorted(Counter(found for found, _ in answers).items()))),
                    "slowest_s": round(max(seconds for _, seconds in answers), 2),
                }
            )
    return rows


PART = Part(
    "mixed",
    "Bad files among good ones",
    run,
    "{files} files in one job, the bad ones also sent by 8 clients",
    "{good_indexed} good ones indexed once, {requests_answered} requests answered, "
    "{parts_restarted} processes restarted",
)
