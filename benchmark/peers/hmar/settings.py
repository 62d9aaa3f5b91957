"""Hyper-parameters of our model at image level."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.peers.learned.schedule import Length


@dataclass(frozen=True, slots=True)
class HmarTraining(Length):
    """Hyper-parameters of a training.

    Parameters
    ----------
    passes, least, most : int
        Steps of both stages are ``passes`` times the images of train over ``batch``, within ``least`` and
        ``most``.
    region_share : float
        Share of the steps that stage 2 takes; without stage 2, stage 1 takes all of them.
    batch, windows : int
        Images in a batch, at most those of train; windows of each that stage 2 compares.
    rate, decay : float
        AdamW's learning rate at its highest, and weight decay; a cosine to a thousandth over both stages.
    scale, margin : float
        Of the class-centre loss.
    temperature : float
        Of the contrastive losses.
    contrast, region, gate_entropy, bits : float
        Weights of the losses beside the class centres.
    average : float
        Decay of the EMA of weights that is kept.
    evaluations : int
        How often val is evaluated, in stage 2 or in the steps that replace it.
    """

    passes: int = 12
    least: int = 120
    most: int = 3000
    region_share: float = 0.25
    batch: int = 128
    windows: int = 6
    rate: float = 1e-3
    decay: float = 5e-2
    scale: float = 8.0
    margin: float = 0.2
    temperature: float = 0.2
    contrast: float = 0.3
    region: float = 0.2
    gate_entropy: float = 0.1
    bits: float = 0.1
    average: float = 0.98
    evaluations: int = 4
