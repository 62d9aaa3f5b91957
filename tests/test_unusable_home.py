"""A data directory that cannot be used, and settings like it: one line with the remedy, everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import hmar
from hmar.adapters.sql.database import Database
from hmar.cli import OPERATOR_ERROR, main
from hmar.config import Settings
from hmar.errors import ConfigError, OperatorError
from hmar.home import written_by_others
from hmar.values.identity import administrator
from hmar.wiring import build_engine

LINE = re.compile(r"Error: [^\n]{20,}\n")
COMMANDS = [
    ["serve"],
    ["keys", "list"],
    ["keys", "login"],
    ["index", "tests"],
    ["search", "README.md"],
]


@pytest.fixture(params=["a file", "below a file", "in /proc", "a dangling link", "nobody's"])
def unusable(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "gone" / "x")
    return {
        "a file": str(tmp_path / "file"),
        "below a file": str(tmp_path / "file" / "below"),
        "in /proc": "/proc/nothing/x",
        "a dangling link": str(tmp_path / "link"),
        "nobody's": "~nobody-of-this-name/x",
    }[request.param]


def run(arguments: list[str], **environment: str) -> str:
    """Run a command that is refused; return its one line."""
    result = CliRunner(env={"HMAR_MODEL_DIR": "thumbnail", **environment}).invoke(main, arguments)
    assert result.exit_code == OPERATOR_ERROR, result.output
    assert LINE.fullmatch(result.stderr), result.output
    return result.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_home_that_cannot_be_used_is_told_in_one_line(arguments: list[str], unusable: str) -> None:
    assert "HMAR_HOME" in run(arguments, HMAR_HOME=unusable)


def test_an_import_folder_that_cannot_be_used_is_told_in_one_line(unusable: str, tmp_path: Path) -> None:
    assert "HMAR_IMPORT_DIR" in run(
        ["keys", "list"], HMAR_HOME=str(tmp_path / "home"), HMAR_IMPORT_DIR=unusable
    )


def test_a_home_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a read-only file system, where root may not write either.
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)
    assert "cannot be written" in run(["keys", "list"], HMAR_HOME=str(tmp_path))


def test_an_archive_of_the_library_raises_the_same_error(unusable: str) -> None:
    with pytest.raises(ConfigError, match="HMAR_HOME"):
        hmar.Archive(unusable, model="thumbnail")


@pytest.mark.slow
@pytest.mark.parametrize(("module", "status"), [("service", 1), ("workers", 3)])
def test_the_programs_end_with_one_line(module: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    environment = os.environ | {
        "HMAR_HOME": str(tmp_path / "file"),
        "HMAR_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert len(done.stderr.strip().splitlines()) == 1
    assert "HMAR_HOME" in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///{}/file/x.db", "folder"),
        ("sqlite:///{}", "cannot be opened"),
        ("sqlite:///{}/noise", "The database file is damaged"),
        ("sqlite:////proc/nothing/x.db", "folder"),
        ("mysql://somebody", "HMAR_DATABASE_URL"),
        ("\udcff", "HMAR_DATABASE_URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_one_line(url: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 20)
    assert told in run(
        ["keys", "list"], HMAR_HOME=str(tmp_path / "home"), HMAR_DATABASE_URL=url.format(tmp_path)
    )


def test_bytes_that_are_no_number_are_shown_escaped() -> None:
    assert r"HMAR_PORT is '\udcff'" in run(["keys", "list"], HMAR_PORT="\udcff")


@pytest.mark.parametrize("name", ["with space", "größe?x=1#%20&y", "new\nline", os.fsdecode(b"b\xff")])
def test_a_home_of_any_name_is_used(name: str, tmp_path: Path) -> None:
    engine = build_engine(Settings(home=tmp_path / name).checked())
    engine.keys.create(administrator("tests"))
    assert len(engine.secrets.patient[0]) == 32
    engine.close()
    assert {"catalogue.db", "secrets"} <= {path.name for path in (tmp_path / name).iterdir()}
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_relative_home_is_that_of_the_folder_in_which_the_command_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(home=Path("here")).checked()
    monkeypatch.chdir("/")
    build_engine(settings)
    assert (tmp_path / "here").is_dir()


def test_a_home_that_others_may_write_is_noticed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert not written_by_others(tmp_path)
    tmp_path.chmod(0o770)
    assert written_by_others(tmp_path)


def test_a_lock_that_cannot_be_opened_is_the_operators_matter(tmp_path: Path) -> None:
    (tmp_path / "x.db.lock").mkdir()
    with pytest.raises(OperatorError, match="folder"):
        Database(tmp_path / "x.db").migrate()
