"""``hmar index``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from hmar.adapters.memory import InlineQueue
from hmar.cli import INTERRUPTED
from hmar.cli.label_batches import Batch, label_batches, uids_in
from hmar.cli.pacs import Day, Wanted, pull_of
from hmar.cli.places import client, server_named
from hmar.cli.sending import THERE, outcome_of, pull, send
from hmar.cli.settings import settings_from_environment, workers_answering
from hmar.client.client import Client
from hmar.config import Settings
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ParameterError
from hmar.indexing.submitting import submit
from hmar.label_table import LabelRow, read_labels
from hmar.library.index_job import POLL_S, failed_items, known_job, run_job, skipped_items
from hmar.properties.kinds.labels import label_value
from hmar.values.added import Added, Failure
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, Job, JobState
from hmar.values.names import checked_name
from hmar.values.pulls import PACS, Pull
from hmar.values.references import printable, reference_of
from hmar.values.slabs import checked_slab_mm
from hmar.wiring import build_engine

SHOWN_FAILURES = 20


@click.command()
@click.argument("path", type=Wanted())
@click.option(
    "--collection", default="default", show_default=True, help="Name of the collection that they go into."
)
@click.option(
    "--label",
    help="Short free text, 1 to 64 characters, by which hmar search --label finds these images, and which "
    "hmar train --archive learns. What is indexed already keeps its own.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Table with the label of each file: columns path (from the table's folder on), sop_instance_uid or "
    "series_instance_uid; label; and patient, for files that have no PatientID themselves. Files that it "
    "does not name are indexed without a label.",
)
@click.option(
    "--keep-names",
    is_flag=True,
    help="Let a server keep the names of files with the job, for 30 days at most. They may be patients'. An "
    "archive of this machine reads files where they lie, and keeps their paths anyway.",
)
@click.option(
    "--slab-mm",
    type=float,
    metavar="MM",
    help="Give the collection slabs of this thickness, as 'hmar slabs' does: one thin slice stands for its "
    "neighbours when windows are searched. 0 takes them away; without it they stay as they are.",
)
@click.option("--modality", help="Of a PACS: series of this modality, such as CT.")
@click.option("--since", type=Day(), help="Of a PACS: studies of this date or later.")
@click.option("--until", type=Day(), help="Of a PACS: studies of this date or earlier.")
@click.option("--study-uid", metavar="UID", help="Of a PACS: one study.")
@click.option("--series-uid", metavar="UID", help="Of a PACS: one series of this study.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the outcome as JSON, with the reason of each failure."
)
def index(
    path: Path | str,
    collection: str,
    label: str | None,
    labels: Path | None,
    keep_names: bool,
    slab_mm: float | None,
    as_json: bool,
    **of_pacs: Any,
) -> None:
    """Index the images at PATH: a file, a folder with everything below it, or pacs:NAME.

    DICOM, PNG and JPEG files are read, whatever their extension. The worker of a running product does it;
    without one it is done in this process. Files that are indexed already are skipped: start an interrupted
    run again, and it goes on. A file that cannot be read is named with the reason and stops nothing; those
    of its frames that can be read are indexed. Another image under the SOP Instance UID of an indexed one is
    refused, unless HMAR_SAME_UID says otherwise. Files of another kind, such as notes beside images, are
    counted as skipped, and so are masks: mask_NAME.png and NAME_mask.png beside an image NAME. --json lists
    them. The exit status is 1 if no file could be indexed.

    pacs:NAME is a PACS that HMAR_HOME/pacs.toml names; the options say what of it is pulled, by default all.
    'hmar doctor pacs:NAME' tries it.

    With --server, the files are sent to it, and the outcome names them by their paths here. --labels needs
    the archive of this machine: 'hmar labels --table' gives labels on a server.

    Patient ids of a table are hashed as those of headers are, before anything is kept. A file whose header
    names another patient than the table is refused, and so is one that is indexed with another patient.

    \b
    Examples:
      hmar index /data/lidc
      hmar index scan.dcm --collection teaching --json
      hmar index pacs:main --modality CT --since 2026-01-01
      hmar index /data/thin --collection chest --slab-mm 3
      hmar index /data/nodules --label "proven nodules"
      hmar index /data/films --labels /data/films/labels.csv --collection films
      hmar --server https://pacs.example/hmar index /data/lidc --collection teaching
    """
    if label is not None and labels is not None:
        raise ParameterError("--label and --labels are both given.", "Give one of the two.")
    wanted = pull_of(path, of_pacs)
    if wanted is not None and labels is not None:
        raise ParameterError("--labels is given for a PACS.", "Index first, then 'hmar labels --table'.")
    thickness = checked_slab_mm(slab_mm) if slab_mm else None
    if slab_mm is not None and server_named() is not None:
        raise ParameterError(
            "--slab-mm works on the archive of this machine alone, and a server is named.",
            "Run 'hmar slabs' where the server's archive is.",
        )
    asked = client()
    if asked is not None:
        _index_there(asked, wanted or Path(path), collection, label, labels, keep_names, as_json)
        return
    settings = settings_from_environment()
    label = None if label is None else label_value(label)
    rows = None if labels is None else read_labels(labels)
    root = Path(path)
    origin = Origin("local", reference_of(root.resolve())) if wanted is None else Origin(PACS, str(wanted))
    # A resolved path is never shown: the names below are relative to what was typed.
    begun = time.monotonic()
    console = Console(stderr=True)
    run = _Runs(settings, collection, origin, console)
    if slab_mm is not None:
        run.engine.slabs.change(checked_name("collection", collection), thickness)
    batches, unmatched = [Batch(label)], 0
    if rows is not None:
        batches, unmatched = run.batches(rows)
        console.print(_patients_in_words(batches))
    runs = [run.index(batch, len(batches) - number) for number, batch in enumerate(batches, start=1)]
    outcomes = [
        Added.of_job(job, failed_items(run.engine.jobs, job), root, skipped_items(run.engine.jobs, job))
        for job in runs
    ]
    seconds = time.monotonic() - begun
    if as_json and rows is None:
        click.echo(json.dumps(outcome_of(runs[0], outcomes[0], run.where, seconds)))
    elif as_json:
        each = [outcome_of(job, added, run.where, None) for job, added in zip(runs, outcomes, strict=True)]
        patients, files = _patients(batches)
        answer = {"patients": patients, "files_with_patient": files, "unmatched_rows": unmatched}
        click.echo(json.dumps({"jobs": each, **answer, "seconds": round(seconds, 3)}))
    else:
        for job, added in zip(runs, outcomes, strict=True):
            _report(job, added, Console(), None if rows is None else job.label or "without label")
        if unmatched:
            console.print(f"{unmatched} rows of the table name no file at {escape(printable(str(path)))}")
    nothing = all(
        added.failed + added.skipped == job.total for job, added in zip(runs, outcomes, strict=True)
    )
    if nothing or any(job.state is not JobState.DONE for job in runs):
        click.get_current_context().exit(1)


def _index_there(
    asked: Client,
    wanted: Path | Pull,
    collection: str,
    label: str | None,
    labels: Path | None,
    keep_names: bool,
    as_json: bool,
) -> None:
    """Send files to a server, and tell the outcome as for the archive of this machine."""
    if labels is not None:
        raise ParameterError(
            "--labels works on the archive of this machine alone, and a server is named.",
            "Index without labels, and give them with 'hmar labels --table'.",
        )
    if isinstance(wanted, Pull):
        begun = time.monotonic()
        job, added = pull(asked, wanted, collection, label)
        told = outcome_of(job, added, THERE, time.monotonic() - begun)
    else:
        job = None
        added, told = send(asked, wanted, collection, label, keep_names)
    if as_json:
        click.echo(json.dumps(told))
    elif job is not None:
        _report(job, added, Console())
    else:
        _report_files(added, Console())
    if not added.indexed and not added.unchanged and not added.partial:
        click.get_current_context().exit(1)


class _Runs:
    """Runs index jobs, through the workers of a running product or in this process."""

    def __init__(self, settings: Settings, collection: str, origin: Origin, console: Console) -> None:
        self._settings, self._collection, self._origin = settings, collection, origin
        self._console = console
        workers = workers_answering(settings)
        self._queue = None if workers else InlineQueue()
        if workers:
            self.where = (
                "the worker of the running product" if workers == 1 else f"the product's {workers} workers"
            )
            console.print(f"Indexing through {self.where}.")
            self.engine = build_engine(settings)
        else:
            self.where = "this process"
            self.engine = build_engine(settings, queue=self._queue)
            console.print("No worker answers: indexing in this process.")
            with console.status("Loading the model."):
                self.engine.encoders.current()
        click.get_current_context().call_on_close(self.engine.close)

    def batches(self, rows: Sequence[LabelRow]) -> tuple[list[Batch], int]:
        """Return the files by their labels, and how many rows name none of them."""
        source = self.engine.sources["local"]
        with self._console.status("Looking for the files of the table."):
            references = [*source.list(self._origin.reference)]
            uids = uids_in(source, self.engine.decoder.open, self._settings.max_file_bytes)
            key_of = PatientHasher(*self.engine.secrets.patient).key
            return label_batches(rows, references, uids, key_of)

    def index(self, batch: Batch, left: int) -> Job:
        """Index the files of a batch, and show how that goes on; ``left`` batches come after it."""
        with _progress(self._console) as bar:
            return self._here(batch, self._queue, bar) if self._queue else self._by_workers(batch, left, bar)

    def _by_workers(self, batch: Batch, left: int, bar: _Bar) -> Job:
        jobs = self.engine.jobs
        job_id = submit(
            jobs,
            self.engine.queue,
            self._collection,
            self._origin,
            batch.references,
            label=batch.label,
            patients=batch.patients,
        )
        try:
            while not (job := known_job(jobs, job_id)).finished:
                bar.show(job)
                time.sleep(POLL_S)
            bar.show(job)
        except KeyboardInterrupt:
            self._console.print(f"Stopped watching; the worker continues job {job_id}.")
            if left:
                self._console.print(
                    f"The files of {left} more labels were not begun: the same command again indexes them."
                )
            sys.exit(INTERRUPTED)
        return job

    def _here(self, batch: Batch, queue: InlineQueue, bar: _Bar) -> Job:
        def resumed() -> None:
            self._console.print("Going on with an interrupted run.")

        try:
            return run_job(
                self.engine,
                queue,
                self._collection,
                self._origin,
                label=batch.label,
                report=bar.show,
                resumed=resumed,
                references=batch.references,
                patients=batch.patients,
            )
        except KeyboardInterrupt:
            self._console.print(
                "Interrupted; what is indexed stays. The same command again goes on from here."
                if batch.references is None
                else "Interrupted; what is indexed stays, and the rest of this run is given up. The same "
                "command again indexes it, with what the table says then."
            )
            sys.exit(INTERRUPTED)


class _Bar:
    """Shows the progress of a job."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("listing", total=None, frames=0)

    def show(self, job: Job) -> None:
        self._progress.update(
            self._task,
            description="files",
            total=job.total or None,
            completed=job.done,
            frames=job.frames,
        )


