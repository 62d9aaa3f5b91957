"""The manual of integration runs as it stands, in both of its languages, and prints what it says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.product import TIMEOUT_S, Product, started
from tests.require import require_command
from tests.test_tutorial import slice_file

pytestmark = pytest.mark.slow

PAGE = "docs/integration.md"
TASKS = 11
MARK = "-- the block ends --"
_FENCE = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of the page, its first line, and what stands below it."""

    language: str
    line: int
    text: str
    printed: str


def blocks() -> list[Block]:
    page = (Path(__file__).parents[1] / PAGE).read_text("utf-8")
    return [
        Block(found[1], page.count("\n", 0, found.start(2)) + 1, found[2], found[3] or "")
        for found in _FENCE.finditer(page)
    ]


def in_shell(listed: list[Block], environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Run blocks in one shell; return what each printed, and the shell's environment at the end."""
    script = "".join(f"{block.text}echo '{MARK}'\n" for block in listed)
    done = subprocess.run(
        [require_command("bash"), "-euo", "pipefail", "-c", f"{script}env -0"],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *printed, last = done.stdout.split(f"{MARK}\n")
    variables = dict(line.split("=", 1) for line in last.split("\0") if line)
    return printed, variables


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """A product with the shipped model and an empty archive, beside a part of the sample study."""
    for series, folder, names in (
        (1, "lidc-idri-0001", {number: f"1-{number:03}.dcm" for number in range(39, 51)}),
        (2, "totalsegmentator-example", {number: f"CT.{number}" for number in range(1, 21)}),
    ):
        (tmp_path / "sample-data" / folder).mkdir(parents=True)
        for number, name in names.items():
            (tmp_path / "sample-data" / folder / name).write_bytes(slice_file(series, number))
    monkeypatch.chdir(tmp_path)
    with started(tmp_path / "home", HMAR_MODEL_DIR="") as product:
        yield product


def environment(product: Product) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**product.environment, "PATH": path, "HMAR_SERVER": product.url}


def test_every_task_is_shown_in_both_languages_and_says_what_it_prints() -> None:
    page = (Path(__file__).parents[1] / PAGE).read_text("utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)
    tasks = [section for section in sections if re.match(r"\d+\. ", section)]
    assert len(tasks) == TASKS
    for number, task in enumerate(tasks, start=1):
        fences = re.findall(r"^```(\w+)$", task, re.MULTILINE)
        assert fences == (["sh", "python"] if number == 1 else ["sh", "text", "python", "text"]), number


def test_the_blocks_with_curl_print_what_the_page_says(product: Product) -> None:
    require_command("curl")
    require_command("jq")
    listed = [block for block in blocks() if block.language == "sh"]
    printed, _ = in_shell(listed, environment(product))
    assert {block.line: text for block, text in zip(listed, printed, strict=True)} == {
        block.line: block.printed for block in listed
    }
    assert Path("hit.png").read_bytes().startswith(b"\x89PNG")


def test_the_blocks_of_python_print_what_the_page_says(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [block for block in blocks() if block.language == "sh"][:1]
    _, variables = in_shell(keys, environment(product))
    for name in ("HMAR_SERVER", "HMAR_API_KEY", "READER"):
        monkeypatch.setenv(name, variables[name])
    namespace: dict[str, Any] = {}
    for block in blocks():
        if block.language == "python":
            printed = io.StringIO()
            code = compile("\n" * (block.line - 1) + block.text, PAGE, "exec")
            with contextlib.redirect_stdout(printed):
                exec(code, namespace)
            assert printed.getvalue() == block.printed, block.line
    assert Path("hit.png").read_bytes().startswith(b"\x89PNG")
