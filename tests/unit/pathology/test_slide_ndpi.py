"""A Hamamatsu slide, one JPEG cut by restart markers, is read piece by piece and shows what OpenSlide shows."""

import io
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rarefactor.pathology import open_slide

TYPES = {"H": 3, "I": 4, "i": 9, "f": 11, "s": 2, "R": 5}
Tag = tuple[int, str, Sequence[float] | bytes]


def _jpeg(image: np.ndarray) -> tuple[bytes, list[int]]:
    """A JPEG with a restart marker after 16 blocks of 8 pixels, and where the data after each marker start."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=90, subsampling=0, restart_marker_blocks=16)
    data = file.getvalue()
    scan = data.index(b"\xff\xda")
    first = scan + 2 + struct.unpack(">H", data[scan + 2 : scan + 4])[0]
    return data, [first, *(first + found.end() for found in re.finditer(rb"\xff[\xd0-\xd7]", data[first:]))]


def _pack(kind: str, values: Sequence[float] | bytes) -> tuple[int, bytes]:
    if isinstance(values, bytes):
        return len(values), values
    if kind == "R":
        return len(values), b"".join(struct.pack("<II", round(value), 1) for value in values)
    return len(values), struct.pack(f"<{len(values)}{kind}", *values)


def _directory(tags: Sequence[Tag], at: int, *, last: bool) -> bytes:
    """A directory of NDPI: offsets of 64 bits, the upper half of each value behind the entries; then the values."""
    begin = at + 2 + 12 * len(tags) + 8 + 4 * len(tags)
    entries, values = b"", b""
    for code, kind, held in tags:
        count, packed = _pack(kind, held)
        inline = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", begin + len(values))
        values += packed if len(packed) > 4 else b""
        entries += struct.pack("<HHI", code, TYPES[kind], count) + inline
    following = 0 if last else begin + len(values)
    return struct.pack("<H", len(tags)) + entries + struct.pack("<Q", following) + bytes(4 * len(tags)) + values


def _tags(image: np.ndarray, starts: Sequence[int], data: tuple[int, int], lens: float) -> list[Tag]:
    rows, columns = image.shape[:2]
    tags: list[Tag] = [
        (256, "I", [columns]),
        (257, "I", [rows]),
        (258, "H", [8, 8, 8]),
        (259, "H", [7]),
        (262, "H", [6]),
    ]
    tags += [(271, "s", b"Hamamatsu\0"), (272, "s", b"NanoZoomer\0"), (273, "I", [data[0]]), (277, "H", [3])]
    tags += [
        (278, "I", [rows]),
        (279, "I", [data[1]]),
        (282, "R", [20_000 * lens / 20]),
        (283, "R", [20_000 * lens / 20]),
    ]
    tags += [(284, "H", [1]), (296, "H", [3]), (65420, "I", [1]), (65421, "f", [lens]), (65424, "i", [0])]
    return [*tags, (65426, "I", starts)]


def _write(path: Path, levels: Sequence[np.ndarray]) -> None:
    content = struct.pack("<2sHQ", b"II", 42, 0)
    jpegs = [_jpeg(level) for level in levels]
    places = []
    for data, _ in jpegs:
        places.append((len(content), len(data)))
        content += data
    content = content[:4] + struct.pack("<Q", len(content)) + content[12:]
    for i, level in enumerate(levels):
        lens = 20.0 * level.shape[1] / levels[0].shape[1]
        content += _directory(_tags(level, jpegs[i][1], places[i], lens), len(content), last=i == len(levels) - 1)
    path.write_bytes(content)


def test_a_hamamatsu_slide_is_read_by_its_restart_markers(tmp_path: Path) -> None:
    openslide = pytest.importorskip("openslide")
    coarse = np.random.default_rng(1).integers(80, 250, (16, 32, 3)).astype(np.uint8)
    image = np.kron(coarse, np.ones((16, 16, 1), dtype=np.uint8))
    path = tmp_path / "slide.ndpi"
    _write(path, (image, image[::2, ::2]))
    with open_slide(path) as ours, openslide.OpenSlide(str(path)) as theirs:
        assert (ours.width, ours.height, ours.downsamples) == (*theirs.dimensions, (1.0, 2.0))
        assert (ours.microns_per_pixel.value, ours.microns_per_pixel.source) == (0.5, "Hamamatsu resolution")
        expected = np.asarray(theirs.read_region((100, 30), 0, (300, 200)))[..., :3]
        assert np.array_equal(ours.read(100, 30, 300, 200), expected)
        half = np.asarray(theirs.read_region((100, 30), 1, (150, 100)))[..., :3]
        assert np.array_equal(ours.read(100, 30, 300, 200, downsample=2), half)
        assert not ours.flags