@contextmanager
def _progress(console: Console) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[frames]} frames"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress)


def _patients(batches: Sequence[Batch]) -> tuple[int, int]:
    """Return how many patients a table gives, and to how many files."""
    keys = [key for batch in batches for key in (batch.patients or {}).values()]
    return len({*keys}), len(keys)


def _patients_in_words(batches: Sequence[Batch]) -> str:
    patients, files = _patients(batches)
    total = sum(len(batch.references or ()) for batch in batches)
    if patients:
        return f"Patients of the table: {patients}, with {files} of {total} files."
    return "The table gives no patients: pictures count as of a patient each."


def _report(job: Job, added: Added, console: Console, of: str | None = None) -> None:
    if of is not None:
        console.print(f"{escape(printable(of))}:")
    if job.state is JobState.FAILED:
        console.print(f"The job failed: {escape(job.reason or 'no reason was kept')}")
        return
    if job.state is JobState.CANCELLED:
        console.print(f"The job was cancelled: {job.counts[ItemState.CANCELLED]} files were not tried")
    _report_files(added, console)


def _report_files(added: Added, console: Console) -> None:
    if added.unchanged and not added.indexed and not added.partial:
        console.print(f"nothing new: all {added.frames} frames were indexed already")
    in_part = f"{len(added.partial)} in part, " if added.partial else ""
    others = f"{added.skipped} skipped (no images, or masks), " if added.skips else ""
    console.print(
        f"{added.indexed} files indexed, {in_part}{added.unchanged} unchanged, {others}{added.failed} failed"
    )
    _list("Indexed in part", added.partial, console)
    _list("Not indexed", added.failures, console)


def _list(title: str, files: Sequence[Failure], console: Console) -> None:
    if not files:
        return
    table = Table("file", "reason", title=title, box=SIMPLE_HEAD, pad_edge=False)
    for file, reason in files[:SHOWN_FAILURES]:
        table.add_row(escape(printable(file)), escape(printable(reason or "")))
    console.print(table)
    if len(files) > SHOWN_FAILURES:
        console.print(f"and {len(files) - SHOWN_FAILURES} more; --json lists all")
