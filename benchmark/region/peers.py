"""The ways to describe a window that are compared, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark.region.ablations.table import ABLATIONS
from benchmark.region.ablations.variant import CARRIED, OURS, Variant
from benchmark.region.coding import Coding
from benchmark.region.features import (
    WindowFeature,
    cells_feature,
    crop_feature,
    global_feature,
    hmar_feature,
    own_cells_feature,
    pooled_feature,
    random_feature,
    thumbnail_feature,
)
from benchmark.region.networks import Networks
from benchmark.region.volumes import LabelledVolume
from hmar.errors import ParameterError

_SEED = 1
MODEL = "hmar-model"
"""The model that is measured as it is: the shipped one, or the one that HMAR_MODEL_DIR names."""


@dataclass(frozen=True, slots=True)
class RegionPeer:
    """One way to describe windows.

    Parameters
    ----------
    name : str
        Stands in every row.
    what : str
        One line for people.
    build : callable
        Takes the networks and the volume of the queries, returns the feature of windows.
    coding : str
        How features become descriptors.
    uses_map : bool
        Whether it reads the map of the whole slice, so that its time includes a share of that pass.
    of_model : bool
        Whether it is of the model that is measured.
    variant : Variant or None
        What is trained on the volume of the queries, once for each; such a peer has no phantoms.
    floats : str
        Name of the peer that has the same features as floats; empty where there is none.
    organs_alone : bool
        Whether it is measured on organs alone, and not on phantoms.
    permuted : bool
        Whether the structures of the gallery are shuffled before anything is scored.
    """

    name: str
    what: str
    build: Callable[[Networks, LabelledVolume], WindowFeature]
    coding: Coding
    uses_map: bool = True
    of_model: bool = False
    variant: Variant | None = None
    floats: str = ""
    organs_alone: bool = False
    permuted: bool = False


def _of_model(nets: Networks, _volume: LabelledVolume) -> WindowFeature:
    return hmar_feature(nets.model, nets.thresholds, nets.model_maps)


def _trained(variant: Variant) -> RegionPeer:
    return RegionPeer(
        variant.name,
        variant.what,
        lambda nets, volume: hmar_feature(nets.train(volume, variant)),
        "sign",
        variant=variant,
    )


_PEERS = (
    RegionPeer("random", "random codes", lambda *_: random_feature(_SEED), "sign", False),
    RegionPeer("thumbnail", "16x16 pixels, cosine", lambda *_: thumbnail_feature, "float", False),
    RegionPeer(
        "thumbnail-itq", "16x16 pixels, ITQ", lambda *_: thumbnail_feature, "itq", False, floats="thumbnail"
    ),
    RegionPeer("pooled", "average-pooled backbone, cosine", lambda *_: pooled_feature, "float"),
    RegionPeer(
        "pooled-itq", "average-pooled backbone, ITQ", lambda *_: pooled_feature, "itq", floats="pooled"
    ),
    RegionPeer("cells", "3x3 cells of the backbone, cosine", lambda *_: cells_feature, "float"),
    RegionPeer(
        "cells-itq", "3x3 cells of the backbone, ITQ", lambda *_: cells_feature, "itq", floats="cells"
    ),
    RegionPeer(
        "global",
        "the model's code of the whole slice",
        lambda nets, _: global_feature(nets.model, nets.thresholds, nets.model_maps),
        "sign",
        of_model=True,
    ),
    RegionPeer(
        "crop",
        "every window through the backbone by itself, 3x3 cells, ITQ",
        lambda nets, _: crop_feature(nets.frozen),
        "itq",
        False,
    ),
    RegionPeer(
        MODEL,
        "the model's window codes, as it is",
        _of_model,
        "sign",
        of_model=True,
        floats=f"{MODEL}-floats",
    ),
    RegionPeer(
        f"{MODEL}-floats",
        "the logits of those codes, cosine",
        _of_model,
        "logits",
        of_model=True,
        organs_alone=True,
    ),
    RegionPeer(
        "permuted",
        "control: the model's window codes, the gallery's structures shuffled",
        _of_model,
        "sign",
        of_model=True,
        organs_alone=True,
        permuted=True,
    ),
    RegionPeer(
        "random-backbone",
        "control: 3x3 cells of a backbone with random weights, ITQ",
        lambda nets, _: own_cells_feature(nets.random),
        "itq",
        organs_alone=True,
    ),
    _trained(OURS),
)
_CARRIED = _trained(CARRIED)
_VARIANTS = tuple(map(_trained, ABLATIONS))
REGION_PEERS: dict[str, RegionPeer] = {peer.name: peer for peer in (*_PEERS, _CARRIED, *_VARIANTS)}
_GROUPS = {
    "all": tuple(peer.name for peer in _PEERS),
    "ablations": (OURS.name, *(peer.name for peer in _VARIANTS)),
}
"""Names that stand for several peers; the variants of ours train for hours, so that "all" is without them,
and the one that carries labels needs people to carry them to."""


def select_region_peers(names: Sequence[str]) -> list[RegionPeer]:
    """Return peers by name, in the order of the table.

    "all" stands for every peer but the variants of ours, "ablations" for ours and its variants.

    Raises
    ------
    ParameterError
        If a name is unknown, or none was given.
    """
    wanted = {one for name in names for one in _GROUPS.get(name, (name,))}
    unknown = sorted(wanted - set(REGION_PEERS))
    if unknown or not names:
        raise ParameterError(
            f"The peers {', '.join(unknown) or 'are empty'} are not known here.",
            f"Give some of {', '.join(REGION_PEERS)}, or all, or ablations.",
        )
    return [peer for peer in REGION_PEERS.values() if peer.name in wanted]
