"""Stained sections: megapixels per CPU-second, the same area from every format, and the memory of a large slide.

    python benchmarks/pathology.py [--full]

Area pass: counting the pixels of an image by DAB density, beside scikit-image's ``rgb2hed`` with a threshold, and
HistomicsTK's deconvolution where it can be imported (or where HISTOMICSTK_PYTHON names an interpreter that can).
Slides are made here of simulated muscle: a few JPEG tiles stand in the file once and are shown many times. End to end
is the first look, all blocks, their sum and the picture. ``--full`` also measures a pyramid of 100,000 x 80,000 pixels
with one and two processes, and the memory of these together. Nuclei have their own script, ``nuclei.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
from numpy.typing import NDArray
from openslide import OpenSlide
from peers import begin, time_in_turns, time_once
from peers.dicom_slide import write_dicom

from rarefactor.pathology import Reading, Settings, measure_folder, open_slide, plan_folder
from rarefactor.pathology._histogram import compute_histogram
from rarefactor.pathology._lookup import compute_lookup
from rarefactor.pathology._white import compute_white
from rarefactor.pathology.simulate import Camera, simulate_field

TILE, FRAME = 512, 2048
STEP, LEVELS = 4, 3
JPEG, APERIO_JPEG2000 = 7, 33005
APERIO = "Aperio Image Library v12.0.15\r\n{width}x{height} J2K/KDU Q=70|AppMag = 20|MPP = 0.5000"
HISTOMICSTK = Path(__file__).parent / "peers" / "histomicstk_area.py"
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Canvas:
    """A slide to be made: its size, how far the tissue reaches (share of each side), µm per pixel, its codec."""

    width: int
    height: int
    reach: float = 1.0
    um_per_px: float = 0.5
    codec: int = JPEG


def make_frame(um_per_px: float, stain: str = "BAFF-R") -> Image:
    camera = Camera(width=FRAME, height=FRAME, um_per_px=um_per_px)
    return simulate_field(np.random.default_rng(1), stain=stain, camera=camera).image


def encode(tile: Image, codec: int, subsampling: str = "420") -> bytes:
    import imagecodecs  # noqa: PLC0415 - an image library

    tile = np.ascontiguousarray(tile)
    if codec == JPEG:
        return bytes(imagecodecs.jpeg8_encode(tile, level=85, subsampling=subsampling))
    return bytes(imagecodecs.jpeg2k_encode(tile, level=40, reversible=False, codecformat="J2K"))


def write_canvas(path: Path, canvas: Canvas, frame: Image) -> None:
    """Write a pyramid whose equal tiles stand in the file once."""
    from tifffile import TiffFile, TiffWriter  # noqa: PLC0415 - an image library

    sizes = [(canvas.width // STEP**level, canvas.height // STEP**level) for level in range(LEVELS)]
    with TiffWriter(path, bigtiff=True) as tiff:
        for number, (width, height) in enumerate(sizes):
            count = -(-width // TILE) * -(-height // TILE)
            colours = (
                {"photometric": "ycbcr", "subsampling": (2, 2)} if canvas.codec == JPEG else {"photometric": "rgb"}
            )
            tiff.write(
                (b"\0" for _ in range(count)),
                shape=(height, width, 3),
                dtype="uint8",
                tile=(TILE, TILE),
                compression=canvas.codec,
                subfiletype=int(number > 0),
                description=APERIO.format(width=width, height=height) if canvas.codec != JPEG else "SYNTHETIC",
                metadata=None,
                resolution=(1e4 / canvas.um_per_px / STEP**number,) * 2,
                resolutionunit="CENTIMETER",
                **colours,
            )
    places: list[list[tuple[int, int]]] = []
    with path.open("ab") as file:
        places.extend(list(append_tiles(file, canvas, frame, number)) for number in range(LEVELS))
    with TiffFile(path, mode="r+b") as tiff:
        for page, held in zip(tiff.pages, places, strict=True):
            page.tags["TileOffsets"].overwrite([start for start, _ in held])
            page.tags["TileByteCounts"].overwrite([count for _, count in held])


def append_tiles(file: BinaryIO, canvas: Canvas, frame: Image, number: int) -> Iterator[tuple[int, int]]:
    """Append the tiles of a level, equal ones once, and give where each lies."""
    known: dict[bytes, tuple[int, int]] = {}
    scale = STEP**number
    small = frame if number == 0 else reduce(frame, scale)
    wide = np.tile(small, (max(1, TILE // small.shape[0]), max(1, TILE // small.shape[1]), 1))
    for y in range(0, canvas.height // scale, TILE):
        for x in range(0, canvas.width // scale, TILE):
            inside = is_tissue(canvas, (x + TILE / 2) * scale, (y + TILE / 2) * scale)
            tile = (
                wide[y % wide.shape[0] :, x % wide.shape[1] :][:TILE, :TILE]
                if inside
                else np.full_like(wide[:TILE, :TILE], 240)
            )
            key = (y % wide.shape[0], x % wide.shape[1]) if inside else None
            if key not in known:
                data = encode(tile, canvas.codec)
                known[key] = file.tell(), len(data)
                file.write(data)
            yield known[key]


def is_tissue(canvas: Canvas, x: float, y: float) -> bool:
    return max(abs(x / canvas.width - 0.5), abs(y / canvas.height - 0.5)) <= canvas.reach / 2


def reduce(image: Image, factor: int) -> Image:
    from PIL import Image as Pil  # noqa: PLC0415 - an image library

    return np.asarray(Pil.fromarray(image).reduce(factor))


def read_sample() -> Image:
    """Return scikit-image's own H-DAB field."""
    import skimage  # noqa: PLC0415 - used here only
    from PIL import Image as Pil  # noqa: PLC0415 - an image library

    return np.asarray(Pil.open(Path(skimage.__file__).parent / "data" / "ihc.png").convert("RGB"))


