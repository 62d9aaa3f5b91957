"""The losses of our model at image level: class centres, contrast, and bit statistics."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.peers.hmar.batches import MixedBatch
from benchmark.peers.hmar.network import Seen
from benchmark.peers.hmar.settings import HmarTraining
from hmar.training.losses.functional.centre import centre_loss
from hmar.training.losses.functional.gate_entropy import gate_entropy
from hmar.training.losses.functional.label_contrast import supervised_contrastive


def experts_loss(seen: Seen, batch: MixedBatch, directions: Tensor, config: HmarTraining) -> Tensor:
    """Return the class-centre losses of both experts, weighted by the gate, and of the fused logits.

    The gate's entropy is subtracted. A supervised contrastive loss is added where the images of a batch were
    not mixed with those of other classes.

    Parameters
    ----------
    seen : Seen
    batch : MixedBatch
    directions : Tensor, shape (classes, bits)
        The classes' codes, scaled to length 1.
    config : HmarTraining
    """
    whole, local, fused = (
        centre_loss(logits, batch.target, directions, config.scale, config.margin)
        for logits in (seen.whole, seen.local, seen.fused)
    )
    gate = seen.gate
    loss: Tensor = (gate[:, 0] * whole + gate[:, 1] * local + fused).mean()
    loss = loss - config.gate_entropy * gate_entropy(gate)
    if not batch.mixed:
        contrast = supervised_contrastive(seen.fused, batch.labels, batch.groups, config.temperature)
        loss = loss + config.contrast * contrast
    return loss


def balance(logits: Tensor) -> Tensor:
    """Return the mean square imbalance of the soft bits over the batch; 0 where each is set in half of it."""
    return torch.tanh(logits).mean(dim=0).square().mean()


def quantisation(logits: Tensor) -> Tensor:
    """Return the quantisation loss: the mean square distance of logits to -1 or 1 (Zhu et al., AAAI 2016)."""
    return (logits.abs() - 1).square().mean()
