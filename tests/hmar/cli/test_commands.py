"""The command line: quick help, examples, exit statuses, and errors in one line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from importlib import metadata
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from sqlalchemy import text

from hmar.adapters.memory import InlineQueue
from hmar.adapters.sql.database import Database
from hmar.cli import main
from hmar.cli.commands import all_commands
from hmar.config import Settings
from hmar.dicom.deidentify import PatientHasher
from hmar.encoder import shipped_bundle
from hmar.model.bundle import GOLDEN, seal
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import EncodedFrame
from hmar.values.entries import Origin
from hmar.values.frames import Frame
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, administrator
from hmar.values.jobs import ItemState, JobState, Message
from hmar.values.references import reference_of
from hmar.wiring import build_engine
from tests.phantoms import PATIENT_ID, ct_file, series_uid, sop_uid

NODULE = (60.0, 90.0)
CRASHES = sorted((Path(__file__).parents[2] / "data" / "decoder_crashes").glob("*.dcm"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    for number in range(1, 5):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number, NODULE if number < 3 else None))
    return folder


def hmar(home: Path, *arguments: object, typed: str | None = None, **environment: str) -> Result:
    variables = {
        "HMAR_HOME": str(home),
        "HMAR_MODEL_DIR": "thumbnail",
        "HMAR_REDIS_URL": "",
        "COLUMNS": "120",
    }
    return CliRunner().invoke(
        main, [str(argument) for argument in arguments], typed, env=variables | environment
    )


def answer(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    parsed: dict[str, object] = json.loads(result.stdout)
    return parsed


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        found.append((*prefix, name))
        if isinstance(command, click.Group):
            found += commands(command, (*prefix, name))
    return found


def test_the_help_of_a_key_command_makes_no_data_directory(home: Path) -> None:
    assert hmar(home, "keys", "login", "--help").exit_code == 0
    assert not home.exists()


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from click.testing import CliRunner; from hmar.cli import main\n"
        "result = CliRunner().invoke(main, ['--help']); assert result.exit_code == 0\n"
        "heavy = {'torch', 'onnxruntime', 'celery', 'sqlalchemy', 'numpy', 'flask', 'faiss'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_command_is_in_the_overview_and_teaches_by_example() -> None:
    overview = CliRunner().invoke(main, ["--help"]).output
    for path in commands(main):
        assert path[0] in overview
        text = CliRunner().invoke(main, [*path, "--help"]).output
        assert re.search(r"^ +hmar \w", text, re.MULTILINE), path


@pytest.mark.slow
def test_index_then_nothing_new(home: Path, study: Path) -> None:
    first = answer(hmar(home, "index", study, "--json"))
    assert (first["files"], first["indexed"], first["frames"]) == (4, 4, 4)
    assert first["where"] == "this process"
    second = hmar(home, "index", study)
    assert "nothing new: all 4 frames were indexed already" in second.output
    assert second.exit_code == 0


@pytest.mark.slow
def test_a_bad_file_is_named_with_its_reason_and_stops_nothing(home: Path, study: Path) -> None:
    (study / "notes.txt").write_text("hello")
    (study / "empty.dcm").write_bytes(b"")
    (study / "cut.dcm").write_bytes(ct_file(2, 1)[:900])
    result = answer(hmar(home, "index", study, "--json"))
    failures = {failure["file"]: failure["reason"] for failure in result["failures"]}  # type: ignore[attr-defined, index]
    assert result["indexed"] == 4
    assert set(failures) == {"empty.dcm", "cut.dcm"}
    assert all(failures.values())
    [skip] = result["skips"]  # type: ignore[misc]
    assert (result["skipped"], skip["file"]) == (1, "notes.txt")
    assert "neither DICOM nor PNG nor JPEG" in skip["reason"]
    table = hmar(home, "index", study).output
    assert "1 skipped (no images, or masks), 2 failed" in table
    assert "notes.txt" not in table
    assert "0 bytes" in table


@pytest.mark.slow
def test_files_of_odd_names_and_linked_series_are_indexed_and_found_and_no_name_steers_the_terminal(
    home: Path, study: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "elsewhere"
    linked.mkdir()
    (linked / os.fsdecode(b"1 \xff.dcm")).write_bytes(ct_file(2, 1))
    (linked / "2\n.dcm").write_bytes(ct_file(2, 2))
    (study / "series 2").symlink_to(linked)
    (study / "bad \x1b[2J.dcm").write_bytes(b"cut")
    result = answer(hmar(home, "index", study, "--json"))
    assert (result["indexed"], result["failed"]) == (6, 1)
    shown = hmar(home, "index", study)
    assert r"bad \x1b" in shown.output
    assert "\x1b" not in shown.output
    query, montage = study / "series 2" / "2\n.dcm", tmp_path / "montage.png"
    found = answer(hmar(home, "search", query, "-k", 6, "--montage", montage, "--json"))
    hits = found["hits"]
    assert isinstance(hits, list)
    assert {sop_uid(2, 1), sop_uid(2, 2)} < {hit["sop_instance_uid"] for hit in hits}
    assert montage.exists()


@pytest.mark.slow
def test_files_that_crash_a_decoder_are_named_and_stop_nothing(home: Path, study: Path) -> None:
    for path in CRASHES:
        shutil.copy(path, study / path.name)
    result = answer(hmar(home, "index", study, "--json"))
    failures = {failure["file"]: failure["reason"] for failure in result["failures"]}  # type: ignore[attr-defined, index]
    assert result["indexed"] == 4
    assert set(failures) == {path.name for path in CRASHES}
    assert all(failures.values())


@pytest.mark.slow
def test_a_query_that_crashes_a_decoder_is_an_error_in_one_line(home: Path, study: Path) -> None:
    answer(hmar(home, "index", study, "--json"))
    for path in CRASHES:
        result = hmar(home, "search", path)
        assert result.exit_code == 2
        assert re.fullmatch(r"Error: [^\n]+\n", result.stderr), result.output


@pytest.mark.slow
def test_index_fails_when_every_file_does(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    assert hmar(home, "index", tmp_path / "text").exit_code == 1


def test_an_empty_folder_is_a_failed_job_with_a_reason(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = hmar(home, "index", tmp_path / "empty")
    assert result.exit_code == 1
    assert "There is no file in the folder." in result.output


@pytest.mark.slow
def test_an_interrupted_run_is_gone_on_with(home: Path, study: Path) -> None:
    settings = Settings(home=home, model_dir="thumbnail")
    queue = InlineQueue()
    engine = build_engine(settings, queue=queue)

    def stop_at_the_third(message: Message) -> None:
        if message == Message("item", "3"):
            raise KeyboardInterrupt
        engine.indexer.handle(message)

    queue.handler = stop_at_the_third
    with pytest.raises(KeyboardInterrupt):
        engine.indexer.submit("default", Origin("local", str(study)))
    [job] = engine.jobs.unfinished({JobState.RUNNING})
    (study / "5.dcm").write_bytes(ct_file(1, 5))
    result = answer(hmar(home, "index", study, "--json"))
    assert result["job_id"] == job.job_id
    assert (result["state"], result["indexed"]) == ("done", 5)
    rows = engine.catalogue.tail(0, 100)
    assert Counter(row.encoded.info.sop_instance_uid for row in rows if row.encoded) == {
        sop_uid(1, number): 1 for number in range(1, 6)
    }


@pytest.mark.slow
def test_an_interrupted_run_with_a_table_leaves_no_patient_to_a_later_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for seed, name in enumerate("abc"):
        film(films / f"{name}.png", seed)
    table = films / "labels.csv"
    table.write_text("path,label,patient\na.png,,WRONG-ID\nb.png,,WRONG-ID\nc.png,,WRONG-ID\n")
    encode, asked = ThumbnailEncoder.encode, []

    def interrupted(self: ThumbnailEncoder, frame: Frame) -> EncodedFrame:
        asked.append(frame)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return encode(self, frame)

    with monkeypatch.context() as patch:
        patch.setattr(ThumbnailEncoder, "encode", interrupted)
        stopped = hmar(home, "index", films, "--labels", table)
    assert stopped.exit_code == 130
    assert "the rest of this run is given up" in " ".join(stopped.stderr.split())
    engine = build_engine(Settings(home=home, model_dir="thumbnail"))
    [job] = engine.jobs.unfinished({*JobState})
    items = engine.jobs.items(job.job_id, {*ItemState}, 9)
    engine.storage.close()
    assert job.state is JobState.FAILED
    assert [item.state for item in items if item.patient_key] == [ItemState.INDEXED]
    gone = hmar(home, "delete", "--patient-id", "--yes", typed="WRONG-ID")
    assert gone.exit_code == 0, gone.output
    later = hmar(home, "index", films)
    assert "Going on" not in later.stderr
    assert patients(home) == {"a.png": None, "b.png": None, "c.png": None}


@pytest.mark.slow
def test_whoever_stops_watching_a_worker_is_told_which_labels_were_not_begun(
    home: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = study / "labels.csv"
    table.write_text("path,label\n1.dcm,x\n2.dcm,y\n")

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hmar.cli.index.workers_answering", lambda _: 1)
    monkeypatch.setattr("hmar.cli.index.build_engine", lambda known: build_engine(known, queue=InlineQueue()))
    monkeypatch.setattr("hmar.cli.index.time.sleep", interrupted)
    stopped = hmar(home, "index", study, "--labels", table)
    assert stopped.exit_code == 130
    said = " ".join(stopped.stderr.split())
    assert "the worker continues job" in said
    assert "The files of 2 more labels were not begun: the same command again indexes them." in said
    said = hmar(home, "index", study).stderr
    assert "the worker continues job" in said
    assert "not begun" not in said


@pytest.mark.slow
def test_a_later_run_takes_no_patients_from_a_run_that_was_killed(home: Path, tmp_path: Path) -> None:
    films, key = tmp_path / "films", "5" * 32
    films.mkdir()
    reference = reference_of(film(films / "a.png", 1))
    engine = build_engine(Settings(home=home, model_dir="thumbnail"), queue=InlineQueue())
    origin = Origin("local", reference_of(films))
    job_id = engine.indexer.submit("default", origin, [reference], None, {reference: key})
    assert "Going on" not in hmar(home, "index", films).stderr
    assert patients(home) == {"a.png": None}
    # The killed run's file is known by its patient, until that one is deleted, frames or no frames.
    assert engine.jobs.items(job_id, {ItemState.QUEUED}, 9)[0].patient_key == key
    hasher = PatientHasher(*engine.secrets.patient)
    job_id = engine.indexer.submit(
        "default", origin, [reference], None, {reference: str(hasher.key("HIS-ID"))}
    )
    assert hmar(home, "delete", "--patient-id", "--yes", typed="HIS-ID").exit_code == 2
    [item] = engine.jobs.items(job_id, {*ItemState}, 9)
    engine.storage.close()
    assert (item.state, item.patient_key) == (ItemState.FAILED, None)


@pytest.mark.slow
def test_a_database_that_takes_no_more_ends_the_run_and_says_so(home: Path, study: Path) -> None:
    build_engine(Settings(home=home)).storage.close()
    database = Database(Settings(home=home).database_file)
    trigger = "CREATE TRIGGER full BEFORE UPDATE ON items BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    with database.write() as connection:
        connection.execute(text(trigger))
    result = hmar(home, "index", study)
    assert result.exit_code == 3
    assert "The database does not answer" in result.stderr
    with database.write() as connection:
        connection.execute(text("DROP TRIGGER full"))
    assert answer(hmar(home, "index", study, "--json"))["indexed"] == 4


@pytest.mark.slow
def test_a_region_finds_itself_and_its_neighbour(home: Path, study: Path, tmp_path: Path) -> None:
    hmar(home, "index", study)
    picture = tmp_path / "hits.png"
    arguments = ("--region", "46,76,28,28", "-k", "2", "--json", "--montage", picture)
    found = answer(hmar(home, "search", study / "1.dcm", *arguments))
    hits = found["hits"]
    assert isinstance(hits, list)
    assert {hit["sop_instance_uid"] for hit in hits} == {sop_uid(1, 1), sop_uid(1, 2)}
    assert [hit["rank"] for hit in hits] == [1, 2]
    with Image.open(picture) as drawn:
        assert drawn.width > 3 * 300


@pytest.mark.slow
def test_a_whole_image_finds_itself_first_in_a_table(home: Path, study: Path) -> None:
    hmar(home, "index", study)
    result = hmar(home, "search", study / "3.dcm", "--mode", "global", "--bits", "64")
    assert result.exit_code == 0
    assert "4 nearest at 64 bits, model thumbnail-32" in result.output


@pytest.mark.slow
def test_a_terminal_of_80_columns_shows_whole_boxes(home: Path, study: Path) -> None:
    hmar(home, "index", study)
    query = ("search", study / "1.dcm", "--region", "42,72,37,37")
    hits = answer(hmar(home, *query, "--json"))["hits"]
    table = hmar(home, *query, COLUMNS="80").output
    assert isinstance(hits, list)
    for hit in hits:
        assert ",".join(f"{hit['box'][side]:.0f}" for side in ("x", "y", "width", "height")) in table
    assert "…" not in table


def found(home: Path, file: Path, *arguments: object) -> list[str]:
    hits = answer(hmar(home, "search", file, "-k", "100", "--mode", "global", "--json", *arguments))["hits"]
    assert isinstance(hits, list)
    return [f"{hit['series_uid'].split('.')[-1]}/{hit['instance_number']}" for hit in hits]


@pytest.mark.slow
def test_filters_exclusions_and_groups_limit_what_is_found(home: Path, study: Path) -> None:
    other = study / "other"
    other.mkdir()
    (other / "1.dcm").write_bytes(ct_file(2, 1, NODULE))
    assert answer(hmar(home, "index", other, "--label", "Set 2", "--json"))["label"] == "Set 2"
    assert answer(hmar(home, "index", study, "--json"))["label"] is None
    file = study / "1.dcm"
    everything = found(home, file)
    assert sorted(everything) == ["1/1", "1/2", "1/3", "1/4", "2/1"]
    first = [hit for hit in everything if hit.startswith("1/")]
    for arguments, expected in (
        (["--modality", "ct", "--modality", "mr"], everything),
        (["--modality", "MR"], []),
        (["--body-part", "chest", "--sex", "F"], first),
        (["--sex", "O"], ["2/1"]),
        (["--age", "50-50"], first),
        (["--age", "51-"], ["2/1"]),
        (["--age", "-50"], first),
        (["--date", "2020-01-02.."], ["2/1"]),
        (["--date", "2020-01-01..2020-01-01"], first),
        (["--manufacturer", "phantom works, 2"], ["2/1"]),
        (["--label", "Set 2"], ["2/1"]),
        (["--slice-thickness", "4.5-"], everything),
        (["--slice-thickness", "-4.5"], []),
        (["--contrast", "no"], []),
        (["--exclude-same", "instance"], everything[1:]),
        (["--exclude-same", "series"], ["2/1"]),
        (["--exclude-same", "patient"], []),
        (["--only", series_uid(2)], ["2/1"]),
        (["--only", series_uid(2), "--only", series_uid(1)], everything),
        (["--group-by", "series"], ["1/1", "2/1"]),
        (["--group-by", "series", "--exclude-same", "instance"], [everything[1], "2/1"]),
    ):
        assert found(home, file, *arguments) == expected, arguments


@pytest.mark.slow
def test_a_place_is_told_with_its_slices_and_its_depth(home: Path, study: Path) -> None:
    assert hmar(home, "index", study).exit_code == 0
    asked = ("search", study / "2.dcm", "--group-by", "place")
    [hit] = answer(hmar(home, *asked, "--region", "46,70,28,28", "--json"))["hits"]  # type: ignore[misc]
    place = hit["place"]
    assert place["frames"] == len(place["distances"])
    told = hmar(home, *asked, "--region", "46,70,28,28").output
    assert f"{place['frames']} frames, {place['extent']['depth_mm']:.0f} mm" in told
    refused = hmar(home, *asked)
    assert refused.exit_code == 2
    assert "no region" in refused.output


@pytest.mark.slow
def test_a_table_gives_files_their_labels_by_path_instance_and_series(home: Path, study: Path) -> None:
    (study / "other").mkdir()
    (study / "other" / "9.dcm").write_bytes(ct_file(2, 9))
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(study / "film.png")
    rows = [
        "film.png,,,broken",
        f",{sop_uid(1, 2)},,nodule",
        f",,{series_uid(1)},clear",
        "1.dcm,,,nodule",
        f"gone.dcm,{sop_uid(7, 7)},,nodule",
    ]
    table = study / "labels.csv"
    table.write_text("\n".join(["path,sop_instance_uid,series_instance_uid,label", *rows]))
    done = answer(hmar(home, "index", study, "--labels", table, "--json"))
    assert {job["label"]: (job["indexed"], job["skipped"]) for job in done["jobs"]} == {
        "broken": (1, 0),
        "clear": (2, 0),
        "nodule": (2, 0),
        None: (1, 1),  # the table itself is no image
    }
    assert done["unmatched_rows"] == 1
    engine, model = build_engine(Settings(home=home)), ThumbnailEncoder().fingerprint
    labels = {
        entry.info.sop_instance_uid: entry.info.label
        for series in engine.catalogue.series(model)
        for entry in engine.catalogue.frames("default", series.series_uid, model)
    }
    assert [labels.pop(sop_uid(1, number)) for number in range(1, 5)] == [
        "nodule",
        "nodule",
        "clear",
        "clear",
    ]
    assert labels.pop(sop_uid(2, 9)) is None
    assert [*labels.values()] == ["broken"]
    again = hmar(home, "index", study, "--labels", table)
    assert again.exit_code == 0
    assert "nodule:\nnothing new: all 2 frames were indexed already" in again.stdout
    assert "1 rows of the table name no file" in again.stderr


def film(path: Path, seed: int) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def patients(home: Path) -> dict[str, str | None]:
    """Return the key of the patient of every file of the archive, by the file's name."""
    engine, model = build_engine(Settings(home=home)), ThumbnailEncoder().fingerprint
    return {
        Path(entry.origin.reference).name: entry.info.patient_key
        for series in engine.catalogue.series(model)
        for entry in engine.catalogue.frames("default", series.series_uid, model)
    }


