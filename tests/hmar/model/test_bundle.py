import shutil
from pathlib import Path

import pytest

from hmar.encoder import shipped_bundle
from hmar.errors import ModelError
from hmar.model.bundle import CARD, CONFIG, GOLDEN, SUMS, WEIGHTS, fingerprint, load_bundle, seal


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, CARD, GOLDEN])
def test_a_flipped_byte_anywhere_is_found(copy, name):
    path = copy / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, CARD, GOLDEN, SUMS])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_bundle(copy)


def test_another_format_is_refused_though_sealed(copy):
    config = copy / CONFIG
    config.write_text(config.read_text().replace("format = 1", "format = 99"))
    seal(copy)
    with pytest.raises(ModelError, match="format 99"):
        load_bundle(copy)


def test_weights_that_do_not_fit_the_configuration_are_refused_though_sealed(copy):
    config = copy / CONFIG
    config.write_text(config.read_text().replace("width = 64", "width = 32"))
    seal(copy)
    with pytest.raises(ModelError, match="cannot be read"):
        load_bundle(copy)


def test_the_fingerprint_is_of_configuration_and_weights_not_of_the_card(copy):
    before = fingerprint(copy)
    (copy / CARD).write_text("another card")
    assert fingerprint(copy) == before
    (copy / CONFIG).write_text((copy / CONFIG).read_text() + "# changed\n")
    assert fingerprint(copy) != before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        load_bundle(tmp_path / "nowhere")
