"""What ``hmar search`` says of a fast search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hmar.cli import main
from hmar.cli.thoroughness import said_of_fast
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.fast import Thoroughness
from hmar.wiring import build_engine
from tests.fast import add_crowd, fast_at_any_size
from tests.phantoms import ct_file

IMAGE = ct_file(1, 2, (60.0, 84.0))
FAST = "of the 3 nearest are expected among the hits"


def test_what_may_be_missing_is_never_said_to_be_there() -> None:
    said = said_of_fast(Thoroughness("fast", 0.0812, 0.99996), 10)
    assert said == (
        "Fast search: 8.1 % of the frames compared whole; 99.9 % of the 10 nearest are expected among the "
        "hits, but for what one or two slices alone show. --search exact compares all."
    )
    assert "99.9 % of the frames compared whole" in said_of_fast(Thoroughness("fast", 0.99996, 0.995), 1000)


@pytest.mark.slow
def test_a_fast_search_says_so_and_an_exact_one_nothing(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "slice.dcm"
    file.write_bytes(IMAGE)
    environment = {
        "HMAR_HOME": str(home),
        "HMAR_MODEL_DIR": "thumbnail",
        "HMAR_FAST_ABOVE": "1",
        "COLUMNS": "200",
    }

    def search(*options: str, **more: str) -> str:
        arguments = ["search", str(file), "--region", "50,70,20,20", "-k", "3", *options]
        result = CliRunner().invoke(main, arguments, env=environment | more)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    with fast_at_any_size():
        engine = build_engine(Settings(home=home).checked(), ThumbnailEncoder())
        add_crowd(engine, IMAGE)
        engine.close()
        assert FAST in search()
        assert "Fast search" not in search("--search", "exact")
        assert "Fast search" not in search(HMAR_FAST_ABOVE="0")
        assert FAST in search("--search", "fast", HMAR_FAST_ABOVE="0")
        told = json.loads(search("--json"))
        assert told["search"]["made"] == "fast"
        assert json.loads(search("--json", "--search", "exact"))["search"]["made"] == "exact"
        doctor = CliRunner().invoke(main, ["doctor", "--quick", "--json"], env=environment)
        [scan] = [check for check in json.loads(doctor.stdout)["checks"] if check["part"] == "scan"]
        assert "fast where a search does not say" in scan["found"]
