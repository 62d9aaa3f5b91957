"""What a batch of training is judged by: places, structures, labels of images, and what routes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hmar.model.config import PARTS
from hmar.model.network import HmarNetwork
from hmar.model.router import Routing
from hmar.model.tags import modality_index
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels
from hmar.training.data.pairs import PairBatch, may_push_apart
from hmar.training.data.pooling import pool_windows
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.losses.image_labels import ImageLabelLoss
from hmar.training.losses.structures import StructureLoss
from hmar.training.losses.terms import bit_quality, code_lengths, contrastive, gate_entropy, nested

_IMAGE_APART_MM = 30.0
_UNKNOWN = -1


class Objective:
    """The losses of a network on batches of views.

    Parameters
    ----------
    network : HmarNetwork
        The one that is trained; not copied.
    config : TrainingConfig
    views : ViewSet
    volumes : list of Volume
    labels : ImageLabels
        Of the views.
    rng : numpy.random.Generator
        Draws the codes of structures and labels.
    device : torch.device
    """

    def __init__(
        self,
        network: HmarNetwork,
        config: TrainingConfig,
        views: ViewSet,
        volumes: list[Volume],
        labels: ImageLabels,
        rng: np.random.Generator,
        device: torch.device,
    ) -> None:
        self._network, self._config, self._device = network, config, device
        self._views, self._volumes = views, volumes
        self._images = labels
        self._structures = StructureLoss(volumes, config, rng).to(device)
        self._labels: ImageLabelLoss | None = None
        if self._images.count:
            inputs = network.config.width * PARTS**2
            self._labels = ImageLabelLoss(self._images.count, inputs, config, rng).to(device)
        found = [modality_index(volume.modality) for volume in volumes]
        self._modality = np.array([_UNKNOWN if index is None else index for index in found])
        self._level: dict[str, Tensor] = {}

    def modules(self, *, regions: bool) -> list[nn.Module]:
        """Return what these losses train besides the backbone; labels reach Expert1 on whole images too."""
        modules: list[nn.Module] = [self._network.global_expert, self._network.router]
        if regions or self._labels is not None:
            modules.append(self._network.local_expert)
        return modules if self._labels is None else [*modules, self._labels]

    def state(self) -> dict[str, Any]:
        """Return what later losses depend on besides the network."""
        labels = None if self._labels is None else self._labels.state_dict()
        return {"level": dict(self._level), "labels": labels}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` returned."""
        self._level = dict(state["level"])
        if self._labels is not None:
            self._labels.load_state_dict(state["labels"])

    def losses(self, maps: Tensor, batch: PairBatch, *, regions: bool) -> dict[str, Tensor]:
        """Return the losses of a batch by name.

        Parameters
        ----------
        maps : Tensor, shape (2 M, C, h, w)
            The backbone's, of all first views, then of all second.
        batch : PairBatch
        regions : bool
            Whether windows are compared, as in stages 2 and 3.
        """
        routing, modality, region = self._route(maps[: len(batch.first)], batch.first)
        whole = self._network.global_expert(maps)
        image_loss, image_quality = self._image_loss(whole, batch)
        losses = {"codes": image_quality}
        # An archive may say of no frame which modality or region it shows.
        for name, read, known in (
            ("modality", routing.modality, modality),
            ("region", routing.region, region),
        ):
            if bool((known != _UNKNOWN).any()):
                losses[name] = 0.2 * nn.functional.cross_entropy(read, known, ignore_index=_UNKNOWN)
        gate = routing.gate
        if regions or self._labels is not None:  # wherever the gate learns, both experts stay in play
            windows = self._shown_windows(maps, batch)
            losses["gate_entropy"] = -self._config.gate_entropy_weight * gate_entropy(gate)
        if self._labels is not None:
            images = self._images_of(batch)
            of_image = windows.reshape(len(maps), -1, windows.shape[1])
            of_both = gate.repeat(2, 1)  # the views of a pair have one
            expert = self._network.local_expert
            losses["labels"] = self._labels(whole, of_image, expert, of_both, *images, regions=regions)
        if not regions:
            return losses | {"image": image_loss.mean()}
        region_loss, region_quality, structures = self._region_loss(windows, batch)
        gated = gate[:, 0] * self._relative("image", image_loss) + gate[:, 1] * self._relative(
            "region", region_loss
        )
        return losses | {
            "gated": 2 * self._config.place_weight * gated.mean(),
            "structures": structures,
            "codes": image_quality + region_quality,
        }

    def _route(self, backbone_map: Tensor, views: NDArray[np.int64]) -> tuple[Routing, Tensor, Tensor]:
        volume = self._views.volume[views]
        modality = torch.from_numpy(self._modality[volume])
        region = torch.tensor(
            [self._volumes[v].regions[p] for v, p in zip(volume, self._views.plane[views], strict=True)]
        )
        drop = torch.rand(2, len(views)) < self._config.tag_drop
        hidden = torch.full_like(modality, _UNKNOWN)
        tags = (torch.where(drop[0], hidden, modality), torch.where(drop[1], hidden, region))
        # What is routed is not bent to be routed easily: the backbone learns from the experts alone.
        routing = self._network.router(backbone_map.detach(), *(tag.to(self._device) for tag in tags))
        return routing, modality.to(self._device), region.to(self._device)

    def _image_loss(self, logits: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair of views (M,), and the codes' quality."""
        volume = self._views.volume[batch.first]
        z = self._views.z_mm[batch.first]
        place = np.column_stack([volume, np.zeros_like(z), np.zeros_like(z), z])
        return self._paired(logits, may_push_apart(place, _IMAGE_APART_MM) & ~self._together(batch))

    def _together(self, batch: PairBatch) -> Tensor:
        """Return (M, M) of bool: which first and second views are not pushed apart, however far they lie.

        They share a label and are of different patients; or they are of one patient's different volumes,
        which may show the same place.
        """
        label, patient, volume = self._images.label, self._images.patient, self._views.volume
        first, second = batch.first[:, None], batch.second[None, :]
        same_patient = patient[first] == patient[second]
        same_label = (label[first] == label[second]) & (label[first] != NO_LABEL)
        return torch.from_numpy(np.where(same_patient, volume[first] != volume[second], same_label))

    def _images_of(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Return labels and patients of all first views, then of all second."""
        views = np.concatenate([batch.first, batch.second])
        label, patient = (
            torch.from_numpy(of[views]).to(self._device) for of in (self._images.label, self._images.patient)
        )
        return label, patient

    def _region_loss(self, windows: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the mean loss of each view's windows (M,), the codes' quality, and the structures' loss."""
        logits = self._network.local_expert(windows)
        half = batch.side_mm / 2
        together = self._together(batch)
        for dim in (0, 1):
            together = together.repeat_interleave(len(half) // len(batch.first), dim)
        apart = may_push_apart(batch.place, np.minimum.outer(half, half)) & ~batch.alike() & ~together
        loss, quality = self._paired(logits, apart)
        structures = self._structures(logits, batch)
        return loss.reshape(len(batch.first), -1).mean(dim=1), quality, structures

    def _shown_windows(self, maps: Tensor, batch: PairBatch) -> Tensor:
        """Pool windows of all first views, then of all second, and hide some of it: (2 M n, width * 9)."""
        weights = torch.cat([batch.first_weights, batch.second_weights], dim=1).to(maps.device)
        windows = pool_windows(self._network.local_expert.map(maps), weights)
        return nn.functional.dropout(windows, self._config.feature_drop)

    def _paired(self, logits: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair (N,) and the codes' quality; rows are all first, then all second."""
        losses, quality = [], []
        share = self._config.short_share
        for bits in code_lengths(share):
            first, second = logits[:, :bits].chunk(2)
            losses.append(contrastive(first, second, negative.to(logits.device), self._config.temperature))
            quality.append(self._config.bit_weight * bit_quality(logits[:, :bits]))
        return nested(losses, share), nested(quality, share)

    def _relative(self, name: str, losses: Tensor) -> Tensor:
        """Return losses over their running mean: the gate compares experts, not scales of losses."""
        mean = losses.detach().mean()
        self._level[name] = 0.98 * self._level.get(name, mean) + 0.02 * mean
        return losses / self._level[name].clamp_min(1e-6)
