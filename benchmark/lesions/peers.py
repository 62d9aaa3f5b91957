"""The ways to describe windows that are compared, by name, and the controls beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark.region.coding import Coding
from benchmark.region.features import (
    OwnMaps,
    WindowFeature,
    cells_feature,
    global_feature,
    hmar_feature,
    own_cells_feature,
    thumbnail_feature,
)
from benchmark.region.networks import random_backbone
from hmar.errors import ParameterError
from hmar.model.network import HmarNetwork
from hmar.model.thresholds import ModalityThresholds

MODEL = "hmar-model"
CHANCE, CENTRE, PERMUTED = "chance", "centre", "permuted"
THUMBNAIL, CELLS_ITQ = "thumbnail", "cells-itq"
COMPARED = (CELLS_ITQ, THUMBNAIL)
"""Peers that the others are compared with, person by person."""


WINDOWS, WHOLE = "windows", "whole"
"""Features of the model: the logits of a window, and those of its whole slice."""

Features = dict[str, Callable[[], WindowFeature]]


def window_features(model: HmarNetwork, thresholds: ModalityThresholds) -> Features:
    """Return by name what makes the features that peers are built on.

    The feature maps of the model and of a backbone with random weights are computed once each.
    """
    maps = OwnMaps(model)
    return {
        "thumbnail": lambda: thumbnail_feature,
        "cells": lambda: cells_feature,
        WHOLE: lambda: global_feature(model, thresholds, maps),
        WINDOWS: lambda: hmar_feature(model, thresholds, maps),
        "random-cells": lambda: own_cells_feature(OwnMaps(random_backbone())),
    }


@dataclass(frozen=True, slots=True)
class LesionPeer:
    """One way to describe windows.

    Parameters
    ----------
    name : str
        Stands in every row.
    what : str
        One line for people.
    feature : str
        Name of its features, see :func:`window_features`.
    coding : str
        How features become descriptors; "itq" is fitted on the half that is not measured.
    floats : str
        Name of the peer that has the same features as floats; empty where there is none.
    permuted : bool
        Whether the truth is shuffled before anything is scored.
    """

    name: str
    what: str
    feature: str
    coding: Coding
    floats: str = ""
    permuted: bool = False

    @property
    def whole(self) -> bool:
        """Whether it ranks frames by the whole frame; the box is then that of the model's nearest window."""
        return self.feature == WHOLE

    @property
    def of_model(self) -> bool:
        """Whether it is of the model that is measured."""
        return self.feature in (WHOLE, WINDOWS)


_PEERS = (
    LesionPeer(THUMBNAIL, "16x16 pixels of the window, cosine", "thumbnail", "float"),
    LesionPeer("cells", "3x3 cells of the published backbone, cosine", "cells", "float"),
    LesionPeer(CELLS_ITQ, "3x3 cells of the published backbone, ITQ", "cells", "itq", "cells"),
    LesionPeer("global", "the model's code of the whole slice", WHOLE, "sign", "global-floats"),
    LesionPeer("global-floats", "the logits of that code, cosine", WHOLE, "logits"),
    LesionPeer(MODEL, "the model's window codes, as it is", WINDOWS, "sign", f"{MODEL}-floats"),
    LesionPeer(f"{MODEL}-floats", "the logits of those codes, cosine", WINDOWS, "logits"),
    LesionPeer(
        PERMUTED, "control: the model's window codes, the truth shuffled", WINDOWS, "sign", permuted=True
    ),
    LesionPeer(
        "random-backbone", "control: 3x3 cells of a backbone with random weights, ITQ", "random-cells", "itq"
    ),
)
LESION_PEERS: dict[str, LesionPeer] = {peer.name: peer for peer in _PEERS}


def select_lesion_peers(names: Sequence[str]) -> list[LesionPeer]:
    """Return peers by name, in the order of the table; "all" stands for every one.

    Raises
    ------
    ParameterError
        If a name is unknown, or none was given.
    """
    wanted = set(LESION_PEERS) if "all" in names else set(names)
    unknown = sorted(wanted - set(LESION_PEERS))
    if unknown or not names:
        raise ParameterError(
            f"The peers {', '.join(unknown) or 'are empty'} are not known here.",
            f"Give some of {', '.join(LESION_PEERS)}, or all.",
        )
    return [peer for peer in LESION_PEERS.values() if peer.name in wanted]
