"""A PACS as commands name it, and what ``hmar doctor`` tries of it."""

from __future__ import annotations

from hmar.cli.findings import Finding, State
from hmar.config import Settings
from hmar.errors import ConfigError, HmarError, ParameterError, shown
from hmar.wiring import build_engine

PREFIX = "pacs:"


def named_pacs(text: str) -> str:
    """Return the name in pacs:NAME; raises ParameterError for anything else."""
    if not text.startswith(PREFIX) or text == PREFIX:
        raise ParameterError(f"{shown(text)} is no PACS.", "Give pacs:NAME, with a name of the file of PACS.")
    return text.removeprefix(PREFIX)


def try_pacs(settings: Settings, name: str) -> list[Finding]:
    """Ask a PACS for what it has, and for one instance of it."""
    engine = build_engine(settings)
    try:
        found = engine.pacs.some_instance(name)
    except HmarError as error:
        part = "file of PACS" if isinstance(error, ConfigError) else "qido"
        return [Finding(part, State.FAILED, error.detail, error.remedy)]
    listed = Finding("qido", State.OK, "lists studies, series and instances", "")
    try:
        data = engine.pacs.fetch(str(found), settings.max_file_bytes)
        found.check(engine.decoder.open(data).infos[0])
    except HmarError as error:
        return [listed, Finding("wado", State.FAILED, error.detail, error.remedy)]
    finally:
        engine.close()
    return [
        listed,
        Finding("wado", State.OK, f"sent an instance of {len(data)} bytes, which can be read", ""),
    ]
