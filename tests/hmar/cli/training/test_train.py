import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from rich.console import Console

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

import torch

from hmar.cli import main
from hmar.cli.progress import progress_of
from hmar.cli.training.sources import Sources, gather
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.bundle import CARD
from hmar.training.config import PRESETS
from hmar.training.data.image_labels import ImageLabels
from tests.hmar.training.data.folders.made import PATIENT, ct_series, series_uid, structure_set


def test_progress_in_a_log_is_a_line_at_every_tenth():
    output = io.StringIO()
    with progress_of(Console(file=output, width=100)) as progress:
        progress("fetching", 0, 0)
        for done in range(1, 31):
            progress(f"stage 1, loss {done}", done, 30)
    lines = output.getvalue().splitlines()
    assert lines[0] == "fetching"
    assert len(lines) == 11
    assert lines[-1] == "stage 1, loss 30: 30 of 30"


def test_work_that_begins_anew_is_told_of_from_its_first_tenth():
    output = io.StringIO()
    with progress_of(Console(file=output, width=100)) as progress:
        for _ in range(2):
            for done in range(1, 11):
                progress("training", done, 10)
    assert len(output.getvalue().splitlines()) == 20


@pytest.mark.parametrize(
    ("init", "status", "message"),
    [
        ("radimagenet:{}/absent.pt", 3, "absent.pt cannot be read as weights"),
        ("imagenet:{}/weights.pt", 2, "Give radimagenet:PATH"),
        ("radimagenet:", 2, "Give radimagenet:PATH"),
    ],
)
def test_weights_are_refused_before_anything_is_fetched_or_written(init, status, message, tmp_path):
    pytest.importorskip("kan", reason="the extra 'train' is not installed")
    result = CliRunner().invoke(
        main,
        ["train", "--out", str(tmp_path / "out"), "--init", init.format(tmp_path)],
        env={"HMAR_HOME": str(tmp_path / "home")},
    )
    assert result.exit_code == status
    assert message in result.output
    assert list(tmp_path.iterdir()) == []


def test_workers_are_refused_without_new_views(tmp_path):
    result = CliRunner().invoke(main, ["train", "--out", str(tmp_path / "out"), "--workers", "2"])
    assert result.exit_code == 2
    assert "--workers is 2 without --fresh. Give --fresh" in result.stderr
    assert not (tmp_path / "out").exists()


FEW_STEPS = """
initial_batches = 2
pairs = 2
windows = 16
image_steps = 1
region_steps = 1
settle_pairs = 2
settle_steps = 1
evaluate_every = 1
"""


def pictures(folder, count: int, rng: np.random.Generator) -> None:
    """Write pictures of noise."""
    folder.mkdir(parents=True)
    for number in range(count):
        values = rng.integers(0, 255, (40, 40), np.uint8)
        Image.fromarray(values).resize((160, 160)).save(folder / f"{number}.png")


