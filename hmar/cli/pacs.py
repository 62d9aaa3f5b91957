"""A PACS as commands name it, and what ``hmar doctor`` tries of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click

from hmar.config import Settings
from hmar.errors import ConfigError, HmarError, NotFoundError, ParameterError, shown
from hmar.ports import PacsImages
from hmar.values.findings import Finding, State
from hmar.values.pulls import Pull, day_of
from hmar.wiring import Engine, build_engine

PREFIX = "pacs:"


class Wanted(click.ParamType[Path | str]):
    """A path that is there, or pacs:NAME as it stands."""

    name = "path or pacs:NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Return the path, or the text."""
        if isinstance(value, str) and value.startswith(PREFIX):
            return value
        path: Path = click.Path(exists=True, path_type=Path).convert(value, param, ctx)
        return path


class Day(click.ParamType[date]):
    """A study date."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date; fails for anything that is not written as 2026-01-31."""
        try:
            return value if isinstance(value, date) else day_of(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)


def pull_of(path: Path | str, of_pacs: Mapping[str, Any]) -> Pull | None:
    """Return what is wanted of a PACS, None for a path; raises ParameterError for options without a PACS."""
    if isinstance(path, str):
        return Pull(named_pacs(path), **of_pacs)
    if given := [name for name, value in of_pacs.items() if value is not None]:
        raise ParameterError(f"--{given[0].replace('_', '-')} is given for a path.", "It is for pacs:NAME.")
    return None


def named_pacs(text: str) -> str:
    """Return the name in pacs:NAME; raises ParameterError for anything else."""
    if not text.startswith(PREFIX) or text == PREFIX:
        raise ParameterError(f"{shown(text)} is no PACS.", "Give pacs:NAME, with a name of the file of PACS.")
    return text.removeprefix(PREFIX)


def try_pacs(settings: Settings, name: str) -> list[Finding]:
    """Ask a PACS for what it has, for one instance of it, for its feed, and whether it stores."""
    with closing(build_engine(settings)) as engine:
        return [*_tried_to_read(engine, name), *_feed(engine.pacs, name), *_tried_to_store(engine, name)]


def _tried_to_store(engine: Engine, name: str) -> list[Finding]:
    try:
        engine.pacs.try_storing(name)
    except NotFoundError:
        return []  # no such PACS, which is said already
    except ConfigError as error:
        return [Finding("stow", State.NOTE, error.detail, error.remedy)]
    except HmarError as error:
        return [Finding("stow", State.FAILED, error.detail, error.remedy)]
    return [Finding("stow", State.OK, "takes what is to be stored; nothing was")]


def _tried_to_read(engine: Engine, name: str) -> list[Finding]:
    try:
        found = engine.pacs.some_instance(name)
    except HmarError as error:
        return [Finding("qido", State.FAILED, error.detail, error.remedy)]
    listed = Finding("qido", State.OK, "lists studies, series and instances")
    try:
        data = engine.pacs.fetch(str(found), engine.settings.max_file_bytes)
        found.check(engine.decoder.open(data).infos[0])
    except HmarError as error:
        return [listed, Finding("wado", State.FAILED, error.detail, error.remedy)]
    told = f"sent an instance of {len(data)} bytes, which can be read"
    return [listed, Finding("wado", State.OK, told)]


def _feed(pacs: PacsImages, name: str) -> list[Finding]:
    """Return what becomes of the feed of a PACS, where it is followed."""
    found = []
    for follow in pacs.follows():
        if follow.site == name:
            try:
                end = pacs.feed(follow).end()
                found.append(Finding("feed", State.OK, f"{follow.kind}, ends with {end}"))
            except HmarError as error:
                found.append(Finding("feed", State.FAILED, error.detail, error.remedy))
    return found
