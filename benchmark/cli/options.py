"""What the benchmarks' command lines share: lists by commas, and where rows go."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hmar.cli.training.open_ct import OPEN_CT_FOLDER
from hmar.errors import ConfigError, ParameterError
from hmar.library.extras import extra_train

if TYPE_CHECKING:
    from benchmark.report import Montage

CACHE = "bench-cache"
"""Folder in HMAR_HOME of what the benchmarks compute once."""

NEEDS_EXTRA = "This benchmark"
"""Begins the sentence about a package that is missing."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where rows go besides the terminal.

    Parameters
    ----------
    json_file : Path or None
        JSON lines, appended to.
    report : Path or None
        Folder of an HTML and a Markdown page.
    """

    json_file: Path | None
    report: Path | None

    def write(
        self,
        rows: Sequence[Row],
        title: str,
        environment: Row,
        pictures: Sequence[Montage] = (),
        notes: Row | None = None,
    ) -> None:
        """Write the rows; pictures and notes stand on the pages alone.

        Raises
        ------
        ConfigError
            If the file cannot be written.
        """
        if self.json_file is not None:
            _append(self.json_file, rows, environment)
        if self.report is not None:
            with extra_train(NEEDS_EXTRA):
                from benchmark.report import write_report

            page, _ = write_report(rows, self.report, title, {**environment, **(notes or {})}, pictures)
            click.echo(f"{page}: written", err=True)


def outputs(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --json and --report; the command takes both as one argument, ``outputs``."""

    @functools.wraps(command)
    def with_outputs(json_file: Path | None, report: Path | None, **arguments: object) -> None:
        command(outputs=Outputs(json_file, report), **arguments)

    decorated: Callable[..., None] = click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_writable,
        help="Write the rows, with plots, as one HTML page and as Markdown into this folder.",
    )(with_outputs)
    return click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_writable,
        help="Append the rows to this file of JSON lines, each with commit, machine and versions.",
    )(decorated)


def volumes(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --root and --data of what is measured on volumes of several people."""
    decorated = click.option(
        "--data",
        "folders",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        multiple=True,
        help="Folder of further volumes, PERSON/ct.nii.gz, labels.nii.gz and names.csv (value, name), in "
        "which 0 is not drawn; may be given several times.",
    )(command)
    return click.option(
        "--root",
        type=click.Path(file_okay=False, path_type=Path),
        show_default=f"HMAR_HOME/{OPEN_CT_FOLDER}",
        help="Folder of the data, fetched into it where they are missing.",
    )(decorated)


def code_lengths(text: str) -> list[int]:
    """Return code lengths; raises ParameterError for what is no positive multiple of 8."""
    try:
        lengths = [int(name) for name in names(text)]
    except ValueError:
        lengths = []
    if not lengths or any(length < 8 or length % 8 for length in lengths):
        raise ParameterError(
            f"The code lengths are {text!r}.", "Give multiples of 8 with commas between, such as 64,128."
        )
    return lengths


def names(text: str) -> list[str]:
    """Return the names between commas, each once, in order."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _writable(_context: click.Context, option: click.Parameter, place: Path | None) -> Path | None:
    """Reject, before the run, a path that cannot be written."""
    if place is None:
        return None
    try:
        folder = place if option.name == "report" else place.parent
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if place.is_file():
            place.open("a").close()
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be written ({error.strerror}).",
            f"Give {option.opts[0]} a place that may be written.",
        ) from error
    return place


def _append(file: Path, rows: Sequence[Row], environment: Row) -> None:
    from benchmark.provenance.results import append_results

    try:
        append_results(file, rows, environment)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written ({error.strerror}).", "Give --json a file that may be written."
        ) from error
    click.echo(f"{file}: {len(rows)} rows", err=True)
