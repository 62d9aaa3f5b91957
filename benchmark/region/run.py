"""``hmar bench region``: organ regions across patients, planted lesions, and the nodule of the demo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmark.region.nodules import nodule_row
from benchmark.region.peers import select_region_peers
from benchmark.region.phantoms import PhantomStudy
from benchmark.region.protocol import region_rows
from benchmark.region.volumes import NODULE_FILES, check_files, load_volumes
from benchmark.types import Progress
from hmar.codes import CODE_BITS
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ParameterError
from hmar.model.weights import load_bundle
from hmar.thumbnail import ThumbnailEncoder

_LENGTHS = (64, CODE_BITS)


def run_region(
    root: Path, peers: Sequence[str], bits: Sequence[int], progress: Progress, threads: int = 1
) -> list[dict[str, object]]:
    """Measure region retrieval on real volumes, robustness on phantoms, and the nodule demo.

    Parameters
    ----------
    root : Path
        What get_real_ct.sh makes.
    peers : sequence of str
        Names of :data:`benchmark.region.peers.REGION_PEERS`, or "all".
    bits : sequence of int
        64, 128 or both. Peers that describe with floats have one row, of 0 bits.
    progress : Progress
        Told how far each part is.
    threads : int
        Of torch in this process from now on.

    Returns
    -------
    list of dict
        Ready for JSON (what is not a number is None). ``protocol`` says what a row is: "region" (see
        :func:`benchmark.region.protocol.region_rows`), "phantom" (synthetic, one for each perturbation, see
        :mod:`benchmark.region.phantoms`) or "nodule" (hmar, and 32x32 thumbnails beside it; only at 128 bits,
        the length at which the demo searches).

    Raises
    ------
    ParameterError
        If a peer or a number of bits is unknown.
    NotFoundError
        If files are missing; names them all.
    DecodeError
        If a file cannot be read.
    """
    torch.set_num_threads(threads)
    chosen = select_region_peers(peers)
    lengths = _lengths(bits)
    check_files(root, NODULE_FILES)
    volumes = load_volumes(root)
    bundle = load_bundle(shipped_bundle())
    rows = region_rows(volumes, chosen, lengths, bundle.network, progress)
    study = PhantomStudy(bundle.network, progress)
    for peer in chosen:
        rows += study.rows(peer, peer.build(bundle.network), lengths, progress)
    if CODE_BITS in lengths and any(peer.name == "hmar" for peer in chosen):
        rows.append(nodule_row(root, "hmar", HmarEncoder.load(shipped_bundle(), threads), progress))
        rows.append(nodule_row(root, "thumbnail", ThumbnailEncoder(), progress))
    return [{key: _finite(value) for key, value in row.items()} for row in rows]


def _lengths(bits: Sequence[int]) -> list[int]:
    for length in bits:
        if length not in _LENGTHS:
            raise ParameterError(f"A code of {length} bits was asked for.", "Give 64, 128 or both.")
    if not bits:
        raise ParameterError("No code length was given.", "Give 64, 128 or both.")
    return sorted(set(bits))


def _finite(value: object) -> object:
    """Return None for what is not a number, lists and mappings included: JSON has no NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