@pytest.mark.slow
def test_pictures_that_a_table_gives_one_patient_are_held_out_together(tmp_path, monkeypatch):
    patients, each, labels = 10, 3, ("x", "y")
    rng, lines = np.random.default_rng(0), ["path,label,patient"]
    for label in labels:
        pictures(tmp_path / label, patients * each, rng)
        lines += [f"{label}/{n}.png,{label},P{n % patients}" for n in range(patients * each)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    for name, value in {"HOME": str(tmp_path / "home"), "MODEL_DIR": "thumbnail", "REDIS_URL": ""}.items():
        monkeypatch.setenv(f"HMAR_{name}", value)
    index = ["index", str(tmp_path), "--collection", "films", "--labels", str(tmp_path / "labels.csv")]
    assert CliRunner().invoke(main, index).exit_code == 0
    config = PRESETS["archive"]
    volumes = gather(Sources([], "films", None), config, lambda *_: None).volumes
    found = ImageLabels.of_slices(volumes, config)
    assert np.unique(found.patient, return_counts=True)[1].tolist() == [each * len(labels)] * patients
    held = found.held_out()
    assert sorted(set(found.patient[held]) & set(found.patient[~held])) == []
    assert held.sum() == each * len(labels)


@pytest.mark.slow
def test_labelled_pictures_train_a_model_that_the_product_serves(tmp_path, monkeypatch):
    open_ct = pytest.importorskip("hmar.training.data.open_ct", reason="the extra 'train' is not installed")
    torch.manual_seed(0)
    monkeypatch.setattr(open_ct, "fetch_backbone", lambda *_: None)  # 13 MB from the package index
    monkeypatch.setattr(open_ct, "published_backbone", lambda _: Lite0Backbone().eval().requires_grad_(False))
    home = {"HMAR_HOME": str(tmp_path / "home"), "HMAR_REDIS_URL": "", "COLUMNS": "120"}

    def hmar(*arguments: object, **environment: str) -> str:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], env=home | environment)
        assert result.exit_code == 0, result.output
        return result.output

    rng = np.random.default_rng(0)
    for label in ("fracture of Smith", "no finding"):
        pictures(tmp_path / label, 9, rng)
        hmar("index", tmp_path / label, "--collection", "films", "--label", label)
    settings, out = tmp_path / "few.toml", tmp_path / "our-films"
    settings.write_text(FEW_STEPS)
    said = hmar("train", settings, "--archive", "films", "--out", out, "--views", "2", "--device", "cpu")
    assert "our-films: model " in said
    text = (out / CARD).read_text()
    assert "Backbone lite0, " in text
    assert "weights, kept as they are" in text
    assert "on labels of whole images alone" in text
    assert "| single images | OT | 18 | of each | none |" in text
    assert "18 images were labelled as a whole, with 2 labels" in text
    log = (out / "training.jsonl").read_text()
    steps = [json.loads(line) for line in log.splitlines()]
    assert {step["stage"] for step in steps} == {4}  # single pictures have no places
    assert all(step["losses"]["centres"] > 0 for step in steps)
    assert steps[-1]["validation"] is not None
    assert not any("Smith" in each for each in (said, text, log))
    anew = tmp_path / "anew"
    hmar("train", settings, "--archive", "films", "--out", anew, "--fresh", "--workers", 1, "--memory", 4)
    assert "on labels of whole images alone" in (anew / CARD).read_text()
    served = {"HMAR_MODEL_DIR": str(out), "HMAR_HOME": str(tmp_path / "served")}
    hmar("index", tmp_path / "no finding", **served)
    found = json.loads(hmar("search", tmp_path / "fracture of Smith" / "3.png", "--json", **served))
    assert {hit["model"] for hit in found["hits"]} == {"our-films"}
    assert len(found["hits"]) == 9


def invoke(home: Path, *arguments: object) -> Result:
    environment = {"HMAR_HOME": str(home), "HMAR_REDIS_URL": "", "COLUMNS": "160"}
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)


LIVER = {"Liver": {2: [[(3, 3), (25, 3), (25, 20), (3, 20)]]}}


