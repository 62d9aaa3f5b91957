"""A sequential-DCT JPEG decoder for one component, as ITU-T T.81 says it: slow, simple, of any precision."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Figure A.6: the zig-zag order of coefficients.
ZIGZAG = sorted(range(64), key=lambda k: (k // 8 + k % 8, k // 8 if (k // 8 + k % 8) % 2 else k % 8))


class Bits:
    """The bits of an entropy-coded segment, without stuffed bytes (F.1.2.3)."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data.replace(b"\xff\0", b"\xff")) + "1" * 64
        self.place = 0

    def take(self, count: int) -> int:
        self.place += count
        return int(self.text[self.place - count : self.place] or "0", 2)

    def symbol(self, codes: dict[str, int]) -> int:
        end = self.place + 1
        while self.text[self.place : end] not in codes:
            end += 1
        found = codes[self.text[self.place : end]]
        self.place = end
        return found

    def signed(self, size: int) -> int:
        value = self.take(size)
        return value if not size or value >> (size - 1) else value - (1 << size) + 1  # F.2.2.1


def huffman_codes(body: bytes) -> dict[int, dict[str, int]]:
    """Return the codes of each table in a DHT segment (annex C)."""
    tables = {}
    while body:
        counts, values = body[1:17], list(body[17 : 17 + sum(body[1:17])])
        code, codes = 0, {}
        for length, count in enumerate(counts, start=1):
            for _ in range(count):
                codes[f"{code:0{length}b}"] = values.pop(0)
                code += 1
            code <<= 1
        tables[body[0]] = codes
        body = body[17 + sum(counts) :]
    return tables


def decode(stream: bytes) -> NDArray[np.uint16]:
    offset, quantisers, huffman, frame = 2, {}, {}, b""
    while (marker := stream[offset + 1]) != 0xDA:
        (length,) = struct.unpack_from(">H", stream, offset + 2)
        body = stream[offset + 4 : offset + 2 + length]
        if marker == 0xDB:
            quantisers[body[0]] = list(body[1:65])
        elif marker == 0xC4:
            huffman |= huffman_codes(body)
        elif marker in (0xC0, 0xC1):
            frame = body
        offset += 2 + length
    precision, rows, columns = struct.unpack_from(">BHH", frame)
    scan = stream[offset + 2 + struct.unpack_from(">H", stream, offset + 2)[0] :]
    bits = Bits(scan[: scan.index(b"\xff\xd9")])
    x = np.arange(8)
    basis: NDArray[Any] = np.cos((2 * x[None, :] + 1) * x[:, None] * np.pi / 16) / 2  # A.3.3
    basis[0] /= np.sqrt(2)
    across = -(-columns // 8)
    samples, previous = np.zeros((-(-rows // 8) * 8, across * 8)), 0
    for block in range(samples.size // 64):
        coefficients = np.zeros(64)
        previous += bits.signed(bits.symbol(huffman[0]))
        coefficients[0], place = previous * quantisers[0][0], 1
        while place < 64 and (run := bits.symbol(huffman[0x10])):
            place += run >> 4
            if run & 15:
                coefficients[ZIGZAG[place]] = bits.signed(run & 15) * quantisers[0][place]
            place += 1
        row, column = divmod(block, across)
        cell = basis.T @ coefficients.reshape(8, 8) @ basis
        samples[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = cell
    shifted = np.rint(samples[:rows, :columns]) + 2 ** (precision - 1)
    return shifted.clip(0, 2**precision - 1).astype(np.uint16)
