"""Which images and windows of a batch may be pushed apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.data.pairs import PairConfig, PairSampler
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.losses import context
from hmar.training.losses.context import Compared, Context, Seen
from tests.hmar.training.tiny import NETWORK, labelled_volumes, views_of

CONFIG = TrainingConfig()


def test_images_and_windows_that_belong_together_are_not_pushed_apart(tiny_backbone_is_known, monkeypatch):
    data, rng = labelled_volumes(), np.random.default_rng(0)
    views = views_of(data)
    labels = ImageLabels.of(views, data, CONFIG)
    network = HmarNetwork(NETWORK)
    made = Context.of(network, CONFIG, views, data, labels, rng, torch.device("cpu"))
    drawn = PairSampler(views, data, PairConfig(views=4, windows=6), rng, labels=labels).draw()
    apart = []

    def compared(logits, negative, _config):
        apart.append(negative)
        return Compared(logits, (), ())

    monkeypatch.setattr(context.Compared, "of", compared)
    # Volumes 0, 1, 3, 2 of patients 0, 0, 1, 1 with labels 0, none, 1, 0; beside them of volumes 0, 1, 0, 2
    # with labels none, none, 1, 0. All windows lie in volumes of their own and show no structure.
    place = drawn.place.copy()
    place[:, 0] = np.arange(len(place))
    nowhere = np.full(len(place), -1)
    batch = replace(
        drawn,
        first=np.array([0, 12, 36, 28]),
        second=np.array([8, 12, 4, 28]),
        place=place,
        first_label=nowhere,
        second_label=nowhere,
    )
    seen = Seen(made, torch.rand(8, 16, CANVAS_CELLS, CANVAS_CELLS), batch, regions=True)
    assert seen.windows_compared.logits.shape == (2 * len(place), 128)
    images, windows = apart
    # Kept together: one patient's two scans (0 and 1, 3 and 2), and labels alike across patients.
    together = torch.tensor(
        [[False, True, False, True], [True, False, True, False], [False, False, True, True], [False] * 4]
    )
    assert images.tolist() == [
        [False, False, True, False],
        [False, False, False, True],
        [True, True, False, False],
        [True, True, True, False],
    ]
    of_view = torch.arange(4).repeat_interleave(len(place) // 4)
    kept = together[of_view][:, of_view] | torch.eye(len(place), dtype=torch.bool)
    assert torch.equal(~windows, kept)


def test_windows_that_overlap_in_the_body_are_not_pushed_apart(tiny_backbone_is_known, monkeypatch):
    data, rng = (
        [replace(volume, image_labels=None) for volume in labelled_volumes()[:1]],
        np.random.default_rng(0),
    )
    views = views_of(data)
    labels = ImageLabels.of(views, data, CONFIG)
    made = Context.of(HmarNetwork(NETWORK), CONFIG, views, data, labels, rng, torch.device("cpu"))
    drawn = PairSampler(views, data, PairConfig(views=1, windows=3), rng, labels=labels).draw()
    apart = []
    monkeypatch.setattr(
        context.Compared, "of", lambda logits, negative, _: apart.append(negative) or Compared(logits, (), ())
    )
    place = np.array([[0, 0, 0, 0], [0, 30, 0, 0], [0, 0, 0, 90.0]])  # 30 mm and 90 mm away
    batch = replace(drawn, place=place, side_mm=np.full(3, 96.0), first_label=np.full(3, -1))
    assert (
        len(
            Seen(
                made, torch.rand(2, 16, CANVAS_CELLS, CANVAS_CELLS), batch, regions=True
            ).windows_compared.logits
        )
        == 6
    )
    assert apart[1].int().tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
