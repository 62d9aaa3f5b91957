"""Exporting a copy of the shipped model again."""

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ModelError, NotFoundError
from hmar.model.bundle import CARD, TYPICALITY, fingerprint, verify
from hmar.model.serving.references import HU, PICTURES
from hmar.training.export import serving_form
from hmar.training.export.again import export_model
from hmar.training.export.golden import golden_difference, golden_frame
from hmar.training.typicality.places import Place
from hmar.training.typicality.summaries import Counted
from hmar.values.frames import Frame, Units
from tests.frames import frame_info

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path) -> Path:
    return Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))


def quiet(what: str, done: int, total: int) -> None:
    pass


def noise(seed: int) -> Frame:
    values = np.random.default_rng(seed).normal(0, 300, (96, 96)).astype(np.float32)
    return Frame(frame_info(96, 96, None, "CT"), values, Units.HU)


def places(count: int) -> list[Place]:
    return [Place(f"p{seed}", "CT", lambda seed=seed: noise(seed)) for seed in range(count)]


def test_what_typicality_is_measured_from_stays_unless_it_is_asked_for(model):
    before, card = (model / TYPICALITY).read_bytes(), (model / CARD).read_bytes()
    done = export_model(model, None, quiet)
    assert (model / TYPICALITY).read_bytes() == before
    assert (model / CARD).read_bytes() == card
    assert (done.fingerprint, done.fitted, done.tells) == (fingerprint(shipped_bundle()), None, True)
    verify(model)


def test_a_model_without_it_tells_none(model):
    (model / TYPICALITY).unlink()
    assert not export_model(model, None, quiet).tells
    assert not export_model(model, None, quiet).tells  # the file that is there now tells of no kind
    encoder = HmarEncoder.load(model)
    assert encoder.image_query(golden_frame()).typicality is None
    assert golden_difference(model / "golden.npz", encoder)[0] == 0


def test_it_is_measured_from_given_frames_and_nothing_else_and_codes_stay(model):
    done = export_model(model, places(9), quiet)
    assert done.fitted is not None
    assert done.fitted.fitted == {HU: Counted(9, 9), PICTURES: Counted(9, 9)}
    encoder, before = HmarEncoder.load(model), HmarEncoder.load(shipped_bundle())
    assert set(encoder.references.known) == {HU, PICTURES}
    assert encoder.fingerprint == before.fingerprint
    assert golden_difference(shipped_bundle() / "golden.npz", encoder)[0] == 0
    assert encoder.image_query(noise(99)).typicality > 0.01 > before.image_query(noise(99)).typicality
    assert "| HU | 9 frames of 9 people |" in (model / CARD).read_text()


def test_too_few_frames_are_refused_and_what_was_there_stays(model):
    before = (model / TYPICALITY).read_bytes()
    with pytest.raises(NotFoundError, match="Of 2 frames there are no 8 of one kind"):
        export_model(model, places(2), quiet)
    assert (model / TYPICALITY).read_bytes() == before
    verify(model)


def test_a_model_is_one_still_where_measuring_is_broken_off(model, monkeypatch):
    def other(path, graph):
        # Another version of the exporter writes other bytes: here, a field that readers pass over.
        path.write_bytes(path.read_bytes() + b"\xf8\x7f\x00")

    monkeypatch.setattr(serving_form, "export_backbone", other)
    monkeypatch.setattr(serving_form, "check_parity", lambda *_: None)

    def stopped(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_model(model, [Place("p", "CT", stopped)], quiet)
    verify(model)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"lacks config\.toml"):
        export_model(tmp_path, None, quiet)
