"""The backbone in ONNX Runtime. No other file imports it."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from hmar.errors import ModelError
from hmar.values.frames import FloatArray

INPUT = "image"
OUTPUT = "trunk_map"
_FATAL = 4  # ONNX Runtime's highest log level: errors are raised, not printed


class BackboneRuntime:
    """A backbone in ONNX Runtime, on the processor, in single precision. Thread-safe.

    Parameters
    ----------
    path : Path
        An ONNX file as :func:`hmar.training.export.onnx_graph.export_backbone` writes it.
    threads : int
        Threads for one image; with 1, the calling thread alone.

    Raises
    ------
    ModelError
        If the file is not such a graph.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        try:
            self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no base class of their own
            raise ModelError(
                f"{path} cannot be read ({type(error).__name__}).",
                "Run: hmar export-model FOLDER. Or restore the model's folder from the release.",
            ) from error

    def map(self, image: FloatArray) -> FloatArray:
        """Map an image to features.

        Parameters
        ----------
        image : ndarray of float32, shape (3, H, W)
            Values from 0 to 1; H and W divisible by 16.

        Returns
        -------
        ndarray of float32, shape (C, H / 16, W / 16)
        """
        [backbone_map] = self._session.run([OUTPUT], {INPUT: image[None]})
        features: FloatArray = backbone_map[0]
        return features
