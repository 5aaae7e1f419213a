"""Video files, recognised by their content."""

#: Bytes at the start of a file that `is_video` looks at.
HEAD_BYTES = 400
#: Brands of ISO base media files that contain only pictures or only sound.
_NO_VIDEO = (b"avif", b"avis", b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevx", b"mif1", b"msf1", b"M4A ", b"M4B ")
#: First boxes of QuickTime files without `ftyp`.
_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_MAGIC = (b"\x1a\x45\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV\1", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")
#: Length of an MPEG transport stream packet, and of one with a timestamp before it (.m2ts).
_PACKETS = ((188, 0), (192, 4))


def is_video(head: bytes) -> bool:
    """Return whether a file that starts with `head` is a video in a known container."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in _NO_VIDEO
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    if head.startswith(_MAGIC) or head[4:8] in _QUICKTIME:
        return True
    return any(
        len(head) > offset + length and head[offset::length][:3].strip(b"\x47") == b"" and head[offset] == 0x47
        for length, offset in _PACKETS
    )
