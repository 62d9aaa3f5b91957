"""The losses of the objective by the names that stand in logs."""

from __future__ import annotations

from hmar.training.losses.code_quality import CodeQuality
from hmar.training.losses.image_labels import ImageLabelLoss
from hmar.training.losses.loss import Loss
from hmar.training.losses.places import GatedPlaces, ImagePlaces
from hmar.training.losses.routing import GateEntropy, ModalityReading, RegionReading
from hmar.training.losses.structures import StructureLoss

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        CodeQuality,
        ModalityReading,
        RegionReading,
        GateEntropy,
        ImageLabelLoss,
        ImagePlaces,
        GatedPlaces,
        StructureLoss,
    )
}
"""In the order of the log."""
