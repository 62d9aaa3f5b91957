"""The loss on labels of whole images: for Expert0 on the whole image, for Expert1 on attended windows."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from hmar.model.config import PARTS
from hmar.model.experts import LocalExpert
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL
from hmar.training.losses.context import Context, Seen
from hmar.training.losses.functional.centre import centre_loss
from hmar.training.losses.functional.label_contrast import supervised_contrastive
from hmar.training.losses.functional.nested import code_lengths, nested
from hmar.training.losses.functional.window_contrast import region_contrastive
from hmar.training.losses.loss import Loss
from hmar.training.losses.window_attention import WindowAttention

_HIDDEN = 64
"""Width of the attention over windows, half the 128 of the paper."""

_WINDOWS = 6
"""Windows of an image that are compared with those of others: most of any more would show something else."""

_EXPERTS = 2
"""Gates of an image sum to 1: times two, an even gate leaves each expert's loss as it is."""

_LEAST_ATTENTION = 1e-6
"""Added to every window's attention before drawing: as many must be above 0 as are drawn."""


class ImageLabelLoss(Loss):
    """Class centres and contrast over images that were labelled as a whole.

    A lesion is local: Expert1 learns a label from the mean of an image's windows, weighted by attention.
    Positives are images of one label and of different patients, and windows of such images that are each
    other's nearest. The gate weighs the class centres of the two experts.

    Parameters
    ----------
    codes : Tensor, shape (labels, bits)
        -1 or 1.
    inputs : int
        Width of a pooled window.
    config : TrainingConfig
    """

    name: ClassVar[str] = "labels"
    directions: Tensor

    def __init__(self, codes: Tensor, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        self._config, self._count, self._lengths = config, len(codes), code_lengths(config.short_share)
        self.attention = WindowAttention(inputs, _HIDDEN)
        self.register_buffer("directions", codes)

    @classmethod
    def of(cls, context: Context) -> Self | None:
        """Build the loss; None where there are no labels to learn."""
        if not context.labels.count:
            return None
        return cls(context.label_codes, context.network.config.width * PARTS**2, context.config)

    def weight(self, *, regions: bool) -> float:  # noqa: ARG002 - the same in every stage
        """Return the larger of its two weights."""
        return max(self._config.structure_weight, self._config.structure_contrast)

    def state(self) -> dict[str, Any]:
        """Return the attention's weights."""
        return self.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state` returned."""
        self.load_state_dict(state)

    def forward(self, seen: Seen) -> Tensor:
        """Return the loss of a batch's images, each view by itself."""
        views = np.concatenate([seen.batch.first, seen.batch.second])
        labels, device = seen.context.labels, seen.maps.device
        return self.of_images(
            seen.image.logits,
            seen.windows.reshape(len(views), -1, seen.windows.shape[1]),
            seen.context.network.local_expert,
            seen.gate.repeat(2, 1),  # the two views of a pair share one
            torch.from_numpy(labels.label[views]).to(device),
            torch.from_numpy(labels.patient[views]).to(device),
            regions=seen.regions,
        )

    def of_images(
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
        chosen = torch.multinomial(attention.detach() + _LEAST_ATTENTION, count)  # (B, k)
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
        return (
            _EXPERTS * config.structure_weight * gated
            + config.structure_contrast * torch.stack(contrast).mean()
        )
