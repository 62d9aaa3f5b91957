"""Supervised contrast between images of one label, of different patients."""

from __future__ import annotations

from torch import Tensor

from hmar.training.losses.functional.class_contrast import class_contrast


def same_label_pairs(labels: Tensor, groups: Tensor) -> Tensor:
    """Return (B, B) of bool: same label, other group; that slices of one scan are alike needs no learning."""
    return (labels[:, None] == labels) & (groups[:, None] != groups)


def supervised_contrastive(logits: Tensor, labels: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss (Khosla et al., NeurIPS 2020) with positives of other groups.

    Images of the same label and group are neither positives nor negatives; images without a positive in the
    batch are left out.

    Parameters
    ----------
    logits : Tensor, shape (B, bits)
    labels, groups : Tensor of int64, shape (B,)
    temperature : float

    Returns
    -------
    Tensor, scalar
        0 where no image has a positive.
    """
    return class_contrast(logits, same_label_pairs(labels, groups), labels[:, None] != labels, temperature)
