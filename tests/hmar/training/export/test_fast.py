"""The fast form of a small model: what is written, what stays, and what is refused."""

from pathlib import Path

import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.encoder import HmarEncoder
from hmar.errors import ConfigError, ModelError, UnavailableError
from hmar.model.bundle import CARD, GOLDEN, TYPICALITY, fingerprint, read_info, seal
from hmar.model.serving.typicality import read_reference
from hmar.training.export import fast as module
from hmar.training.export.fast import export_fast
from hmar.training.export.golden import golden_difference, golden_frame
from tests.hmar.training.tiny import NETWORK, plain_volumes
from tests.models import write_model


def quiet(*_: object) -> None:
    """Report no progress."""


@pytest.fixture
def model(tiny_backbone_is_known, monkeypatch, tmp_path) -> Path:
    """Return a small model, and let nothing be fetched."""
    monkeypatch.setattr(module, "fetch_open_ct", lambda _folder, _report: None)
    monkeypatch.setattr(module, "load_open_ct", lambda _folder: plain_volumes())
    write_model(tmp_path / "small", NETWORK)
    (tmp_path / "small" / CARD).write_text("# small\n\nMade by hand.\n")
    seal(tmp_path / "small")
    return tmp_path / "small"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_the_fast_form_serves_its_golden_codes_and_the_model_stays_as_it_is(model, tmp_path):
    before, out = contents(model), tmp_path / "small-fast"
    written = export_fast(model, out, tmp_path, quiet)
    assert contents(model) == before
    encoder = HmarEncoder.load(out)  # which checks that the folder is sealed
    assert (encoder.name, encoder.fingerprint) == ("small-fast", written)
    assert written == fingerprint(out) != fingerprint(model)
    # 256 pixels of 1.4 mm are 358 mm: 23 cells of 16 mm, hence 22 x 22 of the smallest windows at most.
    ids = encoder.encode(golden_frame()).window_ids
    assert 0 < (ids >> 28 == 0).sum() <= 22**2
    assert golden_difference(out / GOLDEN, encoder)[0] == 0
    assert len(read_reference(out / TYPICALITY).distances) == sum(len(v.values) for v in plain_volumes())


@pytest.mark.slow
def test_the_card_says_what_the_form_is_of_and_what_it_loses(model, tmp_path):
    export_fast(model, tmp_path / "small-fast", tmp_path, quiet)
    card = (tmp_path / "small-fast" / CARD).read_text()
    assert card.startswith("# small-fast\n\n## Fast form\n")
    assert f"small ({read_info(model).fingerprint})" in card
    assert "less often" in card
    assert card.endswith("\n\nMade by hand.\n")
    assert "# small\n" not in card


def test_a_folder_that_holds_something_is_left_alone(model, tmp_path):
    out = tmp_path / "taken"
    out.mkdir()
    (out / "file").touch()
    with pytest.raises(ConfigError, match="taken is there already"):
        export_fast(model, out, tmp_path, quiet)
    assert [path.name for path in out.iterdir()] == ["file"]


def test_what_cannot_be_fetched_leaves_no_folder(model, tmp_path, monkeypatch):
    def unreachable(_folder, _report):
        raise UnavailableError("No network.", "Try again.")

    monkeypatch.setattr(module, "fetch_open_ct", unreachable)
    with pytest.raises(UnavailableError):
        export_fast(model, tmp_path / "fast", tmp_path, quiet)
    assert not (tmp_path / "fast").exists()


def test_an_altered_model_is_refused_and_nothing_is_written(model, tmp_path):
    (model / CARD).write_text("altered")
    with pytest.raises(ModelError, match=r"CARD\.md does not match"):
        export_fast(model, tmp_path / "fast", tmp_path, quiet)
    assert not (tmp_path / "fast").exists()
