"""The page's ES modules, tested by node's own test runner: what needs no browser to be right.

With node 20.19 or newer, ``node --test tests/service/page/*.test.mjs`` runs the same.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.require import require_command

ROOT = Path(__file__).parents[3]
TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy in which every node reads .js files as ES modules, as browsers do."""
    root = tmp_path_factory.mktemp("page")
    (root / "package.json").write_text('{"type": "module"}')
    for part in ("service/page/static/js", "tests/service/page"):
        shutil.copytree(ROOT / part, root / part)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.name)
def test_a_module_of_the_page_does_what_its_tests_say(test: Path, tree: Path) -> None:
    node = require_command("node")
    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(tree / test.relative_to(ROOT))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# fail 0\n" in run.stdout