def measure_area_pass() -> None:
    from skimage.color import rgb2hed  # noqa: PLC0415 - a peer

    image = np.tile(read_sample(), (8, 8, 1))
    pixels = image.shape[0] * image.shape[1] / 1e6
    lookup = compute_lookup(compute_white(image))
    compute_lookup.__globals__["_remember"].cache_clear()
    table = time_once(lambda: compute_lookup(compute_white(image)))
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: compute_histogram(image, lookup),
        "skimage": lambda: np.mean(rgb2hed(image)[..., 2] > 0.03),
    }
    found = time_in_turns(works, 3)
    print(f"Area pass, {pixels:.1f} MP of scikit-image's H-DAB field, MP per CPU-second")
    print(f"  ours {pixels / found['ours']:.0f} (white and table once for a slide: {1000 * table:.0f} ms)")
    print(f"  skimage rgb2hed and a threshold {pixels / found['skimage']:.1f}")
    measure_histomicstk(image)


def measure_histomicstk(image: Image) -> None:
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "image.npy", image)
        command = [os.environ.get("HISTOMICSTK_PYTHON", sys.executable), HISTOMICSTK, Path(folder) / "image.npy"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"  {done.stdout.strip() or 'HistomicsTK is left out: it cannot be imported here.'}")


def measure_slides(folder: Path, side: int) -> None:
    """Print rates for slides of JPEG and JPEG 2000, all of which is tissue."""
    frame = make_frame(0.5)
    for name, codec, size in (("JPEG", JPEG, side), ("JPEG 2000", APERIO_JPEG2000, side // 4)):
        path = folder / f"{name.replace(' ', '')}.{'tif' if codec == JPEG else 'svs'}"
        write_canvas(path, Canvas(width=size, height=size, codec=codec), frame)
        works: dict[str, Callable[[], object]] = {
            "ours": lambda path=path: decode(path),
            "openslide": lambda path=path: decode_peer(OpenSlide(path)),
            "end": lambda path=path: measure_folder(plan_folder(path, Settings())),
        }
        found = time_in_turns(works, 2)
        pixels = size**2 / 1e6
        rates = {each: pixels / seconds for each, seconds in found.items()}
        print(f"A slide of {name}, {pixels:.0f} MP, all tissue, MP per CPU-second")
        print(f"  end to end with its picture {rates['end']:.1f}; decoding alone {rates['ours']:.1f}, ", end="")
        print(f"openslide decoding alone {rates['openslide']:.1f}")


def decode(path: Path) -> int:
    with open_slide(path) as slide:
        return sum(tile.image.shape[0] for tile in slide.tiles())


def decode_peer(slide: OpenSlide) -> int:
    width, height = slide.dimensions
    corners = [(x, y) for y in range(0, height, FRAME) for x in range(0, width, FRAME)]
    return sum(np.asarray(slide.read_region(corner, 0, (FRAME, FRAME)).convert("RGB")).shape[0] for corner in corners)


def measure_fields() -> None:
    """Print what a photographed field costs, picture included, once the libraries are loaded."""
    from rarefactor.pathology._write_slide import write_field  # noqa: PLC0415 - used here only

    with tempfile.TemporaryDirectory() as place:
        for stain in ("BAFF-R", "CD20"):
            made = simulate_field(np.random.default_rng(2), stain=stain, camera=Camera(width=1200, height=1200))
            (Path(place) / f"P1_{stain}.tif").write_bytes(write_field(made))
        for stain, measure in (("BAFF-R", "area"), ("CD20", "cells")):
            settings = Settings(readings={stain: Reading(measure=measure)})
            plan = plan_folder(Path(place), settings, layout="{subject}_{stain}.tif", stain=stain)
            seconds = time_in_turns({"one": lambda plan=plan: measure_folder(plan)}, 5)["one"]
            print(f"A field of 1,200 x 1,200 pixels, {measure}, with its picture: {seconds:.2f} CPU-seconds")


def measure_formats(folder: Path) -> None:
    """Print the area of one mosaic on glass, the same JPEG tiles in each format."""
    from tifffile import imwrite  # noqa: PLC0415 - an image library

    own = read_sample()
    row = np.concatenate([own, own[:, ::-1]], axis=1)
    image = np.full((4096, 5120, 3), 240, dtype=np.uint8)
    image[512:3584, 1024:4096] = np.tile(np.concatenate([row, row[::-1]]), (3, 3, 1))
    tiles = [
        encode(image[y : y + TILE, x : x + TILE], JPEG, "444")
        for y in range(0, 4096, TILE)
        for x in range(0, 5120, TILE)
    ]
    stored = {"shape": image.shape, "dtype": "uint8", "tile": (TILE, TILE), "compression": "jpeg"}
    stored |= {"photometric": "ycbcr", "subsampling": (1, 1)}
    size = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "axes": "YXS"}
    imwrite(folder / "slide.ome.tif", iter(tiles), ome=True, metadata=size, **stored)
    imwrite(folder / "generic.tif", iter(tiles), resolution=(20000, 20000), resolutionunit="CENTIMETER", **stored)
    (folder / "dicom").mkdir()
    write_dicom(folder / "dicom" / "slide.dcm", image.shape, tiles, um_per_px=0.5)
    areas = {
        name: measure_folder(plan_folder(folder / name, Settings())).results[0].positive_area or float("nan")
        for name in ("slide.ome.tif", "generic.tif", "dicom")
    }
    told = ", ".join(f"{name} {100 * area:.2f}" for name, area in areas.items())
    spread = 100 * (max(areas.values()) - min(areas.values()))
    print(f"Area of the same mosaic, % of the section: {told}; apart by {spread:.2f} points")


def measure_large(folder: Path, canvas: Canvas) -> None:
    path = folder / "large.tif"
    start = time.perf_counter()
    write_canvas(path, canvas, make_frame(canvas.um_per_px))
    print(f"A pyramid of {canvas.width:,} x {canvas.height:,} pixels at {canvas.um_per_px} µm, ", end="")
    print(f"{canvas.reach**2:.0%} tissue (made in {time.perf_counter() - start:.0f} s)")
    for workers in (1, 2):
        seconds, cpu, memory, area = watch(path, folder / f"out{workers}", workers)
        print(f"  {workers} processes: {seconds:.0f} s by the clock, {cpu:.0f} CPU-seconds, ", end="")
        rate = canvas.width * canvas.height * canvas.reach**2 / 1e6 / cpu
        print(f"{rate:.0f} MP of tissue per CPU-second, all together at most {memory:.0f} MiB; area {100 * area:.2f} %")


def watch(path: Path, out: Path, workers: int) -> tuple[float, float, float, float]:
    """Measure a slide in processes of their own; return seconds, CPU-seconds, MiB of all at once, and the area."""
    program = "import sys; from rarefactor.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "measure", "ihc", path, "--out", out, "--workers", workers, "--quiet"]
    start, most, spent = time.perf_counter(), 0.0, dict[int, float]()
    with subprocess.Popen([str(word) for word in command]) as running:
        parent = psutil.Process(running.pid)
        while running.poll() is None:
            held = 0
            for each in [parent, *children(parent)]:
                try:
                    held += each.memory_info().rss
                    times = each.cpu_times()
                    spent[each.pid] = times.user + times.system
                except psutil.Error:
                    continue
            most = max(most, held / 2**20)
            time.sleep(0.1)
    rows = (out / "measurements" / "ihc.csv").read_text().splitlines()
    row = dict(zip(rows[0].split(","), rows[1].split(","), strict=False))
    return time.perf_counter() - start, sum(spent.values()), most, float(row["positive_area"])


def children(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return parent.children(recursive=True)
    except psutil.Error:
        return []


def main() -> None:
    full = begin(__doc__ or "")
    measure_area_pass()
    measure_fields()
    with tempfile.TemporaryDirectory() as place:
        measure_formats(Path(place))
        measure_slides(Path(place), 16384 if full else 8192)
        if full:
            measure_large(Path(place), Canvas(width=100_000, height=80_000, reach=0.7, um_per_px=0.25))


if __name__ == "__main__":
    main()