@pytest.mark.slow
def test_a_dry_run_says_what_folders_hold_and_writes_nothing(tmp_path):
    ct_series(tmp_path / "a", 1)
    ct_series(tmp_path / "b" / "deeper", 2, slices=5)
    structure_set(tmp_path / "b" / "rt.dcm", 1, LIVER)
    (tmp_path / "b" / "notes.txt").write_text(PATIENT)
    files = sorted(tmp_path.rglob("*"))
    result = invoke(
        tmp_path / "home", "train", "--data", tmp_path / "a", "--data", tmp_path / "b", "--dry-run"
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "8 slices of 1 volumes, 0 single images, of 1 people",
        "1 structures labelled, on 1 slices and images",
        "0 labels of whole images, on 0 slices and images",
        "0 people are held out for validation",
        "1 files left out: neither an image nor a table",
        "1 series left out: fewer than 8 slices with position and spacing, and without label, box or mask",
    ]
    assert PATIENT not in result.output
    assert sorted(tmp_path.rglob("*")) == files


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--data", "a"], "--out is missing"), (["--data", "gone", "--out", "m"], "no folder")],
)
def test_folders_that_are_not_there_and_models_without_a_name_are_refused(
    arguments, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    ct_series(tmp_path / "a", 1)
    result = invoke(tmp_path / "home", "train", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "m").exists()


@pytest.mark.slow
def test_too_little_to_train_on_is_an_error_that_says_what_was_left_out(tmp_path):
    ct_series(tmp_path / "a", 1, slices=7)
    result = invoke(tmp_path / "home", "train", "--data", tmp_path / "a", "--out", tmp_path / "m")
    assert result.exit_code == 2
    assert "1 series left out: fewer than 8 slices" in result.output
    assert "There are 0 slices and images to train on; 8 are needed" in result.output


@pytest.mark.slow
def test_folders_train_a_model_whose_card_names_collections_and_no_patient(tmp_path, monkeypatch):
    open_ct = pytest.importorskip("hmar.training.data.open_ct", reason="the extra 'train' is not installed")
    torch.manual_seed(0)
    monkeypatch.setattr(open_ct, "fetch_backbone", lambda *_: None)  # 13 MB from the package index
    monkeypatch.setattr(open_ct, "published_backbone", lambda _: Lite0Backbone().eval().requires_grad_(False))
    data, out = tmp_path / "data", tmp_path / "ours"
    body = np.full((24, 32), 40.0)
    for series in (1, 2):
        ct_series(data / PATIENT / f"{series}", series, hu=body, PixelSpacing=[9.0, 9.0])
    ct_series(data / "other", 3, patient="another", hu=body, PixelSpacing=[9.0, 9.0])
    (data / "people.csv").write_text(
        "person,collection,series_instance_uid,licence,doi\n"
        f"{PATIENT},Kept,{series_uid(1)},CC BY 4.0,10.1/x\nanother,Kept,,CC BY 4.0,10.1/x\n"
    )
    (tmp_path / "few.toml").write_text(FEW_STEPS)
    arguments = ["train", tmp_path / "few.toml", "--data", data, "--out", out, "--views", "2"]
    result = invoke(tmp_path / "home", *arguments, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "24 slices of 3 volumes, 0 single images, of 2 people" in result.output
    text, manifest = (out / CARD).read_text(), (out / "data.json").read_bytes()
    assert "| Kept | 2 | 24 | CC BY 4.0 | 10.1/x |" in text
    assert hashlib.sha256(manifest).hexdigest() in text
    assert "Not for distribution" not in text
    written = b"".join(path.read_bytes() for path in out.iterdir()).decode("latin-1")
    assert PATIENT not in written + result.output
    assert "another" not in manifest.decode()


def scan_files(folder: Path, values: np.ndarray, labels: np.ndarray | None, names: tuple[str, ...]) -> None:
    """Write a CT volume (Z, Y, X) as NIfTI, with a mask and the names of its numbers where it has labels."""
    import nibabel as nib

    from tests.hmar.training.carrying.bodies import SPACING

    folder.mkdir(parents=True)
    affine = np.diag([*SPACING[::-1], 1.0])
    nib.save(nib.Nifti1Image(values.transpose(2, 1, 0), affine), folder / "ct.nii.gz")
    if labels is not None:
        nib.save(nib.Nifti1Image(labels.transpose(2, 1, 0) + np.int16(1), affine), folder / "labels.nii.gz")
        rows = [f"{number},{name}" for number, name in enumerate(("background", *names))]
        (folder / "names.csv").write_text("\n".join(["number,name", *rows]))


@pytest.mark.slow
def test_labels_are_carried_to_people_without_any_and_the_card_says_so(tmp_path, monkeypatch):
    open_ct = pytest.importorskip("hmar.training.data.open_ct", reason="the extra 'train' is not installed")
    from tests.hmar.training.carrying.bodies import STRUCTURES, atlas, patient

    torch.manual_seed(0)
    monkeypatch.setattr(open_ct, "fetch_backbone", lambda *_: None)  # 13 MB from the package index
    monkeypatch.setattr(open_ct, "published_backbone", lambda _: Lite0Backbone().eval().requires_grad_(False))
    data, out, home = tmp_path / "data", tmp_path / "ours", tmp_path / "home"
    body, (person, _) = atlas(), patient()
    shown = slice(8, 26)
    scan_files(data / "labelled", body.values[shown, ::-1], body.labels[shown, ::-1], STRUCTURES)
    scan_files(data / PATIENT, person.values[shown, ::-1], None, ())
    (tmp_path / "few.toml").write_text(FEW_STEPS)
    arguments = ["train", tmp_path / "few.toml", "--data", data, "--carry-labels"]
    planned = invoke(home, *arguments, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "1 CT volumes without labels may get those of 1 others: 1 maps to find, about 1 minutes" in (
        planned.stdout
    )
    arguments += ["--out", out, "--views", "2", "--device", "cpu"]
    result = invoke(home, *arguments)
    assert result.exit_code == 0, result.output
    said = "Labels of structures were carried by registration to 1 CT volumes of 1 people, from scan of CT "
    assert said in (out / CARD).read_text()
    assert said in result.output.replace("\n", " ")
    assert "0 maps to find" in invoke(home, *arguments[:5], "--dry-run").stdout
    assert PATIENT not in result.output + (out / CARD).read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "open-ct"], "settings that learn no labels. Give --preset structures"),
        (["--preset", "structures"], "No CT volume of 100 mm or more has labels of structures"),
    ],
)
def test_labels_that_nobody_has_or_learns_are_not_carried(arguments, message, tmp_path):
    ct_series(tmp_path / "a", 1)
    result = invoke(
        tmp_path / "home", "train", "--data", tmp_path / "a", "--carry-labels", *arguments, "--dry-run"
    )
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")
