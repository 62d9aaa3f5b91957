"""The peers: ways to describe an image that are compared on the same features, bits and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmark.peers.hmar import HMAR_PEERS
from benchmark.peers.learned.acir import Acir
from benchmark.peers.learned.csq import Csq
from benchmark.peers.learned.dpn import Dpn
from benchmark.peers.learned.greedyhash import GreedyHash
from benchmark.peers.learned.hashnet import HashNet
from benchmark.peers.learned.linear import Linear
from benchmark.peers.learned.mlp import Mlp
from benchmark.peers.learned.trivial import Trivial
from benchmark.peers.unsupervised.cosine import Cosine
from benchmark.peers.unsupervised.itq import Itq
from benchmark.peers.unsupervised.lsh import Lsh
from benchmark.peers.unsupervised.pca import Pca
from benchmark.peers.unsupervised.random_codes import RandomCodes
from benchmark.peers.unsupervised.thumbnail import Thumbnail
from benchmark.types import Peer
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
"""Every peer by name, in the order of the tables."""


def schedules(peers: Sequence[Peer]) -> dict[str, dict[str, Any]]:
    """Return the training schedules of peers, by name; peers that do not train are left out."""
    found = {}
    for peer in peers:
        schedule = getattr(peer, "schedule", None) or getattr(peer, "training", None)
        if schedule is not None:
            found[peer.name] = asdict(schedule)
    return found


def select_peers(text: str) -> list[Peer]:
    """Return the peers that a command names.

    Parameters
    ----------
    text : str
        Names separated by commas; ``all`` stands for every peer.

    Returns
    -------
    list of Peer
        In the order named, each once.

    Raises
    ------
    ParameterError
        If a name is not one of :data:`PEERS`.
    """
    named = [name.strip() for name in text.split(",")]
    names = list(dict.fromkeys(peer for name in named for peer in (PEERS if name == "all" else [name])))
    for name in names:
        if name not in PEERS:
            raise ParameterError(f"There is no peer {name!r}.", f"Use all, or some of: {', '.join(PEERS)}.")
    return [PEERS[name] for name in names]
