"""Commands that ask a server: the same options, the same output, the same exit status as on this machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pydicom
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hmar.cli import main
from hmar.cli.commands import OWN
from hmar.values.entries import Origin
from tests.hmar.client.conftest import Served, own, served
from tests.phantoms import PATIENT_ID, ROOT, ct_file, series_uid, sop_uid
from tests.service.conftest import FRAMES, SLICES

__all__ = ["own", "served"]
REGIONS = ("--region", "48,72,24,24", "--region", "120,80,24,24")
REMOTE = sorted(name for name, command in OWN.items() if command.remote)
LOCAL = sorted(OWN.keys() - set(REMOTE))


def here(served: Served, *arguments: object, stdin: str | None = None) -> Result:
    variables = {
        "HMAR_HOME": str(served.archive.engine.settings.home),
        "HMAR_MODEL_DIR": "thumbnail",
        "HMAR_REDIS_URL": "",
        "HMAR_SERVER": "",
    }
    return CliRunner().invoke(main, [str(one) for one in arguments], stdin, env=variables)


def there(served: Served, *arguments: object, stdin: str | None = None, **environment: str) -> Result:
    variables = {"HMAR_HOME": "/nowhere", "HMAR_API_KEY": served.archive.key, **environment}
    command = ["--server", served.url, *(str(one) for one in arguments)]
    return CliRunner().invoke(main, command, stdin, env=variables)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "query.dcm"
    path.write_bytes(ct_file(1, 2, (60.0, 84.0)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("collections",),
        ("studies",),
        ("studies", f"{ROOT}.91"),
        ("studies", "--collection", "elsewhere"),
        ("series",),
        ("series", series_uid(2)),
        ("series", "1.2.3"),
        ("labels",),
        ("changes", "--after", FRAMES - 2),
        ("changes", "--after", 99),
        ("jobs", "list"),
        ("jobs", "show", "0" * 32),
        ("webhooks", "list"),
    ],
)
def test_lists_are_the_same_of_a_server_and_of_its_archive(
    served: Served, arguments: tuple[object, ...]
) -> None:
    for extra in ((), ("--json",)):
        local, remote = here(served, *arguments, *extra), there(served, *arguments, *extra)
        assert (remote.exit_code, remote.stdout) == (local.exit_code, local.stdout), remote.stderr
        if local.exit_code == 2:
            assert remote.stderr.startswith("Error: ")
            assert local.stderr.startswith("Error: ")


@pytest.mark.slow
def test_an_export_writes_the_same_documents_of_a_server_and_of_its_archive(
    served: Served, tmp_path: Path
) -> None:
    uid = sop_uid(1, 2)
    options = (uid, *REGIONS[:2], "-k", "3", "--exclude-same", "instance", "--hit", f"{sop_uid(1, 1)}:1")
    options += ("--search", "exact")
    written = {}
    for ask in (here, there):
        folder = tmp_path / ask.__name__
        paths = told(ask(served, "export-dicom", *options, "-k", "20", "--output", folder, "--json"))
        assert set(paths) == {"sr", "kos", "picture"}
        written[ask] = {kind: pydicom.dcmread(path).SOPInstanceUID for kind, path in paths.items()}
    assert written[here] == written[there]


@pytest.mark.slow
def test_an_export_that_cannot_be_is_an_error_of_both(served: Served, tmp_path: Path) -> None:
    for options in (
        (),
        ("--to", "pacs:none", "--output", tmp_path),
        ("--to", "none"),
        ("--to", "pacs:none"),
        ("--output", tmp_path, "--hit", "1.2.3"),
        ("--output", tmp_path, "--hit", "1.2.3:x"),
    ):
        for ask in (here, there):
            result = ask(served, "export-dicom", sop_uid(1, 2), *options)
            assert (result.exit_code, result.stderr[:7]) == (2, "Error: "), options


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        (),
        REGIONS,
        ("--region", "48,72,24,24", "--mode", "local", "--bits", "64"),
        ("--exclude-same", "series", "--group-by", "series"),
        ("--modality", "CT", "--age", "-40", "--date", "1990-01-01..", "--slice-thickness", "0.1-"),
        ("--modality", "MR"),
        ("--collection", "elsewhere"),
    ],
)
def test_a_search_prints_the_same_of_a_server_and_of_its_archive(
    served: Served, file: Path, options: tuple[str, ...], tmp_path: Path
) -> None:
    local, remote = here(served, "search", file, *options), there(served, "search", file, *options)
    assert local.exit_code == remote.exit_code == 0, local.stderr + remote.stderr
    assert remote.stdout == local.stdout
    mine, other = (
        told(ask(served, "search", file, *options, "--json", "--montage", tmp_path / f"{ask.__name__}.png"))
        for ask in (here, there)
    )
    assert other == mine
    pictures = [Image.open(tmp_path / f"{name}.png") for name in ("here", "there")]
    assert pictures[0].tobytes() == pictures[1].tobytes()


@pytest.mark.slow
def test_files_are_sent_and_named_by_their_paths_here(own: Served, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "1.dcm").write_bytes(ct_file(7, 1))
    (folder / "2.dcm").write_bytes(b"DICM" * 60)
    (folder / "notes.txt").write_text("no image")
    outcome = told(there(own, "index", folder, "--collection", "sent", "--label", "x", "--json"))
    counts = {name: outcome[name] for name in ("indexed", "failed", "skipped", "files", "state")}
    assert counts == {"indexed": 1, "failed": 1, "skipped": 1, "files": 3, "state": "done"}
    assert [one["file"] for one in outcome["failures"]] == ["2.dcm"]
    names = [item.to_dict()["name"] for job in own.client().jobs() for item in own.client().items(job.job_id)]
    assert set(names) == {None}
    again = there(own, "index", folder / "deep", "--collection", "sent", "--keep-names")
    assert (again.exit_code, "nothing new" in again.stdout) == (0, True)
    newest = next(iter(own.client().jobs()))
    assert [item.to_dict()["name"] for item in own.client().items(newest.job_id)] == ["1.dcm"]
    bad = there(own, "index", folder / "2.dcm")
    assert (bad.exit_code, "Not indexed" in bad.stdout) == (1, True)
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n2.dcm,x\n")
    refused = there(own, "index", folder, "--labels", table)
    assert (refused.exit_code, "this machine alone" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_things_are_deleted_from_a_server(own: Served) -> None:
    no = there(own, "delete", "--series", series_uid(1), stdin="n\n")
    assert (no.exit_code, "of the server? [y/N]" in no.stderr) == (1, True)
    done = told(there(own, "delete", "--series", series_uid(1), "--yes", "--json"))
    assert done == {
        "level": "series",
        "collection": None,
        "frames": SLICES,
        "instances": SLICES,
        "series": 1,
        "studies": 1,
    }
    for ask in (here, there):
        missing = ask(own, "delete", "--series", series_uid(1), "--yes")
        assert (missing.exit_code, series_uid(1) in missing.stderr) == (2, True)
    patient = there(own, "delete", "--patient-id", "--yes", stdin=f"{PATIENT_ID}\n")
    assert patient.exit_code == 0, patient.stderr
    assert PATIENT_ID not in patient.output
    assert own.client().series() == []


@pytest.mark.slow
@pytest.mark.parametrize("ask", [here, there])
def test_labels_are_given_taken_away_and_counted(own: Served, ask: Any, tmp_path: Path) -> None:
    given = ask(own, "labels", "proven", "--series", series_uid(1), "--series", "1.2.3")
    assert (given.exit_code, given.stdout) == (
        0,
        f"{SLICES} frames with a new label, 0 that had it already\n",
    )
    assert given.stderr == "Nothing is indexed of 1.2.3\n"
    assert told(ask(own, "labels", "--json")) == {"labels": {"default": {"proven": SLICES}}}
    taken = told(ask(own, "labels", "--remove", "--instance", sop_uid(1, 1), "--json"))
    assert taken == {"changed": 1, "unchanged": 0, "unknown": []}
    table = tmp_path / "labels.csv"
    table.write_text(f"series_instance_uid,label\n{series_uid(2)},other\n")
    assert ask(own, "labels", "--table", table).exit_code == 0
    counted = ask(own, "labels").stdout.splitlines()
    assert [line.split() for line in counted[1:]] == [["default", "other", "4"], ["default", "proven", "3"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("labels", "x"),
        ("labels", "--series", "1.2"),
        ("labels", "x", "--remove", "--series", "1.2"),
        ("labels", "x", "--series", "1.2", "--study", "1.2"),
        ("labels", "--remove"),
    ],
)
def test_labels_that_nobody_can_mean_are_refused(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr.startswith("Error: ")) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("ask", [here, there])
def test_jobs_are_shown_cancelled_repeated_and_followed(own: Served, ask: Any) -> None:
    engine = own.archive.engine
    waiting = engine.jobs.create("default", Origin("import", "x"), ["x/1.dcm", "x/2.dcm"])
    assert told(ask(own, "jobs", "show", waiting, "--json"))["total"] == 2
    listed = told(ask(own, "jobs", "list", "--state", "queued", "--json"))["jobs"]
    listed += told(ask(own, "jobs", "list", "--state", "running", "--json"))["jobs"]
    assert [job["job_id"] for job in listed] == [waiting]
    assert told(ask(own, "jobs", "cancel", waiting, "--json"))["state"] == "cancelled"
    followed = ask(own, "jobs", "follow", waiting, "--json")
    assert (followed.exit_code, json.loads(followed.stdout.splitlines()[-1])["finished"]) == (1, True)
    refused = ask(own, "jobs", "retry", waiting)
    assert (refused.exit_code, "cancelled" in refused.stderr) == (2, True)
    (engine.settings.import_root / "bad").mkdir()
    (engine.settings.import_root / "bad" / "1.dcm").write_bytes(b"DICM" * 60)
    failed = engine.indexer.submit("default", Origin("import", "bad"))
    shown = ask(own, "jobs", "show", failed).stdout
    assert re.search(r"1\.dcm +failed +\S", shown), shown
    assert ask(own, "jobs", "retry", failed).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("ask", [here, there])
def test_webhooks_are_added_listed_enabled_and_removed(own: Served, ask: Any) -> None:
    url = "https://192.0.2.1/hook"
    secret = ask(own, "webhooks", "add", "ris", url, "--collection", "default").stdout.strip()
    assert secret.startswith("hmarwh_")
    [held] = told(ask(own, "webhooks", "list", "--json"))["webhooks"]
    assert (held["name"], held["url"], held["collections"], held["after"]) == (
        "ris",
        url,
        ["default"],
        FRAMES,
    )
    listed = ask(own, "webhooks", "list").stdout
    assert "well" in listed
    assert secret not in listed
    refused = ask(own, "webhooks", "add", "other", "https://169.254.169.254/")
    assert (refused.exit_code, "HMAR_WEBHOOK_NETWORKS" in refused.stderr) == (2, True)
    assert ask(own, "webhooks", "enable", "ris").exit_code == 0
    assert ask(own, "webhooks", "remove", "ris").exit_code == 0
    for verb in ("enable", "remove"):
        assert ask(own, "webhooks", verb, "ris").exit_code == 2


@pytest.mark.parametrize("name", LOCAL)
def test_a_command_of_this_machine_alone_says_so(name: str) -> None:
    result = CliRunner().invoke(main, ["--server", "http://127.0.0.1:9", name])
    assert (result.exit_code, f"'hmar {name}' works on the archive of this machine" in result.stderr) == (
        2,
        True,
    )


def test_what_asks_a_server_is_what_the_manual_says() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text("utf-8")
    paragraph = page.partition("`hmar --server URL COMMAND`")[2].partition("\n\n")[0]
    named = re.findall(r"`([a-z-]+)`", paragraph.partition("Without")[0])
    assert sorted(named) == REMOTE


@pytest.mark.slow
def test_the_environment_names_the_server_too_and_the_key_is_never_told(
    served: Served, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(f"{served.archive.key}\n")
    key.chmod(0o600)
    named = {"HMAR_SERVER": served.url, "HMAR_API_KEY": "", "HMAR_API_KEY_FILE": str(key)}
    found = CliRunner().invoke(main, ["series", "--json"], env=named)
    assert len(told(found)["series"]) == 3
    key.chmod(0o640)
    open_to_others = CliRunner().invoke(main, ["series"], env=named)
    assert (open_to_others.exit_code, "chmod 600" in open_to_others.stderr) == (3, True)
    wrong = CliRunner().invoke(main, ["series"], env={**named, "HMAR_API_KEY": "hmar_wrong"})
    assert (wrong.exit_code, "hmar_wrong" in wrong.output) == (2, False)
    nobody = there(served, "series", HMAR_API_KEY="")
    assert (nobody.exit_code, "There is no key" in nobody.stderr) == (3, True)


def test_an_address_that_is_none_is_refused() -> None:
    for address in ("", "ris.example", "https://u:secret@ris.example"):
        result = CliRunner().invoke(main, ["--server", address, "series"], env={"HMAR_API_KEY": "hmar_k"})
        assert (result.exit_code, "secret" in result.output) == (3, False)
