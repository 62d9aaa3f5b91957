"""The router: modality, then body region, then how much each expert counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hmar.model.tags import MODALITIES, REGIONS


@dataclass(frozen=True, slots=True)
class Routing:
    """The router's outputs for a batch of frames.

    ``modality`` (B, 5) and ``region`` (B, 6) are the logits of its own classification; ``gate`` (B, 2) are
    the weights of (global, local), each row summing to 1.
    """

    modality: Tensor
    region: Tensor
    gate: Tensor


class Router(nn.Module):
    """Weights the experts by modality and body region, from tags or, where those lack, its own reading."""

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, hidden), nn.SiLU())
        self.modality = nn.Linear(hidden, len(MODALITIES))
        self.region = nn.Linear(hidden + len(MODALITIES), len(REGIONS))
        self.gate = nn.Linear(hidden + len(MODALITIES) + len(REGIONS), 2)

    def forward(self, feature_map: Tensor, modality: Tensor, region: Tensor) -> Routing:
        """Route a batch.

        Parameters
        ----------
        feature_map : Tensor, shape (B, C, h, w)
        modality, region : Tensor of int64, shape (B,)
            Indices from the tags, -1 where unknown.
        """
        feature = self.trunk(feature_map.mean(dim=(2, 3)))  # (B, hidden)
        modality_logits = self.modality(feature)
        known_modality = _tag_or_reading(modality, modality_logits)
        region_logits = self.region(torch.cat([feature, known_modality], dim=1))
        known_region = _tag_or_reading(region, region_logits)
        gate = self.gate(torch.cat([feature, known_modality, known_region], dim=1)).softmax(dim=1)
        return Routing(modality_logits, region_logits, gate)


def _tag_or_reading(tag: Tensor, logits: Tensor) -> Tensor:
    one_hot = nn.functional.one_hot(tag.clamp(min=0), logits.shape[1]).to(logits.dtype)
    return torch.where((tag >= 0)[:, None], one_hot, logits.softmax(dim=1))
