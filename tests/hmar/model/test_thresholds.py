"""Thresholds of a model: read and written, and refused where they make no sense."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ModelError
from hmar.model.bundle import CONFIG, THRESHOLDS, WEIGHTS, fingerprint, read_info, seal, verify, write_config
from hmar.model.serving.model import load_served
from hmar.model.thresholds import (
    NAMES,
    ModalityThresholds,
    Thresholds,
    read_thresholds,
    threshold_name,
    write_thresholds,
)
from hmar.model.weights import load_bundle, load_weights, write_weights
from hmar.training.export.golden import golden_frame
from hmar.training.export.parity import check_parity, compare, served_logits, torch_logits
from hmar.values.codes import pack_logits

RANDOM = np.random.default_rng(8)


def some(scale: float = 0.3) -> Thresholds:
    return Thresholds(*(RANDOM.normal(0, scale, 128).astype(np.float32) for _ in range(2)))


def give(folder: Path, thresholds: ModalityThresholds) -> None:
    """Make a model one of format 2, sealed."""
    info = read_info(folder)
    write_config(folder, info.name, info.network, info.grid, info.windows, thresholds=True)
    write_thresholds(folder / THRESHOLDS, thresholds)
    seal(folder)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))


def test_what_was_written_is_read_and_equal_thresholds_make_an_equal_file(tmp_path):
    known = {"CT": some(), "UNKNOWN": some()}
    for name in ("one", "two"):
        write_thresholds(tmp_path / name, ModalityThresholds(known))
    read = read_thresholds(tmp_path / "one").known
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(read) == sorted(known)
    for name, one in known.items():
        assert np.array_equal(read[name].frame, one.frame)
        assert np.array_equal(read[name].windows, one.windows)


@pytest.mark.parametrize(
    ("modality", "name"),
    [("CT", "CT"), ("DX", "XR"), ("PT", "OTHER"), ("OT", "UNKNOWN"), ("", "UNKNOWN")],
)
def test_a_modality_has_the_thresholds_of_its_group_in_the_router(modality, name):
    known = {name: some() for name in NAMES}
    assert threshold_name(modality) == name
    assert ModalityThresholds(known).of(modality) is known[name]


def test_a_modality_without_thresholds_turns_its_bits_at_zero():
    zero = ModalityThresholds({"CT": some()}).of("MR")
    assert not zero.frame.any()
    assert not zero.windows.any()


def test_a_logit_that_equals_its_threshold_gives_0_and_the_short_code_stays_the_first_half():
    thresholds = np.linspace(-1, 1, 128, dtype=np.float32)
    above = np.nextafter(thresholds, np.float32(9))
    codes = pack_logits(np.stack([thresholds, above]), thresholds)
    assert not codes[0].any()
    assert (codes[1] == 255).all()
    logits = RANDOM.normal(0, 1, (5, 128)).astype(np.float32)
    expected = [[int(logit > limit) for logit, limit in zip(row, thresholds, strict=True)] for row in logits]
    assert np.array_equal(np.unpackbits(pack_logits(logits, thresholds), axis=1), expected)
    assert np.array_equal(pack_logits(logits, np.zeros(128, np.float32)), pack_logits(logits))


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        ({"CT.frame": np.zeros(128, np.float32)}, "cannot be read"),
        ({f"PET.{of}": np.zeros(128, np.float32) for of in ("frame", "windows")}, "names PET"),
        ({f"CT.{of}": np.zeros(64, np.float32) for of in ("frame", "windows")}, "128 finite numbers"),
        ({f"CT.{of}": np.full(128, np.nan, np.float32) for of in ("frame", "windows")}, "128 finite numbers"),
        ({f"CT.{of}": np.zeros(128, np.float32) for of in ("frame", "windows", "else")}, "names CT"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path, tensors, why):
    save_file(tensors, tmp_path / "thresholds")
    with pytest.raises(ModelError, match=why):
        read_thresholds(tmp_path / "thresholds")


def test_nonsense_is_refused_though_sealed(model):
    give(model, ModalityThresholds({"CT": some()}))
    (model / THRESHOLDS).write_bytes(b"nonsense")
    seal(model)
    for load in (load_bundle, load_served):
        with pytest.raises(ModelError, match="hmar adapt"):
            load(model)


def test_thresholds_make_another_model_and_are_sealed(model):
    before = fingerprint(model)
    give(model, ModalityThresholds({"CT": some()}))
    assert fingerprint(model) != before
    data = bytearray((model / THRESHOLDS).read_bytes())
    data[-1] ^= 1
    (model / THRESHOLDS).write_bytes(data)
    with pytest.raises(ModelError, match=THRESHOLDS):
        verify(model)
    (model / THRESHOLDS).unlink()
    with pytest.raises(ModelError, match=f"lacks {THRESHOLDS}"):
        verify(model)


def test_thresholds_that_nobody_sealed_are_refused(model):
    write_thresholds(model / THRESHOLDS, ModalityThresholds({"CT": some()}))
    with pytest.raises(ModelError, match=THRESHOLDS):
        load_served(model)


def test_a_model_of_format_2_without_thresholds_is_refused(model):
    config = model / CONFIG
    config.write_text(config.read_text().replace("format = 1", "format = 2"))
    seal(model)
    for load in (load_bundle, load_served):
        with pytest.raises(ModelError, match=THRESHOLDS):
            load(model)


def test_new_weights_in_a_folder_take_no_thresholds_over(model):
    give(model, ModalityThresholds({"CT": some()}))
    bundle = load_bundle(model)
    write_weights(model, "model", bundle.network, bundle.info.grid, bundle.info.windows)
    assert not (model / THRESHOLDS).exists()
    assert not read_info(model).has_thresholds


def test_thresholds_of_zero_change_no_code_and_others_only_those_of_their_modality(model):
    frame = golden_frame()
    plain = HmarEncoder.load(shipped_bundle()).encode(frame)
    zero = Thresholds(np.zeros(128, np.float32), np.zeros(128, np.float32))
    for known, same in (({"CT": zero}, True), ({"MR": some()}, True), ({"CT": some()}, False)):
        give(model, ModalityThresholds(known))
        encoded = HmarEncoder.load(model).encode(frame)
        assert np.array_equal(encoded.global_code, plain.global_code) == same
        assert np.array_equal(encoded.window_codes, plain.window_codes) == same


def test_a_query_has_the_thresholds_that_the_frame_itself_was_indexed_with(model):
    give(model, ModalityThresholds({"CT": some()}))
    encoder = HmarEncoder.load(model)
    encoded, query = encoder.encode(golden_frame()), encoder.image_query(golden_frame())
    assert np.array_equal(query.global_code, encoded.global_code)
    indexed = {code.tobytes() for code in encoded.window_codes}
    assert {code.tobytes() for code in query.window_codes} <= indexed


@pytest.mark.slow
def test_network_and_serving_form_give_the_same_bits_with_thresholds(model):
    bare = served_logits(load_served(shipped_bundle()), load_bundle(shipped_bundle()), golden_frame())
    medians = Thresholds(bare.frame + np.float32(0.01), np.median(bare.windows, axis=0))
    give(model, ModalityThresholds({"CT": medians}))
    served, bundle = load_served(model), load_bundle(model)
    parity = check_parity(served, bundle, golden_frame())
    assert parity.bits > 128
    shifted = served_logits(served, bundle, golden_frame())
    encoded = HmarEncoder(served).encode(golden_frame())
    assert np.array_equal(encoded.window_codes, pack_logits(shifted.windows))
    assert np.array_equal(encoded.global_code, pack_logits(shifted.frame))
    assert not encoded.global_code.any()


@pytest.mark.slow
def test_a_head_that_multiplies_rounding_still_has_a_serving_form_of_equal_codes(model):
    weights = load_file(model / WEIGHTS)
    for name in ("base", "spline"):
        weights[f"global_expert.head.kan.{name}"] *= np.float32(1e4)
    save_file(weights, model / WEIGHTS)
    own = torch_logits(load_weights(model), golden_frame(), torch.float64)
    give(
        model, ModalityThresholds({"CT": Thresholds(own.frame.astype(np.float32), np.zeros(128, np.float32))})
    )
    served, bundle = load_served(model), load_bundle(model)
    found = compare(torch_logits(bundle, golden_frame()), served_logits(served, bundle, golden_frame()))
    assert found.decided > 0  # the frame's logits are its thresholds: rounding alone tells their side
    assert check_parity(served, bundle, golden_frame()).decided == 0
