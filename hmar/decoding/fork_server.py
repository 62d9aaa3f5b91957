"""``python -m hmar.decoding.fork_server``: imports the decoders once, and forks a child when asked to."""

from __future__ import annotations

import hashlib
import hmac
import io

import numpy as np
import PIL.Image
import PIL.ImageOps
import PIL.MpoImagePlugin

from hmar.decoding.child import serve
from hmar.decoding.forking import serve_forks
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.charsets import load_charsets
from hmar.dicom.deidentify import PatientHasher


def main() -> None:
    """Serve on the descriptor in argument 1 for the process in argument 2."""
    serve_forks(warm_up, serve)


def warm_up() -> None:
    """Have everything imported that decoding imports late: a child can open no file, of Python's either."""
    load_charsets()
    PIL.Image.init()
    hmac.new(bytes(16), b"", hashlib.sha256).hexdigest()
    decoder = ImageDecoder(1 << 20, PatientHasher(bytes(16)))
    for kind in ("PNG", "JPEG"):
        picture = io.BytesIO()
        PIL.Image.fromarray(np.zeros((8, 8), np.uint8)).save(picture, kind)
        decoder.open(picture.getvalue()).frame(1)


if __name__ == "__main__":
    main()
