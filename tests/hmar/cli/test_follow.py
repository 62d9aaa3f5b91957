"""``hmar pacs``, and what ``hmar doctor`` says of PACS that are followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hmar.cli import main
from hmar.cli.checks import LAST_CHECKS
from hmar.config import Settings
from hmar.values.findings import State
from hmar.wiring import Engine, build_engine
from tests.orthanc_stub import StubOrthanc
from tests.phantoms import ct_file

FILES = [ct_file(1, number) for number in range(1, 4)]


def run(home: Path, *arguments: str) -> Result:
    environment = {"HMAR_HOME": str(home), "HMAR_MODEL_DIR": "thumbnail", "HMAR_SERVER": ""}
    return CliRunner().invoke(main, [*arguments], env=environment)


def status(home: Path) -> dict[str, Any]:
    ran = run(home, "pacs", "status", "main", "--json")
    [told] = json.loads(ran.output)["pacs"]
    assert told["name"] == "main"
    followed: dict[str, Any] = told["followed"]
    return followed


def look(home: Path) -> None:
    """Watch until there is nothing to do."""
    engine = engine_of(home)
    [watcher] = engine.watchers()
    while watcher.look():
        pass
    watcher.close()
    engine.close()


def engine_of(home: Path) -> Engine:
    return build_engine(Settings(home=home, redis_url="inline", model_dir="thumbnail").checked())


def test_pacs_are_listed_swept_resynced_and_what_is_gone_is_deleted_when_somebody_says_so(
    tmp_path: Path,
) -> None:
    with StubOrthanc.serving(FILES) as orthanc:
        (tmp_path / "pacs.toml").write_text(
            f'[main]\nroot = "{orthanc.url}/dicom-web"\n[other]\nroot = "{orthanc.url}"\n'
            f'[main.follow]\nkind = "orthanc"\nroot = "{orthanc.url}"\nevery_s = 1e-6'
        )
        assert "not followed" in run(tmp_path, "pacs", "status").output
        assert status(tmp_path)["cursor"] is None
        ran = run(tmp_path, "pacs", "sweep", "main")
        assert (ran.exit_code, "No worker watches it" in ran.stderr) == (0, True)
        assert status(tmp_path)["sweep"] == "sweep"
        look(tmp_path)
        told = status(tmp_path)
        assert (told["arrived"], told["sweep"], told["watched"]) == (3, None, False)
        run(tmp_path, "pacs", "resync", "main")
        look(tmp_path)
        assert status(tmp_path)["arrived"] == 6
        orthanc.files = orthanc.files[:2]
        run(tmp_path, "pacs", "sweep", "main")
        look(tmp_path)
        assert "hmar pacs delete-gone main" in status(tmp_path)["stopped"]
        engine = engine_of(tmp_path)
        assert LAST_CHECKS["followed PACS"](engine)[0] is State.FAILED
        engine.close()
        assert "stopped" in run(tmp_path, "pacs", "status").output
        run(tmp_path, "pacs", "delete-gone", "main")
        look(tmp_path)
        told = status(tmp_path)
        assert (told["deleted"], told["stopped"]) == (1, None)
        ran = run(tmp_path, "doctor", "pacs:main", "--json")
        [*_, feed, _stow] = json.loads(ran.output)["checks"]
        assert (ran.exit_code, feed["part"], feed["found"]) == (0, "feed", "orthanc, ends with 0")


@pytest.mark.parametrize(
    ("name", "said"), [("other", "is not followed"), ("third", "no PACS called 'third'")]
)
def test_what_is_not_followed_is_not_swept(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_text('[other]\nroot = "http://127.0.0.1:1/dicom-web"')
    ran = run(tmp_path, "pacs", "sweep", name)
    assert ran.exit_code != 0
    assert said in ran.output


def test_doctor_says_what_is_wrong_with_following(tmp_path: Path) -> None:
    engine = engine_of(tmp_path)
    assert LAST_CHECKS["followed PACS"](engine) == (State.OK, "none", "")
    engine.close()
    (tmp_path / "pacs.toml").write_text(
        '[main]\nroot = "http://127.0.0.1:1/dicom-web"\ntries = 1\n[main.follow]\nkind = "qido"'
    )
    engine = engine_of(tmp_path)
    assert LAST_CHECKS["followed PACS"](engine)[0] is State.NOTE
    [watcher] = engine.watchers()
    watcher.look()
    state, found, remedy = LAST_CHECKS["followed PACS"](engine)
    assert (state, "cannot be reached" in found) == (State.FAILED, True)
    assert remedy == "Run 'hmar doctor pacs:main'."
    engine.close()
