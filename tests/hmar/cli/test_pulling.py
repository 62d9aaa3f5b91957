"""``hmar index pacs:NAME``, here and through a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hmar.cli import main
from tests.hmar.client.conftest import Served, serve
from tests.pacs import Habits, Pacs
from tests.phantoms import ct_file
from tests.service.conftest import build_archive

FILES = [ct_file(series, number) for series in (1, 2) for number in range(1, 4)]


def config(folder: Path, pacs: Pacs) -> Path:
    file = folder / "main.toml"
    file.write_text(f'[main]\nroot = "{pacs.url}/dicom-web"\ntries = 1')
    return file


def here(folder: Path, file: Path, *arguments: str) -> Result:
    variables = {
        "HMAR_HOME": str(folder / "home"),
        "HMAR_MODEL_DIR": "thumbnail",
        "HMAR_PACS_FILE": str(file),
        "HMAR_SERVER": "",
        "HMAR_REDIS_URL": "",
    }
    return CliRunner().invoke(main, ["index", *arguments], env=variables)


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Served]:
    with Pacs.serving(FILES, Habits(says_more=1)) as pacs:
        archive = build_archive(tmp_path / "served", pacs_file=str(config(tmp_path, pacs)))
        yield from serve(archive)


@pytest.mark.slow
def test_a_pacs_is_pulled_from_here_and_what_is_missing_is_told(tmp_path: Path) -> None:
    with Pacs.serving(FILES, Habits(says_more=1)) as pacs:
        file = config(tmp_path, pacs)
        ran = here(tmp_path, file, "pacs:main", "--modality", "CT", "--since", "2020-01-02", "--json")
        told = json.loads(ran.stdout)
        assert (told["state"], told["indexed"], told["frames"], told["failed"]) == ("done", 3, 3, 1)
        assert "has 4 instances, and lists 3" in told["failures"][0]["reason"]
        assert ran.exit_code == 0
        again = here(tmp_path, file, "pacs:main", "--json")
        assert json.loads(again.stdout)["unchanged"] == 3


@pytest.mark.slow
def test_a_pull_that_cannot_be_done_says_why(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        file = config(tmp_path, pacs)
    ran = here(tmp_path, file, "pacs:main")
    assert ran.exit_code == 1
    assert "The PACS main cannot be reached" in " ".join(ran.output.split())
    unknown = here(tmp_path, file, "pacs:other")
    assert unknown.exit_code == 1
    assert "no PACS called 'other'" in " ".join(unknown.output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pacs:main", "--since", "yesterday"], "2026-01-31"),
        (["pacs:main", "--series-uid", "1.2"], "without its study"),
        (["pacs:main", "--labels", __file__], "--labels is given for a PACS"),
        (["pacs:"], "is no PACS"),
        ([str(Path(__file__).parent), "--modality", "CT"], "--modality is given for a path"),
        (["/no/such/file"], "does not exist"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    ran = here(tmp_path, tmp_path / "none.toml", *arguments)
    assert ran.exit_code != 0
    assert said in " ".join(ran.output.split())
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_a_server_pulls_and_tells_the_same(fed: Served) -> None:
    ran = CliRunner().invoke(
        main,
        ["--server", fed.url, "index", "pacs:main", "--study-uid", "1.2", "--json"],
        env={"HMAR_HOME": "/nowhere", "HMAR_API_KEY": fed.archive.key},
    )
    told = json.loads(ran.stdout)
    assert (told["state"], told["files"], ran.exit_code) == ("failed", 0, 1)
    assert "has no images of what was asked for" in told["reason"]
    ran = CliRunner().invoke(
        main,
        ["--server", fed.url, "index", "pacs:main", "--study-uid", "1.2"],
        env={"HMAR_HOME": "/nowhere", "HMAR_API_KEY": fed.archive.key},
    )
    assert "The job failed: The PACS main has no images" in " ".join(ran.output.split())
    ran = CliRunner().invoke(
        main,
        ["--server", fed.url, "index", "pacs:main", "--json"],
        env={"HMAR_HOME": "/nowhere", "HMAR_API_KEY": fed.archive.key},
    )
    told = json.loads(ran.stdout)
    assert (told["state"], told["indexed"], told["failed"], told["frames"]) == ("done", 6, 2, 6)
    assert all("and lists 3" in failure["reason"] for failure in told["failures"])
