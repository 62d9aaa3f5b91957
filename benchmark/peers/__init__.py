"""The peers: ways to describe an image that are compared on the same features, bits and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmark.peers.hmar.peer import HMAR_PEERS
from benchmark.peers.learned.acir import Acir
from benchmark.peers.learned.csq import Csq
from benchmark.peers.learned.dpn import Dpn
from benchmark.peers.learned.greedyhash import GreedyHash
from benchmark.peers.learned.hashnet import HashNet
from benchmark.peers.learned.linear import Linear
from benchmark.peers.learned.mlp import Mlp
from benchmark.peers.learned.trivial import Trivial
from benchmark.peers.tuned.peer import BuildBackbone, HmarTuned, LinearTuned
from benchmark.peers.unsupervised.cosine import Cosine
from benchmark.peers.unsupervised.itq import Itq
from benchmark.peers.unsupervised.lsh import Lsh
from benchmark.peers.unsupervised.pca import Pca
from benchmark.peers.unsupervised.random_codes import RandomCodes
from benchmark.peers.unsupervised.thumbnail import Thumbnail
from benchmark.types import Peer, Progress, silent
from hmar.errors import ParameterError

_OTHERS: tuple[Peer, ...] = (
    RandomCodes(),
    Thumbnail(),
    Cosine(),
    Lsh(),
    Pca(),
    Itq(),
    Trivial(),
    Linear(),
    Mlp(),
    Csq(),
    GreedyHash(),
    Dpn(),
    HashNet(),
    Acir(),
)

PEERS: dict[str, Peer] = {peer.name: peer for peer in (*_OTHERS, *HMAR_PEERS)}
"""Every peer on frozen features by name, in the order of the tables."""

TUNED = {peer.name: peer for peer in (LinearTuned, HmarTuned)}
"""The peers that fine-tune the backbone."""


def schedules(peers: Sequence[Peer]) -> dict[str, dict[str, Any]]:
    """Return the training schedules of peers, by name; peers that do not train are left out."""
    found = {}
    for peer in peers:
        schedule = getattr(peer, "schedule", None) or getattr(peer, "training", None)
        if schedule is not None:
            found[peer.name] = asdict(schedule)
    return found


def select_peers(text: str, backbone: BuildBackbone, progress: Progress = silent) -> list[Peer]:
    """Return the peers that a command names.

    Parameters
    ----------
    text : str
        Names separated by commas; ``all`` stands for those on frozen features, ``tuned`` for those that
        fine-tune the backbone, which takes half an hour a seed for 5,000 images.
    backbone : BuildBackbone
        What is tuned.
    progress : Progress
        Told how far each fine-tuning is.

    Returns
    -------
    list of Peer
        In the order named, each once.

    Raises
    ------
    ParameterError
        If a name is neither one of :data:`PEERS` nor of :data:`TUNED`.
    """
    groups = {"all": list(PEERS), "tuned": list(TUNED)}
    named = [name.strip() for name in text.split(",")]
    names = list(dict.fromkeys(peer for name in named for peer in groups.get(name, [name])))
    for name in names:
        if name not in PEERS and name not in TUNED:
            raise ParameterError(
                f"There is no peer {name!r}.", f"Use all, tuned, or some of: {', '.join([*PEERS, *TUNED])}."
            )
    return [PEERS[name] if name in PEERS else TUNED[name](backbone, progress) for name in names]
