"""``hmar bench`` as it is typed: one command end to end, its help, and errors in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from benchmark.accuracy.protocols import PROTOCOLS
from benchmark.accuracy.quick import IMAGES, NAME, SIDES, write_quick
from benchmark.peers import PEERS
from benchmark.region import TRAINING
from hmar.cli import main
from hmar.training.config import TrainingConfig

QUICK_PEERS = tuple(PEERS)
CLASSES = 4


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def bench(home: Path, *arguments: object) -> Result:
    environment = {"HMAR_HOME": str(home), "HMAR_ENCODER_THREADS": "1", "COLUMNS": "100"}
    return CliRunner().invoke(main, ["bench", *map(str, arguments)], env=environment)


@pytest.mark.slow
def test_the_quick_run_needs_nothing_and_leaves_rows_and_a_report_and_a_second_adds_to_them(tmp_path):
    file, folder, home = tmp_path / "rows.jsonl", tmp_path / "report", tmp_path / "home"
    result = bench(home, "accuracy", "--quick", "--json", file, "--report", folder)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [(row["name"], row["bits"]) for row in rows] == [
        (name, 0 if name in {"thumbnail", "cosine"} else 64) for name in QUICK_PEERS
    ]
    assert {row["queries"] for row in rows} == {CLASSES * SIDES["test"] * IMAGES}
    assert {row["protocol"] for row in rows} == {"clean"}
    assert {row["dataset"] for row in rows} == {NAME}
    assert rows[0]["environment"].keys() >= {"commit", "machine", "versions", "threads", "time"}
    config = rows[0]["environment"]["config"]
    assert (config["command"], config["bits"], config["quick"]) == ("accuracy", [64], True)
    assert config["training"].keys() >= {"linear", "acir", "hmar"}
    for name in QUICK_PEERS:
        assert f"\n {name} " in result.stdout
    assert "clean: 0 of " in result.stdout
    page, markdown = ((folder / f"report.{suffix}").read_text("utf-8") for suffix in ("html", "md"))
    for row in rows:
        assert f"{row['macro_map']:.3f}" in page
        assert f"{row['macro_map']:.3f}" in markdown
    assert NAME in result.stdout
    assert f"# Accuracy on {NAME}" in markdown
    assert "data:image/png;base64" in page
    assert "hmar, 64 bits: " in markdown
    # Nothing of it stays among a user's own features and trials.
    assert not home.exists()
    # The next run's rows go behind those, and are the same.
    again = bench(home, "accuracy", "--quick", "--peers", "random", "--json", file)
    assert again.exit_code == 0, again.output
    *before, last = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert before == rows
    assert [last["macro_map"]] == [row["macro_map"] for row in rows if row["name"] == "random"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("accuracy",), 2, "--dataset or --root is missing. Give both, or --quick."),
        (("accuracy", "--dataset", "manifest"), 2, "--dataset or --root is missing."),
        (
            ("accuracy", "--dataset", "cxr", "--root", "{}"),
            2,
            "no data set layout 'cxr'. Give one of radimag",
        ),
        (
            ("accuracy", "--dataset", "folder", "--root", "{}/absent"),
            3,
            "absent is no folder. Give the folder",
        ),
        (
            ("accuracy", "--quick", "--peers", "linear,itx"),
            2,
            "no peer 'itx'. Use all, or some of: random",
        ),
        (
            ("accuracy", "--dataset", "manifest", "--root", "{}", "--bits", "12"),
            2,
            "'12'. Give multiples of 8",
        ),
        (
            ("accuracy", "--dataset", "manifest", "--root", "{}", "--bits", "64,x"),
            2,
            "'64,x'. Give multiples",
        ),
        (("accuracy", "--dataset", "manifest", "--root", "{}", "--bits", "0"), 2, "'0'. Give multiples of 8"),
        (
            ("accuracy", "--quick", "--protocols", "acir"),
            2,
            "no protocol 'acir'. Give some of clean, acir-com",
        ),
        (("accuracy", "--quick", "--protocols", ","), 2, "Give some of clean, acir-compat, unseen."),
        (("accuracy", "--quick", "--protocols", "unseen"), 2, "0 of 4 classes are held out. Hold out two"),
        (("accuracy", "--quick", "--protocols", "unseen", "--hold-out", "discs"), 2, "no class 'discs'"),
        (("accuracy", "--seeds", "0"), 2, "0 is not in the range 1<=x<=100"),
        (("region", "--root", "{}", "--bits", "32"), 2, "32 bits was asked for. Give 64, 128 or both."),
        (("region", "--root", "{}", "--peers", "itx"), 2, "The peers itx are not known here. Give some of"),
        (
            ("speed", "--part", "warp"),
            2,
            "Give some of encode, kan, scan, filters, decode, http, seen, mixed, processes, pacs, train.",
        ),
        (("speed", "--part", "train", "--workers", "1,x"), 2, "--workers is '1,x'. Give numbers from 0"),
        (("lesions", "--data", "{}", "--bits", "32"), 2, "32 bits was asked for. Give 64, 128 or both."),
        (("lesions", "--data", "{}", "--peers", "itx"), 2, "The peers itx are not known here. Give some of"),
        (("lesions", "--data", "{}"), 2, "holds no lesion. Give a folder of PERSON/NNN.dcm"),
        (("lesions",), 2, "Missing option '--data'"),
        (("typicality",), 2, "Missing option '--data'"),
        (("typicality", "--data", "{}", "--each", "1"), 2, "holds nobody. Give a folder of PERSON/NNN.dcm."),
        (("typicality", "--data", "{}", "--each", "0"), 2, "0 is not in the range x>=1"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_value_and_the_remedy(tmp_path, arguments, status, words):
    write_quick(tmp_path)
    result = bench(tmp_path / "home", *(argument.format(tmp_path) for argument in arguments))
    assert result.exit_code == status, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_a_protocol_is_refused_before_any_feature_is_extracted(tmp_path):
    result = bench(tmp_path, "accuracy", "--quick", "--protocols", "clean,acir")
    assert result.stderr.splitlines() == [
        "Error: There is no protocol 'acir'. Give some of clean, acir-compat, unseen."
    ]


@pytest.mark.slow
@pytest.mark.parametrize("root", [None, "elsewhere"])
def test_region_fetches_its_data_and_says_so_where_it_cannot(tmp_path, monkeypatch, root):
    # pip's own settings, so that it looks nowhere but in an empty folder.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    result = bench(tmp_path / "home", "region", *([] if root is None else ["--root", tmp_path / root]))
    assert result.exit_code == 3
    assert "downloading totalsegmentator 2.18.0, 1 of 4 packages" in result.stderr
    assert "totalsegmentator 2.18.0 could not be downloaded." in result.stderr
    assert "Check the network and pip's index settings" in result.stderr
    folder = tmp_path / "home" / "open-ct" if root is None else tmp_path / root
    assert list(folder.iterdir()) == []


def test_region_reads_the_folder_of_the_training_data_by_default(tmp_path, monkeypatch):
    asked: list[Path] = []
    monkeypatch.setattr("benchmark.region.run_region", lambda root, *_, **__: asked.append(root) or [])
    for options in ([], ["--root", tmp_path / "elsewhere"]):
        assert bench(tmp_path, "region", *options).exit_code == 0
    assert asked == [tmp_path / "open-ct", tmp_path / "elsewhere"]


HELP_OF_THE_GROUP = """
import sys
from click.testing import CliRunner
import benchmark.cli
from hmar.cli import main

