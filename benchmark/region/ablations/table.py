"""The ablations by name: ours with one part removed."""

from __future__ import annotations

from dataclasses import replace

from benchmark.layers import matrix_network, mlp_network
from benchmark.region.ablations.equal_gate import equal_network
from benchmark.region.ablations.one_average import averaging_network
from benchmark.region.ablations.one_window import with_one_window
from benchmark.region.ablations.variant import Variant, with_smooth_strides
from hmar.training.config import TrainingConfig


def _for_places(config: TrainingConfig) -> TrainingConfig:
    """Give the loss on positions, the only one left that orders windows, the weight that structures had."""
    return replace(config, place_weight=config.structure_weight)


def _first_stage_alone(config: TrainingConfig) -> TrainingConfig:
    return replace(config, region_steps=0, settle_steps=0)


def _without_nesting(config: TrainingConfig) -> TrainingConfig:
    return replace(config, short_share=0.0)


def _frozen(config: TrainingConfig) -> TrainingConfig:
    return replace(config, backbone_rate=0.0)


ABLATIONS = (
    Variant("hmar-one-window", "ours, all channels one display window, 400/1800", backbone=with_one_window),
    Variant("hmar-no-cells", "ours, a window's 3x3 parts as their mean", build=averaging_network),
    Variant("hmar-no-kan", "ours, a matrix in place of each KAN layer", build=matrix_network),
    Variant("hmar-mlp", "ours, an MLP as heavy in place of each KAN layer", build=mlp_network),
    Variant("hmar-no-router", "ours, both experts weigh the same in the losses", build=equal_network),
    Variant(
        "hmar-no-stage2",
        "ours, without stage 2: window codes as training starts",
        settings=_first_stage_alone,
    ),
    Variant("hmar-no-nesting", "ours, no loss on the short code by itself", settings=_without_nesting),
    Variant("hmar-no-labels", "ours, trained for places without labels", settings=_for_places, labels=False),
    Variant(
        "hmar-smooth", "ours, the backbone's last two strides behind blurs", backbone=with_smooth_strides
    ),
    Variant("hmar-frozen", "ours, the backbone's weights as they were published", settings=_frozen),
)
