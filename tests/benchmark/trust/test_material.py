"""The files of the trials are what they claim to be."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from benchmark.trust.material.bad import bad_files
from benchmark.trust.material.bombs import BOMBS, deflated
from benchmark.trust.material.dicom import dicom, stored_slice
from benchmark.trust.material.streams import compressed_files
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import LimitError
from hmar.image.png import SIGNATURE
from hmar.values.frames import Units

DECODER = ImageDecoder(400_000_000, PatientHasher(bytes(32)))


def test_a_slice_is_a_ct_in_hounsfield_units() -> None:
    frame = DECODER.open(dicom(stored_slice(3), number=3)).frame(1)
    assert frame.units is Units.HU
    np.testing.assert_array_equal(frame.values, stored_slice(3).astype(np.float32) - 1024)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["baseline", "progressive", "jpeg2000", "jpeg_ls", "lossless", "rle"])
def test_every_compressed_file_is_undamaged(name: str) -> None:
    assert DECODER.open(compressed_files()[name]).frame(1).values.std() > 10


def test_a_deflated_bomb_inflates_to_what_it_says() -> None:
    data = deflated(3, "none")
    start = data.index(b"1.2.840.10008.1.2.1.99") + 22
    sizes = []
    for offset in range(start, start + 200):
        try:
            sizes.append(len(zlib.decompress(data[offset:], -15)))
        except zlib.error:
            continue
    assert max(sizes) > 3 << 20


def test_the_profile_of_the_png_bomb_inflates_to_a_gigabyte() -> None:
    data = BOMBS["png_profile"].make()
    assert data.startswith(SIGNATURE)
    profile = data[data.index(b"iCCP") + 4 + 3 :]
    inflater, total = zlib.decompressobj(), 0
    while not inflater.eof:  # its checksum is verified at the end
        total += len(inflater.decompress(profile, 1 << 24))
        profile = inflater.unconsumed_tail
    assert total == 1 << 30


@pytest.mark.parametrize("name", ["deflated_no_length", "frames_2e9", "rle_claim", "png_claim"])
def test_what_is_too_large_is_refused_for_it(name: str) -> None:
    with pytest.raises(LimitError):
        DECODER.open(BOMBS[name].make())


@pytest.mark.slow
def test_bad_files_are_of_all_kinds_and_the_same_for_the_same_seed() -> None:
    files = bad_files(30, seed=4)
    assert files == bad_files(30, seed=4)
    assert len({kind for kind, _ in files}) == 7
    assert len(files) == 30
