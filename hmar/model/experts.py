"""The two experts: the whole image, and every window of it, both from one feature map."""

from __future__ import annotations

from torch import Tensor, nn

from hmar.model.config import PARTS
from hmar.model.hash_head import HashHead


def pool(feature_map: Tensor, row_weights: Tensor, column_weights: Tensor) -> Tensor:
    """Pool windows from a feature map by separable area weights.

    Parameters
    ----------
    feature_map : Tensor, shape (C, h, w)
    row_weights : Tensor, shape (R * 3, h)
    column_weights : Tensor, shape (S * 3, w)
        As :func:`hmar.image.windows.cover` returns them for R rows and S columns of windows.

    Returns
    -------
    Tensor, shape (R, S, C * 9)
    """
    channels = feature_map.shape[0]
    rows, columns = row_weights.shape[0] // PARTS, column_weights.shape[0] // PARTS
    pooled = row_weights @ feature_map @ column_weights.T  # (C, R * 3, S * 3)
    parts = pooled.reshape(channels, rows, PARTS, columns, PARTS)
    return parts.permute(1, 3, 0, 2, 4).reshape(rows, columns, channels * PARTS * PARTS)


class LocalExpert(nn.Module):
    """Expert1: one head shared by windows of every size and place, without positional encoding."""

    def __init__(self, channels: int, width: int, head: HashHead) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, width, 1)
        self.head = head

    def map(self, backbone_map: Tensor) -> Tensor:
        """(B, C, h, w) -> the map that windows are pooled from, (B, width, h, w)."""
        projected: Tensor = self.project(backbone_map)
        return projected

    def seen(self, windows: Tensor) -> Tensor:
        """Pooled windows (N, width * 9) -> the head's input (N, width * 9): here, all of them unchanged."""
        return windows

    def forward(self, windows: Tensor) -> Tensor:
        """Pooled windows (N, width * 9) -> logits (N, bits)."""
        logits: Tensor = self.head(self.seen(windows))
        return logits


class GlobalExpert(nn.Module):
    """Expert0: the whole frame, pooled on 3x3 parts."""

    def __init__(self, channels: int, width: int, head: HashHead) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, width, 1)
        self.head = head

    def pool(self, backbone_map: Tensor) -> Tensor:
        """(B, C, h, w) -> feature of the frame, (B, width * 9)."""
        return nn.functional.adaptive_avg_pool2d(self.project(backbone_map), PARTS).flatten(1)

    def forward(self, backbone_map: Tensor) -> Tensor:
        """(B, C, h, w) -> logits (B, bits)."""
        logits: Tensor = self.head(self.pool(backbone_map))
        return logits
