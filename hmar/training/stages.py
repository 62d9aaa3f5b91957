"""The stages of a training, in their order, and what each of them trains."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from hmar.training.config import TrainingConfig


class Stage(IntEnum):
    """A stage; its number stands in logs, checkpoints and on the command line."""

    IMAGES = 1
    """Whole images: Expert0 and the router. Expert1 too where images have labels."""

    REGIONS = 2
    """Regions besides: both experts, the router and the backbone's tail."""

    EXPERTS = 3
    """As stage 2, on a backbone that no longer changes: both experts and the router.

    Most of a step's time goes into the backbone's tail. With its feature maps computed once and kept, the
    experts see many more windows in the same time.
    """

    LABELS = 4
    """Expert0 alone, on labels of whole images, as the product sees them when it serves.

    Their pooled feature maps are computed once: a batch then holds hundreds of images and takes
    milliseconds.
    """

    @property
    def on_views(self) -> bool:
        """Whether it is trained on views of slices."""
        return self is not Stage.LABELS

    @property
    def regions(self) -> bool:
        """Whether windows are compared, and validated."""
        return self in (Stage.REGIONS, Stage.EXPERTS)

    def steps(self, config: TrainingConfig) -> int:
        """Return how many steps the stage has; 0 leaves it out."""
        steps = {
            Stage.IMAGES: config.image_steps,
            Stage.REGIONS: config.region_steps,
            Stage.EXPERTS: config.settle_steps,
            Stage.LABELS: config.label_steps if config.learns_labels else 0,
        }
        return steps[self]

    def pairs(self, config: TrainingConfig) -> int | None:
        """Return the pairs of views in a batch; None for the sampler's own number."""
        return config.settle_pairs if self is Stage.EXPERTS else None

    def trains_backbone(self, config: TrainingConfig) -> bool:
        """Whether the backbone's tail is trained."""
        return self is Stage.REGIONS and config.backbone_rate > 0


def learns_from_views(config: TrainingConfig, stages: Sequence[Stage] = tuple(Stage)) -> bool:
    """Whether any of some stages is trained on views."""
    return any(stage.on_views and stage.steps(config) for stage in stages)


_NAMED = {
    "1": (Stage.IMAGES,),
    "2": (Stage.REGIONS, Stage.EXPERTS, Stage.LABELS),
    "both": tuple(Stage),
}


def stages_of(name: str) -> tuple[Stage, ...]:
    """Return the stages that "1", "2" or "both" names; to a user, stages 3 and 4 are the end of stage 2."""
    return _NAMED[name]
