"""KAN layers: the form that serves, in numpy, against the forward pass of pykan's KANLayer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from benchmark.speed.timing import Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.model.config import NetworkConfig
from hmar.model.serving.kan import ServedKAN
from hmar.training.heads.kan_layer import TrainableKAN
from hmar.values.codes import CODE_BITS

OWN = "ServedKAN"
PEER = "pykan KANLayer.forward"


def measure_kan(
    config: NetworkConfig, batches: Sequence[int], rounds: Rounds, progress: Progress
) -> list[dict[str, object]]:
    """Time the KAN layer of a hash head at the batches that serving runs.

    The layer has pykan's initial weights and the model's sizes: its time does not depend on its weights. Both
    forms are of the same layer, and the quality is the largest difference of their outputs.

    Parameters
    ----------
    config : NetworkConfig
        Sizes of the layer.
    batches : sequence of int
        Windows at a time: those of a region query, and those of a frame.
    rounds : Rounds
    progress : Progress
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        trained = TrainableKAN(config.hidden, CODE_BITS, config.intervals, config.order)
        # Distributed as behind the head's layer norm; see hmar.model.hash_head.
        inputs = [torch.randn(batch, config.hidden) * 0.5 for batch in batches]
    return [_compare(trained, x, config, rounds, progress) for x in inputs]


@torch.inference_mode()
def _compare(
    trained: TrainableKAN, x: Tensor, config: NetworkConfig, rounds: Rounds, progress: Progress
) -> dict[str, object]:
    folded = trained.fold()
    served = ServedKAN(*(part.numpy() for part in (folded.knots, folded.base, folded.spline)))
    array = x.numpy()
    calls: dict[str, Callable[[int], object]] = {
        OWN: lambda _: served(array),
        PEER: lambda _: trained.layer(x)[0],
    }
    times = interleave(calls, rounds, f"kan at batch {len(x)}", progress)
    own, peer = served(array), trained.layer(x)[0].numpy()
    return speed_row(
        "kan",
        OWN,
        PEER,
        times[OWN],
        times[PEER],
        rounds,
        setting=f"batch {len(x)}, {config.hidden} inputs, {CODE_BITS} outputs, "
        f"{config.intervals} intervals, order {config.order}, float32",
        threads=torch.get_num_threads(),
        batch=len(x),
        quality={
            "largest difference of outputs": float(np.abs(own - peer).max()),
            "bits equal": round(float(np.mean((own > 0) == (peer > 0))), 6),
        },
    )
