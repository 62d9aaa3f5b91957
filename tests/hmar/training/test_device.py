"""Losses on tensors of another device, which hold nothing: what mixes devices is refused, as on a GPU."""

import pytest
import torch

from hmar.training.losses.functional.bit_quality import bit_quality
from hmar.training.losses.functional.centre import centre_loss
from hmar.training.losses.functional.class_contrast import class_contrast
from hmar.training.losses.functional.contrastive import contrastive


@pytest.mark.parametrize("loss", [
    lambda logits, pairs: contrastive(logits, logits, pairs, 0.1),
    lambda logits, pairs: class_contrast(logits, pairs, ~pairs, 0.1),
    lambda logits, _: centre_loss(logits, logits[:, :3], logits[:3], 8.0, 0.2),
    lambda logits, _: bit_quality(logits),
])  # fmt: skip
def test_losses_stay_on_the_device_of_their_logits(loss):
    logits = torch.empty(6, 128, device="meta")
    pairs = torch.empty(6, 6, dtype=torch.bool, device="meta")
    assert loss(logits, pairs).device.type == "meta"
