"""Heads initialised in closed form, to discriminative components and ITQ, so that they retrieve untrained.

Random heads would first discard what the backbone's features tell apart; from this start, training only has
to improve on the codes of iterative quantisation (Gong & Lazebnik, CVPR 2011).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hmar.model.hash_head import HashHead
from hmar.training.heads.code_layer import code_layer
from hmar.training.heads.itq import itq, random_rotation

_SHRINKAGE = 0.3
"""Share of the mean variance that is added to that within places: a covariance of a few thousand windows has
directions of almost no variance, which discriminant analysis would otherwise take for the best."""

_LEAST_DEVIATION = 1e-3
"""A channel that hardly varies is not scaled up beyond this: it would be rounding noise."""

_LEAST_RATIO = 1e-9
"""Ratios of variances, which rounding can leave a little below 0, count as this at least."""

_SCALE_POWER = -0.25
"""Components are scaled by this power of their ratio of variances: halfway between -1/2, which gives all
of them the same variance, and 0, which gives each its own."""

_LOGIT_SCALE = 4.0
"""What the first logits are multiplied by: losses see their tanh, then near -1 or 1 for most bits."""


@torch.no_grad()
def initialise_projection(project: nn.Conv2d, backbone_features: Tensor) -> None:
    """Set a 1x1 convolution to the leading principal components of backbone features (N, C), centred.

    Channels are divided by their standard deviation first, so that no channel dominates by its scale.
    """
    mean, deviation = backbone_features.mean(dim=0), backbone_features.std(dim=0).clamp_min(_LEAST_DEVIATION)
    components = _components((backbone_features - mean) / deviation)
    weight = components[: project.out_channels] / deviation
    project.weight.copy_(weight[:, :, None, None])
    _bias(project).copy_(-weight @ mean)


@torch.no_grad()
def initialise_head(head: HashHead, first: Tensor, second: Tensor, generator: torch.Generator) -> None:
    """Set a head so that its first logits are those of ITQ on the features that best tell places apart.

    The bottleneck computes the leading discriminative components under a random rotation, which gives its
    units equal variance, as the spline grids need; the last layer starts as the linear map that undoes the
    rotation and applies ITQ's.

    Parameters
    ----------
    head : HashHead
    first, second : Tensor, shape (N, inputs)
        Features of places, each in two views.
    generator : torch.Generator
        Draws the rotations.
    """
    layer = code_layer(head)
    hidden, bits = head.reduce.out_features, layer.outputs
    features = torch.cat([first, second])
    mean = features.mean(dim=0)
    telling = discriminative(first - mean, second - mean)[:, :hidden]  # (inputs, hidden)
    turn = random_rotation(hidden, generator)
    head.reduce.weight.copy_((telling @ turn).T)
    _bias(head.reduce).copy_(-mean @ telling @ turn)
    quantised = itq((features - mean) @ telling[:, :bits], generator)  # (bits, bits)
    linear = turn.T[:, :bits] @ quantised  # (hidden, bits)
    layer.set_linear(linear * _LOGIT_SCALE)


def discriminative(first: Tensor, second: Tensor) -> Tensor:
    """Return the components (D, D), in columns, in which places differ most and their two views least.

    They are those of linear discriminant analysis with every place a class of two (relevant component
    analysis, Shental et al., ECCV 2002), its noise shrunk towards white. Their scale is that of
    ``_SCALE_POWER``.
    """
    features, differences = torch.cat([first, second]).double(), (first - second).double()
    total = features.T @ features / len(features)
    within = differences.T @ differences / (2 * len(differences))
    size = len(total)
    within += _SHRINKAGE * total.trace() / size * torch.eye(size, dtype=torch.float64)
    variances, axes = torch.linalg.eigh(within)
    whiten = axes * variances.rsqrt() @ axes.T
    ratios, components = torch.linalg.eigh(whiten @ total @ whiten)
    scaled: Tensor = (whiten @ components * ratios.clamp_min(_LEAST_RATIO) ** _SCALE_POWER).flip(1)
    return scaled.float()


def _components(centred: Tensor) -> Tensor:
    """Return the principal components (D, D) of centred features (N, D), the strongest first."""
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    components: Tensor = vectors.flip(1).T
    return components


def _bias(layer: nn.Conv2d | nn.Linear) -> Tensor:
    if layer.bias is None:
        raise TypeError("the layer has no bias")
    return layer.bias
