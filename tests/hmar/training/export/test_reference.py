import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.encoder import shipped_bundle
from hmar.model.serving.model import load_served
from hmar.training.data.served import slice_frame
from hmar.training.data.volumes import Volume, constant_regions
from hmar.training.export.reference import fit_reference, reference_of
from hmar.values.frames import Units


def test_distances_are_those_of_mahalanobis_with_shrunk_correlations():
    rng = np.random.default_rng(0)
    summaries = (rng.standard_normal((300, 4)) @ rng.standard_normal((4, 4))).astype(np.float32)
    reference = fit_reference(summaries, np.arange(300) % 3)
    deviation = summaries.std(axis=0, ddof=1)
    correlation = 0.7 * np.corrcoef(summaries.T) + 0.3 * np.eye(4)
    for point in summaries[:5]:
        z = (point - summaries.mean(axis=0)) / deviation
        expected = np.sqrt(z @ np.linalg.inv(correlation) @ z)
        found = np.linalg.norm((point - reference.mean) @ reference.whitening)
        assert found == pytest.approx(expected, rel=1e-3)


def test_a_scan_is_measured_from_the_others_and_not_from_its_own_slices():
    rng = np.random.default_rng(0)
    near, far = rng.standard_normal((50, 3)), rng.standard_normal((50, 3)) + 30
    reference = fit_reference(
        np.concatenate([near, near + 0.1, far]).astype(np.float32), np.arange(150) // 50
    )
    assert len(reference.distances) == 150
    assert (np.diff(reference.distances) >= 0).all()
    assert (reference.distances > 20).sum() == 50


def test_more_dimensions_than_frames_are_no_obstacle():
    summaries = np.random.default_rng(0).standard_normal((12, 40)).astype(np.float32)
    reference = fit_reference(summaries, np.arange(12) // 4)
    assert np.isfinite(reference.whitening).all()


def volume(name: str, modality: str, slices: int) -> Volume:
    values = np.random.default_rng(0).normal(40, 300, (slices, 70, 80)).astype(np.int16)
    return Volume(name, values, (3.0, 2.0, 1.5), modality, constant_regions(slices, "CHEST"))


def test_slices_are_looked_at_as_the_product_would():
    ct, mr = (slice_frame(volume("v", modality, 2), 1) for modality in ("CT", "MR"))
    assert ct.units is Units.HU
    assert (ct.info.rows, ct.info.columns, ct.info.spacing) == (70, 80, (2.0, 1.5))
    assert mr.units is Units.PRESENTATION
    assert (mr.values.min(), mr.values.max()) == (0, 1)


def test_a_single_scan_is_held_out_in_parts():
    told = []
    reference = reference_of(
        load_served(shipped_bundle()),
        [volume("only", "CT", 10)],
        lambda done, total: told.append((done, total)),
    )
    assert len(reference.distances) == 10
    assert told[-1] == (10, 10)
