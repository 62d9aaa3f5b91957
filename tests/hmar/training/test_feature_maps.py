import numpy as np
import torch

from hmar.training.feature_maps import FeatureMaps
from tests.hmar.training.tiny import plain_volumes, tiny_backbone, views_of

CHOSEN = np.array([3, 17, 3])


def maps_and_backbone():
    views = views_of(plain_volumes())
    return FeatureMaps(views, torch.device("cpu")), tiny_backbone(), views


def test_maps_are_the_tail_of_what_the_stem_left():
    maps, backbone, views = maps_and_backbone()
    assert torch.allclose(maps(CHOSEN, backbone), backbone.tail(views.maps[CHOSEN].float()), atol=1e-6)


def test_maps_that_are_cached_no_longer_follow_the_backbone():
    maps, backbone, _ = maps_and_backbone()
    before = maps(CHOSEN, backbone)
    maps.cache(backbone)
    torch.nn.init.zeros_(backbone.last.weight)
    after = maps(CHOSEN, backbone)
    assert torch.allclose(after, before, atol=1e-3)  # kept in half precision
    assert before.std() > 0.01


def test_features_are_those_of_cells_that_show_something():
    maps, backbone, views = maps_and_backbone()
    found = maps.of_content(CHOSEN, backbone)
    assert found.shape == (int(views.content[CHOSEN].sum()), backbone.channels)
    first = maps(CHOSEN[:1], backbone)[0, :, 0, 0]
    assert torch.equal(found[0], first)
