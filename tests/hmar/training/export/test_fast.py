"""The fast form of a small model: what is written, what stays, and what is refused."""

from pathlib import Path

import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.encoder import HmarEncoder
from hmar.errors import ConfigError, ModelError, NotFoundError
from hmar.model.bundle import CARD, GOLDEN, fingerprint, read_info, seal, verify
from hmar.training.export.fast import export_fast
from hmar.training.export.golden import golden_difference, golden_frame
from hmar.training.typicality.places import places_of_volumes
from tests.hmar.training.tiny import NETWORK, scan
from tests.models import write_model


def quiet(*_: object) -> None:
    """Report no progress."""


@pytest.fixture
def model(tiny_backbone_is_known, tmp_path) -> Path:
    """Return a small model."""
    write_model(tmp_path / "small", NETWORK)
    card = "# small\n\nMade by hand.\n\n## Typicality\nOf its own frames.\n"
    (tmp_path / "small" / CARD).write_text(card)
    seal(tmp_path / "small")
    return tmp_path / "small"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_the_fast_form_serves_its_golden_codes_and_the_model_stays_as_it_is(model, tmp_path):
    before, out = contents(model), tmp_path / "small-fast"
    written = export_fast(model, out, places_of_volumes([scan("one"), scan("two")]), quiet)
    assert contents(model) == before
    encoder = HmarEncoder.load(out)  # which checks that the folder is sealed
    assert (encoder.name, encoder.fingerprint) == ("small-fast", written.fingerprint)
    assert written.fingerprint == fingerprint(out) != fingerprint(model)
    # 256 pixels of 1.4 mm are 358 mm: 23 cells of 16 mm, hence 22 x 22 of the smallest windows at most.
    ids = encoder.encode(golden_frame()).window_ids
    assert 0 < (ids >> 28 == 0).sum() <= 22**2
    assert golden_difference(out / GOLDEN, encoder)[0] == 0
    assert encoder.image_query(golden_frame()).typicality is not None


@pytest.mark.slow
def test_the_card_says_what_the_form_is_of_and_what_it_loses(model, tmp_path):
    export_fast(model, tmp_path / "small-fast", None, quiet)
    card = (tmp_path / "small-fast" / CARD).read_text()
    assert card.startswith("# small-fast\n\n## Fast form\n")
    assert f"small ({read_info(model).fingerprint})" in card
    assert "of the first hits" in card
    assert card.endswith("\n\nMade by hand.\n\n## Typicality\nOf its own frames.\n")
    assert "# small\n" not in card


def test_a_folder_that_holds_something_is_left_alone(model, tmp_path):
    out = tmp_path / "taken"
    out.mkdir()
    (out / "file").touch()
    with pytest.raises(ConfigError, match="taken is there already"):
        export_fast(model, out, None, quiet)
    assert [path.name for path in out.iterdir()] == ["file"]


@pytest.mark.slow
def test_what_cannot_be_finished_leaves_no_folder_so_that_the_command_can_be_given_again(model, tmp_path):
    out = tmp_path / "fast"
    with pytest.raises(NotFoundError, match="Of 0 frames there are no 8"):
        export_fast(model, out, [], quiet)
    assert not out.exists()
    export_fast(model, out, None, quiet)
    verify(out)


def test_an_altered_model_is_refused_and_nothing_is_written(model, tmp_path):
    (model / CARD).write_text("altered")
    with pytest.raises(ModelError, match=r"CARD\.md does not match"):
        export_fast(model, tmp_path / "fast", None, quiet)
    assert not (tmp_path / "fast").exists()
