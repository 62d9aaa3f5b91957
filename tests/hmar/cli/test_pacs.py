"""``hmar doctor pacs:NAME``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hmar.cli import main
from tests.pacs import Habits, Pacs
from tests.phantoms import ct_file


def findings(home: Path, text: str, name: str = "pacs:main") -> tuple[int, list[tuple[str, str, str]]]:
    home.mkdir(exist_ok=True)
    (home / "pacs.toml").write_text(text)
    ran = CliRunner().invoke(
        main, ["doctor", name, "--json"], env={"HMAR_HOME": str(home), "HMAR_MODEL_DIR": "thumbnail"}
    )
    told = json.loads(ran.output)
    return ran.exit_code, [(check["part"], check["state"], check["found"]) for check in told["checks"]]


@pytest.mark.parametrize(
    ("habits", "status", "states"),
    [
        (Habits(), 0, [("qido", "ok"), ("wado", "ok"), ("stow", "ok")]),
        (Habits(garbage=True), 1, [("qido", "failed"), ("stow", "ok")]),
        (Habits(refuses=("",)), 1, [("qido", "ok"), ("wado", "failed"), ("stow", "ok")]),
        (Habits(user=("hmar", "secret")), 1, [("qido", "failed"), ("stow", "failed")]),
        (Habits(sends_instead=ct_file(2, 1)), 1, [("qido", "ok"), ("wado", "failed"), ("stow", "ok")]),
        (Habits(stored_as=(404, b"")), 1, [("qido", "ok"), ("wado", "ok"), ("stow", "failed")]),
    ],
    ids=["well", "no DICOMweb", "sends nothing", "denied", "sends another", "does not store"],
)
def test_each_service_of_a_pacs_is_tried(
    habits: Habits, status: int, states: list[tuple[str, str]], tmp_path: Path
) -> None:
    with Pacs.serving([ct_file(1, 1)], habits) as pacs:
        exit_code, told = findings(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"\ntries = 1')
    assert exit_code == status, told
    assert [finding[:2] for finding in told] == states


def test_a_pacs_that_nothing_is_to_be_stored_to_is_no_failure(tmp_path: Path) -> None:
    with Pacs.serving([ct_file(1, 1)]) as pacs:
        url = f"{pacs.url}/dicom-web"
        exit_code, told = findings(tmp_path, f'[main]\nqido = "{url}"\nwado = "{url}"')
        assert pacs.stored == []
    assert (exit_code, told[-1][:2]) == (0, ("stow", "note"))


def test_a_pacs_that_lists_nothing_or_is_not_named_is_said(tmp_path: Path) -> None:
    with Pacs.serving([]) as pacs:
        assert findings(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"') == (
            1,
            [
                ("qido", "failed", "The PACS main answers, and lists nothing."),
                ("stow", "ok", "takes what is to be stored; nothing was"),
            ],
        )
    assert findings(tmp_path, "", "pacs:other") == (
        1,
        [("qido", "failed", "There is no PACS called 'other'.")],
    )
    ran = CliRunner().invoke(main, ["doctor", "other"], env={"HMAR_HOME": str(tmp_path)})
    assert ran.exit_code != 0
    assert "Give pacs:NAME" in ran.output
