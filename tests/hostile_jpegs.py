"""Small JPEGs that are expensive to decode, or larger than they seem."""

import io
import struct

from PIL import Image


def many_scans(width: int, height: int, scans: int) -> bytes:
    """A legal progressive JPEG: one DC scan, then `scans` refinements that change nothing."""

    def segment(marker: int, data: bytes) -> bytes:
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data

    def pack(bits: str) -> bytes:
        bits += "1" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")

    blocks = -(-width // 8) * -(-height // 8)
    runs, left = "", blocks
    while left >= 16384:
        run = min(left, 32767)
        runs, left = runs + "0" + format(run - 16384, "014b"), left - run
    runs += "0" + "0" * 14 if left else ""
    tables = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    tables += segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0") + segment(
        0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\xe0"
    )
    first = segment(0xDA, b"\1\1\0\0\0\1") + pack("0" * blocks) + segment(0xDA, b"\1\1\0\1\x3f\x01") + pack(runs)
    return b"\xff\xd8" + tables + first + (segment(0xDA, b"\1\1\0\1\x3f\x10") + pack(runs)) * scans + b"\xff\xd9"


def decoy_size(side: int) -> bytes:
    """A gray square that a naive walk of the markers takes for 16 x 16.

    A restart marker has no length. A walk that reads one ends at a decoy.
    """
    stream = io.BytesIO()
    Image.new("L", (side, side), 128).save(stream, "JPEG", progressive=True, optimize=True)
    first = b"\xff\xfe\xff\xff" + bytes(65530) + b"\xff\xc0\x00"
    second = b"\xff\xfe\x00\x10\x00\x10\x01" + bytes(11)
    return b"\xff\xd8\xff\xd0" + first + second + stream.getvalue()[2:]