@pytest.mark.slow
def test_a_table_gives_pictures_the_patients_that_headers_know(home: Path, study: Path) -> None:
    films = [film(study / f"{name}.png", seed) for seed, name in enumerate("abcd")]
    lines = [f"a.png,x,{PATIENT_ID}", "b.png,x,OTHER-ID", f"c.png,y, {PATIENT_ID}", "d.png,y,", "1.dcm,x,"]
    table = study / "labels.csv"
    table.write_text("\n".join(["path,label,patient", *lines]))
    result = hmar(home, "index", study, "--labels", table, "--json")
    done = answer(result)
    assert (done["patients"], done["files_with_patient"]) == (2, 3)
    assert "Patients of the table: 2, with 3 of 9 files." in result.stderr
    known = patients(home)
    assert known["a.png"] == known["c.png"] == known["1.dcm"] == known["4.dcm"]
    assert len({known["a.png"], known["b.png"], known["d.png"]}) == 3
    assert known["d.png"] is None
    assert not re.search(f"{PATIENT_ID}|OTHER-ID", result.output)
    # The picture's own patient is left out, though the file itself does not say who that is.
    others = found(home, films[0], "--exclude-same", "patient")
    assert len(others) == 2
    refused = hmar(home, "search", films[3], "--exclude-same", "patient")
    assert (refused.exit_code, "has no patient id" in refused.output) == (2, True)
    grouped = answer(hmar(home, "search", films[0], "--group-by", "patient", "--mode", "global", "--json"))
    assert len(grouped["hits"]) == 3
    # Without the table, or with it, nothing is new, and everyone keeps his patient.
    for arguments in ([], ["--labels", table]):
        again = hmar(home, "index", study, *arguments)
        assert (again.exit_code, "0 failed" in again.stdout) == (0, True)
    assert patients(home) == known
    gone = hmar(home, "delete", "--patient-id", "--yes", typed=PATIENT_ID)
    assert gone.exit_code == 0, gone.output
    assert {*patients(home)} == {"b.png", "d.png"}