result = CliRunner().invoke(main, ["bench", "--help"])
assert result.exit_code == 0, result.output
assert "accuracy" in result.output
print(sorted({"numpy", "torch", "matplotlib", "benchmark.cli.accuracy"} & set(sys.modules)))
"""


def test_help_of_the_group_imports_no_benchmark_and_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", HELP_OF_THE_GROUP], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_steps_are_those_of_what_region_trains(tmp_path, monkeypatch):
    asked: list[TrainingConfig] = []

    def run_region(*_: object, training: TrainingConfig, **__: object) -> list[object]:
        asked.append(training)
        return []

    monkeypatch.setattr("benchmark.region.run_region", run_region)
    for steps in ([], ["--steps", 7]):
        assert bench(tmp_path, "region", "--root", tmp_path, *steps).exit_code == 0
    assert asked == [TRAINING, replace(TRAINING, region_steps=7)]


WITHOUT_EXTRA = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {"kan", "nibabel"}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
from hmar.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("accuracy", "--quick"), ("region", "--root", ".")])
def test_without_the_extra_train_the_missing_package_is_named(tmp_path, arguments):
    command = [sys.executable, "-c", WITHOUT_EXTRA, "bench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: This benchmark needs ")
    assert line.endswith("Run: pip install 'hmar-search[train]'")


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, option):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "inside"
    result = bench(tmp_path, "accuracy", "--quick", "--peers", "random", option, place)
    assert result.exit_code == 3
    # Nothing was run for it.
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: {place} cannot be written")
    assert line.endswith(f"Give {option} a place that may be written.")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ("accuracy", "region", "speed")),
        (("accuracy",), (*PROTOCOLS, "radimagenet-ct", "manifest", "dicom", "--hold-out", "--quick")),
        (("region",), ("--root", "HMAR_HOME/open-ct", "--report")),
        (
            ("speed",),
            (
                "encode, kan, scan, filters, decode, http, seen, mixed, processes, pacs, train",
                "--frames",
                "--data",
            ),
        ),
    ],
)
def test_help_names_what_there_is_to_choose(tmp_path, command, words):
    result = bench(tmp_path, *command, "--help")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for word in words:
        assert word in text
