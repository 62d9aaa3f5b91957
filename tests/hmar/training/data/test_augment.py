import numpy as np
import pytest
import torch

from hmar.training.data.augment import (
    Augmentation,
    display_channels,
    vary_contrast,
    vary_noise,
    vary_sharpness,
)

VARIED = Augmentation()


def slice_of(*values: float) -> torch.Tensor:
    return torch.tensor(values).repeat(40, 1).repeat_interleave(20, dim=1)


@pytest.mark.parametrize("seed", range(6))
def test_contrast_changes_tissue_and_neither_air_nor_water(seed):
    values = slice_of(-1000.0, -200.0, 0.0, 150.0)
    varied = vary_contrast(values, None, VARIED, np.random.default_rng(seed))
    assert torch.equal(varied[:, :60], values[:, :60])
    assert not torch.equal(varied[:, 60:], values[:, 60:])
    assert float(varied.min()) == -1000


@pytest.mark.parametrize("seed", range(6))
def test_structures_are_changed_each_as_a_whole_and_never_pushed_below_water(seed):
    values = slice_of(60.0, 60.0, -900.0, 60.0)
    labels = torch.tensor([0, 1, 0, -1]).repeat(40, 1).repeat_interleave(20, dim=1)
    varied = vary_contrast(values, labels, VARIED, np.random.default_rng(seed))
    assert all(len(varied[:, start : start + 20].unique()) == 1 for start in (0, 20, 40, 60))
    assert float(varied[0, 40]) == -900
    assert float(varied[:, :40].min()) >= 5


@pytest.mark.parametrize("known", [0, -1, -2])
def test_what_nobody_has_labelled_is_varied_as_what_is_no_structure(known):
    values = slice_of(60.0, 60.0, -900.0, 60.0)
    open_, none = (
        torch.tensor([known, other, other, other]).repeat(40, 1).repeat_interleave(20, dim=1)
        for other in (-2, -1)
    )
    varied = [
        vary_contrast(values, labels, VARIED, np.random.default_rng(1))
        for labels in (open_, none.clamp(min=-1))
    ]
    assert torch.equal(*varied)
    assert not torch.equal(varied[0], values)


def test_coarser_pixels_keep_the_mean_and_lose_detail():
    torch.manual_seed(0)
    values = torch.randn(120, 120)
    seen = [vary_sharpness(values, (0.7, 0.7), VARIED, np.random.default_rng(seed)) for seed in range(12)]
    spread = np.array([float(image.std()) for image in seen])
    assert (spread == float(values.std())).any()
    assert spread.min() < 0.7
    assert max(abs(float(image.mean() - values.mean())) for image in seen) < 0.05


def test_noise_is_no_more_than_asked_for_and_drawn_by_the_generator():
    values = torch.zeros(200, 200)
    noisy = vary_noise(values, 2.0, VARIED, np.random.default_rng(3))
    assert 0 < float(noisy.std()) <= 2 * VARIED.noise_hu * 1.05
    assert torch.equal(noisy, vary_noise(values, 2.0, VARIED, np.random.default_rng(3)))


def test_the_display_is_varied_only_when_asked():
    values = slice_of(-1000.0, 40.0, 240.5, 3000.0)
    plain = display_channels(values, None, None)
    assert plain[0, 0, [0, 20, 40, 60]].tolist() == pytest.approx([0, 0.501, 1, 1], abs=0.002)
    assert not torch.equal(plain, display_channels(values, VARIED, np.random.default_rng(0)))
