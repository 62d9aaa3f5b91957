"""What labels of whole images teach: Expert0 sees all of an image, Expert1 where its label speaks of it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from hmar.model.experts import LocalExpert
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.classmates import region_contrastive, supervised_contrastive
from hmar.training.losses.terms import centre_loss, code_lengths, nested
from hmar.training.losses.window_attention import WindowAttention

_HIDDEN = 64
_WINDOWS = 6
"""Windows of an image that are compared with those of others."""


class ImageLabelLoss(nn.Module):
    """Class centres and contrast over images that were labelled as a whole.

    A lesion is local: the label reaches Expert1 by the windows that attention chooses, whose mean has to tell
    it. Images of one label belong together where they are of different patients, and so do windows that are
    each other's nearest among theirs. The gate weighs the experts.

    Parameters
    ----------
    count : int
        Number of labels.
    inputs : int
        Width of a pooled window.
    config : TrainingConfig
    rng : numpy.random.Generator
        Draws the labels' codes.
    """

    directions: Tensor

    def __init__(self, count: int, inputs: int, config: TrainingConfig, rng: np.random.Generator) -> None:
        super().__init__()
        self._config, self._count, self._lengths = config, count, code_lengths(config.short_share)
        self.attention = WindowAttention(inputs, _HIDDEN)
        self.register_buffer("directions", nested_codes(count, self._lengths, rng))

    def forward(
        self,
        whole: Tensor,
        windows: Tensor,
        expert: LocalExpert,
        gate: Tensor,
        label: Tensor,
        patient: Tensor,
        *,
        regions: bool,
    ) -> Tensor:
        """Return the loss of B images; 0 where none is labelled.

        Parameters
        ----------
        whole : Tensor, shape (B, bits)
            Expert0's logits.
        windows : Tensor, shape (B, n, inputs)
            Windows of each image, pooled.
        expert : LocalExpert
            Expert1.
        gate : Tensor, shape (B, 2)
        label, patient : Tensor of int64, shape (B,)
        regions : bool
            Whether windows are compared with those of other images, too.
        """
        known = label != NO_LABEL
        if not bool(known.any()):
            return whole.new_zeros(())
        whole, windows, gate = whole[known], windows[known], gate[known]
        label, patient = label[known], patient[known]
        attention = self.attention(windows)
        local = expert(torch.einsum("bn,bnf->bf", attention, windows))
        drawn = expert(self._drawn(attention, windows)) if regions else None
        losses = [self._of_length(bits, whole, local, drawn, gate, label, patient) for bits in self._lengths]
        return nested(losses, self._config.short_share)

    def _drawn(self, attention: Tensor, windows: Tensor) -> Tensor:
        """Draw windows of each image by their attention: (B * k, inputs)."""
        count = min(_WINDOWS, windows.shape[1])
        chosen = torch.multinomial(attention.detach() + 1e-6, count)  # (B, k)
        return windows.gather(1, chosen[:, :, None].expand(-1, -1, windows.shape[2])).flatten(0, 1)

    def _of_length(
        self,
        bits: int,
        whole: Tensor,
        local: Tensor,
        drawn: Tensor | None,
        gate: Tensor,
        label: Tensor,
        patient: Tensor,
    ) -> Tensor:
        config = self._config
        target = nn.functional.one_hot(label, self._count).float()
        directions = nn.functional.normalize(self.directions[:, :bits], dim=1)
        experts = (whole[:, :bits], local[:, :bits])
        centre = [centre_loss(logits, target, directions, config.scale, config.margin) for logits in experts]
        contrast = [supervised_contrastive(logits, label, patient, config.temperature) for logits in experts]
        if drawn is not None:
            image = torch.arange(len(label), device=label.device).repeat_interleave(len(drawn) // len(label))
            contrast.append(region_contrastive(drawn[:, :bits], image, label, patient, config.temperature))
        gated = (gate * torch.stack(centre, dim=1)).sum(dim=1).mean()
        return 2 * config.structure_weight * gated + config.structure_contrast * torch.stack(contrast).mean()
