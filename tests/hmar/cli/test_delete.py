"""``hmar delete``: what is asked, what is told, and that no patient id is on a command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hmar
from hmar.cli import main
from hmar.values.deletion import Selector
from tests.phantoms import PATIENT_ID, ROOT, ct_file, series_uid, sop_uid

SLICES = 3


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory with two series, each a study of its own."""
    with hmar.Archive(tmp_path / "home", "thumbnail") as archive:
        for series in (1, 2):
            for number in range(1, SLICES + 1):
                archive.add(ct_file(series, number))
    return tmp_path / "home"


def delete(home: Path, *arguments: str, stdin: str | None = None) -> Result:
    variables = {"HMAR_HOME": str(home), "HMAR_MODEL_DIR": "thumbnail", "HMAR_REDIS_URL": ""}
    return CliRunner().invoke(main, ["delete", *arguments], input=stdin, env=variables)


def left(home: Path) -> int:
    with hmar.Archive(home, "thumbnail") as archive:
        return len(archive)


@pytest.mark.slow
def test_what_would_be_deleted_is_shown_and_asked_for(home: Path) -> None:
    no = delete(home, "--series", series_uid(1), stdin="n\n")
    assert (no.exit_code, left(home)) == (1, 2 * SLICES)
    assert "Delete 3 frames of 3 instances, 1 series, 1 study from all collections? [y/N]" in no.stderr
    yes = delete(home, "--series", series_uid(1), stdin="y\n")
    assert (yes.exit_code, yes.stdout) == (0, "Deleted 3 frames of 3 instances, 1 series, 1 study.\n")
    assert left(home) == SLICES


@pytest.mark.slow
def test_without_an_answer_nothing_is_deleted(home: Path) -> None:
    assert delete(home, "--study", f"{ROOT}.91", stdin="").exit_code == 1
    assert left(home) == 2 * SLICES


@pytest.mark.slow
def test_a_patient_id_is_read_from_standard_input_and_never_told(home: Path) -> None:
    done = delete(home, "--patient-id", "--yes", "--json", stdin=f"{PATIENT_ID}\n")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "level": "patient",
        "collection": None,
        "frames": 6,
        "instances": 6,
        "series": 2,
        "studies": 2,
    }
    assert PATIENT_ID not in done.output
    assert left(home) == 0
    assert not [path for path in (home / "uploads").rglob("*") if path.is_file() and path.name != ".lock"]
    again = delete(home, "--patient-id", "--yes", stdin=PATIENT_ID)
    assert again.exit_code == 2
    assert PATIENT_ID not in again.output


@pytest.mark.slow
def test_one_collection_alone(home: Path) -> None:
    with hmar.Archive(home, "thumbnail") as archive:
        archive.add(ct_file(1, 1), collection="teaching")
    done = delete(home, "--instance", sop_uid(1, 1), "--collection", "teaching", "--yes")
    assert done.stdout == "Deleted 1 frame of 1 instance, 1 series, 1 study.\n"
    assert left(home) == 2 * SLICES


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "No things to delete were named."),
        (("--series", "1", "--study", "2"), "2 things to delete were named."),
        (("--series", "1", "--patient-id"), "2 things to delete were named."),
        (("--patient-id", "4711"), "unexpected extra argument"),
    ],
)
def test_anything_but_one_thing_is_refused_before_a_data_directory_is_made(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = delete(tmp_path / "home", *arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("stdin", "told"), [("\n", "The patient id is empty."), ("x\n", "No frame in")])
def test_an_empty_or_unknown_patient_id_is_refused(tmp_path: Path, stdin: str, told: str) -> None:
    done = delete(tmp_path, "--patient-id", "--yes", stdin=stdin)
    assert done.exit_code == 2
    assert told in done.stderr


def test_the_help_teaches(tmp_path: Path) -> None:
    done = delete(tmp_path / "home", "--help")
    for taught in (
        "cannot be undone",
        "shell's history",
        "Files that were indexed where they lie stay",
        "hmar delete --patient-id",
    ):
        assert taught in " ".join(done.stdout.split())


@pytest.mark.slow
def test_asked_again_a_delete_that_was_cut_short_is_completed(home: Path) -> None:
    with hmar.Archive(home, "thumbnail") as archive:
        archive.engine.searcher.refresh()
        archive.engine.index.snapshot()
        code = archive.engine.catalogue.tail(0, 1)[0].encoded
        assert code is not None
        # As by a process that is killed before it comes to the snapshot.
        archive.engine.remover.delete(Selector("series", series_uid(1)))

    def holding() -> list[str]:
        files = [path for path in home.rglob("*") if path.is_file()]
        return [path.name for path in files if code.global_code.tobytes() in path.read_bytes()]

    assert holding() != []
    again = delete(home, "--series", series_uid(1), "--yes")
    assert again.exit_code == 2
    assert holding() == []