@pytest.mark.slow
def test_a_patient_that_contradicts_a_header_or_the_archive_is_refused_for_the_file(
    home: Path, study: Path
) -> None:
    film(study / "a.png", 1)
    film(study / "b.png", 2)
    hmar(home, "index", study / "a.png")
    table = study / "labels.csv"
    table.write_text("file,label,patient\n1.dcm,x,OTHER-ID\na.png,x,OTHER-ID\nb.png,x,OTHER-ID\n")
    result = hmar(home, "index", study, "--labels", table, "--json")
    [labelled, rest] = answer(result)["jobs"]
    assert (labelled["indexed"], rest["indexed"]) == (1, 3)
    reasons = {failure["file"]: failure["reason"] for failure in labelled["failures"]}
    assert reasons.keys() == {"1.dcm", "a.png"}
    assert "another patient than its header" in reasons["1.dcm"]
    assert "is indexed already" in reasons["a.png"]
    assert "OTHER-ID" not in result.output
    known = patients(home)
    assert known["a.png"] is None
    assert "1.dcm" not in known
    assert known["b.png"] is not None


def test_a_file_with_two_patients_stops_the_table_before_anything_is_indexed(home: Path, study: Path) -> None:
    table = study / "labels.csv"
    table.write_text("file,label,patient\n1.dcm,x,P-1\n2.dcm,x,P-1\n1.dcm,x,P-2\n")
    result = hmar(home, "index", study, "--labels", table)
    assert (result.exit_code, "Lines 2 and 4 of the table" in result.output) == (2, True)
    assert not re.search("P-[12]", result.output)
    assert patients(home) == {}


