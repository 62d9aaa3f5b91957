from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hmar.encoder import shipped_bundle
from hmar.errors import ConfigError, ModelError, NotFoundError
from hmar.known_models import KnownModels
from hmar.model.bundle import CARD, seal, verify
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.models import ModelName

SHIPPED = "hmar-ct-128"
BASELINE = ThumbnailEncoder()


@pytest.fixture
def known(tmp_path: Path) -> KnownModels:
    return KnownModels(tmp_path / "models")


def another(folder: Path, name: str = "another") -> Path:
    """Write a model that is the shipped one under another name, and so another model."""
    shutil.copytree(shipped_bundle(), folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace(f'"{SHIPPED}"', f'"{name}"'))
    seal(folder)
    return folder


def test_the_baseline_and_the_shipped_models_are_known_without_being_installed(known: KnownModels) -> None:
    names = [model.name for model in known.listed()]
    assert {SHIPPED, BASELINE.name} <= set(names)
    assert known.folder(known.named(SHIPPED).fingerprint) == shipped_bundle()
    assert known.folder(BASELINE.fingerprint) is None
    assert isinstance(known.encoder(BASELINE.fingerprint, 1), ThumbnailEncoder)


def test_a_model_is_installed_once_whole_and_found_by_what_it_is(tmp_path: Path, known: KnownModels) -> None:
    source = another(tmp_path / "source")
    model = known.install(source)
    assert model.name == "another"
    assert known.install(source) == model
    folder = tmp_path / "models" / model.fingerprint
    assert known.folder(model.fingerprint) == folder
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == sorted(
        [model.fingerprint, "lock"]
    )
    assert known.named("another") == known.named(model.fingerprint[:8]) == model
    assert known.encoder(model.fingerprint, 1).fingerprint == model.fingerprint
    shutil.rmtree(source)
    assert model in KnownModels(tmp_path / "models").listed()
    assert known.remove(model.fingerprint)
    assert not known.remove(model.fingerprint)
    assert not folder.exists()


def test_a_model_that_was_altered_is_not_installed(tmp_path: Path, known: KnownModels) -> None:
    source = another(tmp_path / "source")
    (source / CARD).write_text("something else")
    with pytest.raises(ModelError, match="checksum"):
        known.install(source)
    with pytest.raises(ModelError):
        known.install(tmp_path)
    assert not (tmp_path / "models").exists()


def test_a_model_that_was_damaged_since_is_installed_anew(tmp_path: Path, known: KnownModels) -> None:
    source = another(tmp_path / "source")
    model = known.install(source)
    (tmp_path / "models" / model.fingerprint / CARD).write_text("something else")
    with pytest.raises(ModelError, match="checksum"):
        known.encoder(model.fingerprint, 1)
    assert known.install(source) == model
    verify(tmp_path / "models" / model.fingerprint)
    assert {path.name for path in (tmp_path / "models").iterdir()} == {model.fingerprint, "lock"}


def test_the_model_of_the_settings_is_installed_before_they_name_another(tmp_path: Path) -> None:
    chosen = another(tmp_path / "chosen")
    root = tmp_path / "models"
    model = KnownModels(root, chosen).install(chosen)
    assert KnownModels(root).folder(model.fingerprint) == root / model.fingerprint


def test_a_folder_under_the_name_of_another_model_is_not_that_one(tmp_path: Path, known: KnownModels) -> None:
    model = known.install(another(tmp_path / "source"))
    wrong = "0" * 32
    (tmp_path / "models" / model.fingerprint).rename(tmp_path / "models" / wrong)
    for fingerprint in (wrong, "../source", ""):
        with pytest.raises(ModelError, match="hmar models install"):
            known.folder(fingerprint)


def test_the_model_of_the_settings_is_known_too(tmp_path: Path) -> None:
    chosen = another(tmp_path / "chosen")
    known = KnownModels(None, chosen)
    assert known.folder(known.named("another").fingerprint) == chosen
    with pytest.raises(ConfigError, match="in memory"):
        known.install(another(tmp_path / "third", "third"))
    assert not known.remove("0" * 32)


def test_a_name_that_is_none_or_of_several_is_refused(known: KnownModels) -> None:
    several = [ModelName("ab" * 16, "twice"), ModelName("ac" * 16, "twice"), ModelName("b" * 32, "")]
    assert known.named("ab", several) == several[0]
    for text in ("twice", "a", "nothing", "", "../x"):
        with pytest.raises(NotFoundError):
            known.named(text, several)
    for fingerprint in ("../other", "x"):
        with pytest.raises(NotFoundError):
            known.remove(fingerprint)


def test_a_model_has_its_card_and_one_without_says_so(tmp_path: Path) -> None:
    chosen = another(tmp_path / "chosen")
    known = KnownModels(None, chosen)
    assert known.card(known.named(SHIPPED).fingerprint) == (shipped_bundle() / CARD).read_text()
    assert "baseline without learning" in known.card(BASELINE.fingerprint)
    (chosen / CARD).write_bytes("Größe".encode("latin-1"))
    assert known.card(known.named("another").fingerprint) == "Gr\ufffd\ufffde"
    (chosen / CARD).unlink()
    with pytest.raises(NotFoundError, match="no card"):
        known.card(known.named("another").fingerprint)
    for fingerprint in ("0" * 32, "../x", "x" * 5000):
        with pytest.raises(NotFoundError, match="is not here") as raised:
            known.card(fingerprint)
        assert len(raised.value.detail) < 200
