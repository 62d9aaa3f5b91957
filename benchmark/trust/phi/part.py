"""Send planted identifiers through the product, and look for them afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.trust.material.dicom import ROOT
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.phi.forms import all_forms, bytes_found
from benchmark.trust.phi.plants import FILE_NAME, PLANTED, good_file, odd_files
from benchmark.trust.product import Answer, Product, product

GOOD, SHORT_GOOD = 30, 6
_FILE_NAMES = "file name"
_MAY_NAME_FILES = ("catalogue.db", "backup: catalogue.db", "answer /api/v1/index-jobs")
"""What may hold names of files, as docs/security.md says: the catalogue, and the items of a job."""
_ROUTES = ("/api/v1/render", "/api/v1/search/image")


def run(trial: Run) -> Outcome:
    """Plant identifiers in files, send these through index jobs, searches, /render and a deletion, and look.

    Planted are patient ids, names, birth dates, accession numbers, physicians, an address, a private element
    and comments: where they belong, in place of every element that is computed with or named in errors, in
    damaged files, and in the texts of PNG and JPEG; and names of files. Looked for, as text in four encodings
    and both cases, and as hex, base64, URL and JSON, in: every file below HMAR_HOME but ``uploads`` and
    ``import``, which hold files as they came; the temporary folder; all output; headers and bodies of all
    answers; command lines and environments of all processes; the output of `hmar backup`, and all that is in
    the backup but the uploads, which it holds as they came, by design: keep it as you keep the images. Names
    of files may be in the catalogue and in the items of a job, and nowhere else. Right is 0 bytes.
    """
    scratch = trial.folder / "tmp"
    scratch.mkdir()
    planted = all_forms({**PLANTED, _FILE_NAMES: (FILE_NAME,)})
    looked: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()

    def look(place: str, data: bytes) -> None:
        looked[place] += len(data)
        for name, count in bytes_found(data, planted).items():
            if name != _FILE_NAMES or not place.startswith(_MAY_NAME_FILES):
                found[place, name] += count

    with product(trial.folder, TMPDIR=str(scratch)) as running:
        for place, answer in _sent(running, SHORT_GOOD if trial.short else GOOD):
            head = "\n".join(f"{key}: {value}" for key, value in answer.headers.items())
            look(f"answer {place}", head.encode("latin-1", "replace") + b"\n\n" + answer.body)
        trial.say(f"{sum(looked.values())} bytes of answers")
        for pid, name in running.processes().items():
            for part in ("cmdline", "environ"):
                look(f"{part} of {name}", _read(Path("/proc", str(pid), part)))
        _look_at_files(running.home, scratch, look)
    # Once more when all processes have ended: what they write at their end.
    _look_at_files(running.home, scratch, look)
    uploads = _look_at_backup(running.home, trial.folder, look)
    rows: list[Row] = [
        {
            "place": place,
            "bytes_read": looked[place],
            "bytes_of_phi": sum(count for (where, _), count in found.items() if where == place),
        }
        for place in sorted(looked)
    ]
    failures = [f"{count} bytes of the {name} are in {place}." for (place, name), count in found.items()]
    if not uploads:
        failures.append("The backup holds no upload, which it should.")
    summary: Row = {"bytes_read": sum(looked.values()), "bytes_of_phi": sum(found.values())}
    return Outcome(rows, summary, failures)


def _sent(running: Product, good: int) -> Iterator[tuple[str, Answer]]:
    """Send everything; go through the answers, each with the route."""
    files = [good_file(number) for number in range(1, good + 1)]
    odd = list(odd_files())
    folder = running.home / "import" / "planted"
    folder.mkdir(parents=True)
    for number, data in enumerate([*files, *odd]):
        (folder / f"{FILE_NAME}-{number}.dcm").write_bytes(data)
    yield from _job(running, running.post("/api/v1/index-jobs", {"folder": "planted"}))
    # The second is in no folder: its upload stays, and is in the backup.
    for data in (files[0], good_file(good + 1), odd[0], odd[-1]):
        yield from _job(running, running.send("/api/v1/index-jobs", data, f"{FILE_NAME}.dcm"))
    for route in _ROUTES:
        for data in [*files[:3], *odd]:
            yield route, running.send(route, data, f"{FILE_NAME}.dcm")
            yield route, running.ask("POST", route, data, "application/dicom")
    yield "/api/v1/search/region", running.send("/api/v1/search/region", files[0], region="9,9,30,30")
    uid = f"{ROOT}.1.1"
    yield "/api/v1/instances", running.get(f"/api/v1/instances/{uid}/frames/1/image")
    yield "/api/v1/series", running.get("/api/v1/series")
    yield "/api/v1/series", running.get(f"/api/v1/series/{ROOT}.3/frames")
    deletion = {"sop_instance_uid": f"{ROOT}.1.2"}
    yield "/api/v1/deletions", running.post("/api/v1/deletions", deletion)
    yield "/readyz", running.get("/readyz")


def _job(running: Product, taken: Answer) -> Iterator[tuple[str, Answer]]:
    yield "/api/v1/index-jobs", taken
    if taken.status != 202:
        return
    path = f"/api/v1/index-jobs/{taken.json['job_id']}"
    running.finished(taken.json["job_id"])
    yield "/api/v1/index-jobs", running.get(path)
    yield "/api/v1/index-jobs", running.get(f"{path}/items?limit=1000")


def _look_at_files(home: Path, scratch: Path, look: Callable[[str, bytes], None]) -> None:
    for root in (home, scratch):
        for path in sorted(root.rglob("*")):
            kept = path.relative_to(root).parts[0] in ("uploads", "import") and root == home
            if not kept and path.is_file():
                look(_place(path, root), _read(path))


def _look_at_backup(home: Path, folder: Path, look: Callable[[str, bytes], None]) -> int:
    """Back the archive up, look at the output and all members but uploads; return how many these are."""
    backup, uploads = folder / "backup.tar", 0
    command = [sys.executable, "-m", "hmar.cli", "backup", str(backup)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HMAR_")}
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, env=environment | {"HMAR_HOME": str(home)}, check=False
    )
    look("output of hmar backup", done.stdout + done.stderr)
    if done.returncode:
        raise RuntimeError(f"hmar backup ended with {done.returncode}")
    with tarfile.open(backup) as members:
        for member in members:
            content = members.extractfile(member)
            if member.name.startswith("uploads/"):
                uploads += 1
            elif content is not None:
                look(f"backup: {member.name}", content.read())
    return uploads


def _place(path: Path, root: Path) -> str:
    first = path.relative_to(root).parts[0]
    return first if root.name == "home" else f"temporary {first}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


PART = Part(
    "phi",
    "Planted identifiers",
    run,
    "{bytes_read} bytes of files, answers and output searched for planted identifiers",
    "{bytes_of_phi} bytes found",
)