def test_a_table_without_labels_and_two_kinds_of_labels_are_refused(home: Path, study: Path) -> None:
    table = study / "labels.csv"
    table.write_text("path,kind\n1.dcm,x\n")
    assert "is no table of labels" in hmar(home, "index", study, "--labels", table).output
    both = hmar(home, "index", study, "--labels", table, "--label", "x")
    assert (both.exit_code, "Give one of the two" in both.output) == (2, True)
    assert not home.exists()


@pytest.mark.slow
def test_a_search_that_filters_leave_nothing_to_says_so(home: Path, study: Path) -> None:
    hmar(home, "index", study)
    assert "among the 4 indexed frames" in hmar(home, "search", study / "1.dcm", "--modality", "US").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--modality", "C*"], "modality is 'C*'"),
        (["--sex", "X"], "sex is 'X'"),
        (["--age", "40"], "The age is '40', which is not a range"),
        (["--age", "forty-60"], "The age is 'forty'"),
        (["--age", "60-40"], "60 to 40 years"),
        (["--age", "-"], "None to None years"),
        (["--date", "2020"], "The study date is '2020', which is not a range"),
        (["--date", "2020-02-30.."], "2020-02-30"),
        (["--manufacturer", "*"], "manufacturer is '*'"),
        (["--label", ""], "The label is ''"),
        (["--slice-thickness", "5"], "The slice thickness is '5', which is not a range"),
        (["--contrast", "perhaps"], "contrast is 'perhaps'"),
    ],
)
def test_a_filter_that_means_nothing_is_named_in_one_line(
    home: Path, study: Path, arguments: list[str], said: str
) -> None:
    result = hmar(home, "search", study / "1.dcm", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_query_unlike_all_training_images_is_told(home: Path, study: Path, tmp_path: Path) -> None:
    noise, shipped = tmp_path / "noise.png", {"HMAR_MODEL_DIR": "", "COLUMNS": "200"}
    Image.effect_noise((200, 200), 90).save(noise)
    assert hmar(home, "index", study, **shipped).exit_code == 0
    for file, strange in ((noise, True), (study / "1.dcm", False)):
        query = answer(hmar(home, "search", file, "--json", **shipped))["query"]
        assert isinstance(query, dict)
        assert query["out_of_distribution"] is strange
        assert (query["typicality"] < 0.01) is strange
        assert ("Out of distribution" in hmar(home, "search", file, **shipped).output) is strange


@pytest.mark.slow
def test_an_empty_archive_says_how_to_fill_it(home: Path, study: Path) -> None:
    result = hmar(home, "search", study / "1.dcm")
    assert result.exit_code == 0
    assert "hmar index PATH" in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--region", "500,80,20,20"], "500,80,20,20"),
        (["--region", "a,b"], "'a,b'"),
        (["--region", "1,2,nan,4"], "nan"),
        (["-k", "0"], "k is 0"),
        (["--frame", "7"], "7"),
    ],
)
def test_a_wrong_parameter_is_named_in_one_line(
    home: Path, study: Path, arguments: list[str], named: str
) -> None:
    result = hmar(home, "search", study / "1.dcm", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert named in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_operators_error_has_its_own_status(home: Path, study: Path) -> None:
    result = hmar(home, "search", study / "1.dcm", HMAR_MAX_PIXELS="many")
    assert result.exit_code == 3
    assert "HMAR_MAX_PIXELS" in result.stderr


@pytest.mark.slow
def test_a_montage_needs_a_picture_format(home: Path, study: Path, tmp_path: Path) -> None:
    hmar(home, "index", study)
    result = hmar(home, "search", study / "1.dcm", "--montage", tmp_path / "hits.doc")
    assert result.exit_code == 3
    assert ".doc" in result.stderr


def test_that_there_are_no_keys_is_said_beside_an_empty_list(home: Path) -> None:
    listed = hmar(home, "keys", "list")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert listed.stderr == "There are no keys. Make one with 'hmar keys new NAME'.\n"


def test_keys_are_made_listed_and_revoked(home: Path) -> None:
    key = hmar(home, "keys", "new", "pacs").stdout.strip()
    engine = build_engine(Settings(home=home))
    assert engine.keys.verify(key) == Identity("pacs", EVERYDAY)
    assert hmar(home, "keys", "list").stdout.split("\n")[1].split() == [
        "pacs",
        "search,index",
        "all",
        *["never"] * 2,
    ]
    assert hmar(home, "keys", "new", "pacs").exit_code == 2
    assert hmar(home, "keys", "revoke", "pacs").exit_code == 0
    assert engine.keys.verify(key) is None
    assert hmar(home, "keys", "revoke", "pacs").exit_code == 2


def test_a_key_is_made_for_what_it_may_do_where_and_for_how_long(home: Path) -> None:
    rights = ["--scope", "delete", "--scope", "search", "--collection", "lung", "--collection", "teaching"]
    key = hmar(home, "keys", "new", "study", *rights, "--expires", "90d").stdout.strip()
    engine = build_engine(Settings(home=home))
    expected = Identity("study", frozenset({"search", "delete"}), frozenset({"lung", "teaching"}))
    assert engine.keys.verify(key) == expected
    [info] = engine.keys.listed()
    assert info.expires_at is not None
    assert 89 < (info.expires_at - time.time()) / 86_400 <= 90
    engine.keys.note_uses({"study": 0.0})
    listed = hmar(home, "keys", "list").stdout
    assert "search,delete" in listed
    assert "lung,teaching" in listed
    assert "1970-01-01 00:00" in listed


@pytest.mark.parametrize(
    "wrong",
    [["--expires", "0d"], ["--expires", "soon"], ["--scope", "everything"], ["--collection", "../x"]],
)
def test_a_key_is_not_made_with_what_cannot_be_meant(home: Path, wrong: list[str]) -> None:
    assert hmar(home, "keys", "new", "study", *wrong).exit_code == 2
    assert build_engine(Settings(home=home)).keys.listed() == []


def test_an_expired_key_is_listed_as_such(home: Path) -> None:
    build_engine(Settings(home=home)).keys.create(administrator("old"), 0.0)
    assert "(expired)" in hmar(home, "keys", "list").stdout


def test_a_login_is_made_with_a_name_and_with_rights(home: Path) -> None:
    link = hmar(home, "keys", "login", "--name", "anna", "--scope", "search", "--collection", "lung").stdout
    identity = build_engine(Settings(home=home)).keys.redeem_login(link.strip().rpartition("token=")[2])
    assert identity == Identity("page login anna", frozenset({"search"}), frozenset({"lung"}))


def test_a_login_link_works_once(home: Path) -> None:
    link = hmar(home, "keys", "login").stdout.strip()
    token = link.rpartition("token=")[2]
    keys = build_engine(Settings(home=home)).keys
    assert keys.redeem_login(token) == Identity(PAGE_LOGIN, EVERYDAY)
    assert keys.redeem_login(token) is None


@pytest.mark.slow
def test_doctor_is_content_without_a_running_product(home: Path, study: Path) -> None:
    hmar(home, "index", study)
    report = answer(hmar(home, "doctor", "--json"))
    checks = {check["part"]: check for check in report["checks"]}  # type: ignore[attr-defined, index]
    assert report["healthy"] is True
    assert checks["broker"]["state"] == checks["worker"]["state"] == "note"
    assert checks["index"]["found"].startswith("4 frames")


def test_doctor_fails_and_says_what_to_do(home: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    result = hmar(home, "doctor", "--json", HMAR_MODEL_DIR=str(tmp_path / "model"))
    assert result.exit_code == 1
    checks = {check["part"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["model"]["state"] == "failed"
    assert checks["model"]["remedy"]
    (tmp_path / "file").write_text("")
    result = hmar(tmp_path / "file" / "home", "doctor")
    assert result.exit_code == 1
    assert "HMAR_HOME" in result.output


@pytest.mark.slow
def test_doctor_lets_the_model_encode_its_golden_frame(home: Path) -> None:
    checks = answer(hmar(home, "doctor", "--json", HMAR_MODEL_DIR=""))["checks"]
    assert isinstance(checks, list)
    [model] = [check for check in checks if check["part"] == "model"]
    assert model["state"] == "ok"
    right, bits = re.findall(r"(\d+) of (\d+) golden bits", model["found"])[0]
    assert int(bits) > 10_000
    assert int(bits) - int(right) <= int(bits) // 10_000


@pytest.mark.slow
def test_doctor_fails_where_the_golden_codes_are_others(home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))
    with np.load(folder / GOLDEN) as golden:
        arrays = dict(golden)
    np.savez(folder / GOLDEN, **arrays | {"window_codes": ~arrays["window_codes"]})
    seal(folder)
    result = hmar(home, "doctor", HMAR_MODEL_DIR=str(folder), COLUMNS="300")
    assert result.exit_code == 1
    assert "this runtime computes other codes" in result.output


@pytest.mark.slow
def test_doctor_names_a_broker_that_is_down(home: Path) -> None:
    result = hmar(home, "doctor", "--json", HMAR_REDIS_URL="redis://127.0.0.1:1/0")
    assert result.exit_code == 1
    checks = {check["part"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["broker"]["state"] == "failed"


def test_every_command_of_the_table_can_be_imported() -> None:
    context = click.Context(main)
    assert all(isinstance(main.get_command(context, name), click.Command) for name in all_commands())


def test_a_registered_package_that_is_gone_costs_its_own_commands_alone(monkeypatch, capsys):
    gone = metadata.EntryPoint("gone", "no_such_package:COMMANDS", "hmar.commands")
    monkeypatch.setattr(metadata, "entry_points", lambda group: [gone])
    known = all_commands.__wrapped__()
    assert {"serve", "search"} <= known.keys()
    assert "gone" in capsys.readouterr().err
