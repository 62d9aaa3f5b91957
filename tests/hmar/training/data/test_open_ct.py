from pathlib import Path

import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone, SmoothLite0Backbone
from hmar.training.config import PRESETS
from hmar.training.data import open_ct


@pytest.mark.slow
def test_a_backbone_that_stays_as_published_strides_behind_blurs_and_one_that_is_trained_does_not(
    tmp_path: Path,
):
    published = Lite0Backbone()
    (tmp_path / "trunk").mkdir()
    torch.save(published.state_dict(), tmp_path / "trunk" / open_ct._WEIGHTS)
    kept, trained = (open_ct.load_backbone(tmp_path, PRESETS[name]) for name in ("open-ct", "structures"))
    assert (type(kept), type(trained)) == (SmoothLite0Backbone, Lite0Backbone)
    for name, weights in published.state_dict().items():
        assert torch.equal(kept.state_dict()[name], weights)
        assert torch.equal(trained.state_dict()[name], weights)
