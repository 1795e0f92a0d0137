"""Nuclei: pixels per CPU-second, and how many are found where the truth is known, beside a network's own output.

    python benchmarks/nuclei.py [--full]

Speed: a simulated muscle section and a dense mosaic of the reference fields, at 0.5 µm per pixel, from red, green and
blue to labels, then to a table of cells. Truth: six Ki67 fields in which readers outlined nuclei (0.25 µm per pixel
assumed, read at 0.5). A nucleus counts as found if its centroid lies within 4 µm (about a nucleus's radius) of the
truth's, one to one; beside it at an overlap of half (IoU 0.5), as the truth lies and moved to where it fits best: in
two fields the outlines lie 1.5 and 2 µm beside the nuclei. ``--full`` simulates four sections.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from peers import begin, time_once
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from rarefactor.pathology._cells import Cells, compute_cells, compute_grades
from rarefactor.pathology._compartments import Compartment
from rarefactor.pathology._nuclei import NUCLEI, NUCLEI_IN_BROWN, NucleusSettings, compute_nuclei
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._watershed import Labels
from rarefactor.pathology._white import compute_white

STAINS = ("CD20", "BAFF-R", "MHC-I", "C5b-9")
FIELDS = ("22_2", "34_3", "6_2", "799_2", "Bladder1", "Lung1")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "ihc" / "truth"
RADIUS_UM = 4.0
FINE, COARSE = 0.25, 0.5
Image = NDArray[np.uint8]
Counts = tuple[int, int, int]


def read_image(name: str, kind: str) -> Image:
    from PIL import Image as Pil  # noqa: PLC0415 - read only where the fields are

    return np.asarray(Pil.open(SHARED / f"{name}_{kind}.png").convert("RGB"))


def halve(image: Image) -> Image:
    rows, columns = (side // 2 for side in image.shape[:2])
    return np.round(image.reshape(rows, 2, columns, 2, 3).mean(axis=(1, 3))).astype(np.uint8)


def read_labels(image: Image, core: NDArray[np.bool_], border: NDArray[np.bool_], smallest: int) -> Labels:
    """Return the pieces of ``core``, each with the border that is nearest to it, at most three pixels wide."""
    pieces = ndimage.label(core)[0]
    small = np.bincount(pieces.ravel()) < smallest
    pieces[small[pieces]] = 0
    numbers = np.unique(pieces, return_inverse=True)[1].reshape(image.shape[:2])
    far, near = ndimage.distance_transform_edt(numbers == 0, return_indices=True)
    return np.where((numbers == 0) & border & (far <= 3), numbers[tuple(near)], numbers).astype(np.int32)


def read_truth(name: str) -> tuple[Labels, NDArray[np.bool_]]:
    """Return the outlined nuclei of a field, and which of them are positive."""
    image = read_image(name, "truth")
    red, green, blue = (image[..., channel] > 127 for channel in range(3))
    labels = read_labels(image, (red | blue) & ~green, green, 20)
    return labels, np.asarray(ndimage.mean(red & ~green, labels, range(1, labels.max() + 1))) > 0.25


def read_peer(name: str) -> Labels:
    """Return the nuclei of the network's output image, by its makers' kind of threshold."""
    image = read_image(name, "deepliif_output").astype(np.int64)
    border = image[..., 1] > 80
    return read_labels(image, (image[..., 0] + image[..., 2] > 120) & ~border, border, 50)


def find_centres(labels: Labels) -> NDArray[np.float64]:
    return np.array(ndimage.center_of_mass(labels > 0, labels, range(1, labels.max() + 1))).reshape(-1, 2)


def match_centres(truth: NDArray[np.float64], found: NDArray[np.float64], radius: float) -> NDArray[np.intp]:
    """Return the pairs (pair, 2) of places in ``truth`` and in ``found``."""
    far = cdist(truth, found)
    pairs = np.column_stack(linear_sum_assignment(np.where(far <= radius, far, 1e6)))
    return pairs[far[pairs[:, 0], pairs[:, 1]] <= radius]


def count_overlaps(truth: Labels, found: Labels) -> int:
    columns = int(found.max()) + 1
    both = np.bincount(truth.ravel().astype(np.int64) * columns + found.ravel(), minlength=(truth.max() + 1) * columns)
    both = both.reshape(-1, columns)
    union = both.sum(axis=1)[:, None] + both.sum(axis=0)[None] - both
    return int((both[1:, 1:] / union[1:, 1:] > 0.5).sum())


def find_shift(truth: Labels, image: Image) -> tuple[int, int]:
    """Return by how many pixels (down, right) the outlines fit best on what is dark in red light."""
    dark = np.minimum(255 - image[..., 0].astype(float), 100)
    shifts = [(down, right) for down in range(-12, 13, 2) for right in range(-12, 13, 2)]
    fits = [np.corrcoef(np.roll(truth > 0, each, (0, 1)).ravel(), dark.ravel())[0, 1] for each in shifts]
    return shifts[int(np.argmax(fits))]


def find_cells(image: Image, settings: NucleusSettings = NUCLEI) -> tuple[Labels, Cells]:
    white = compute_white(image)
    labels = compute_nuclei(image, white, settings=settings)
    tile = Tile(window=Window(x=0, y=0, width=image.shape[1], height=image.shape[0]), image=image)
    return labels, compute_cells(tile, labels, white, um_per_px=COARSE)


def say_f1(name: str, counts: list[Counts]) -> None:
    table = np.array(counts)
    each = 2 * table[:, 0] / (table[:, 1] + table[:, 2])
    pooled = 2 * table[:, 0].sum() / (table[:, 1] + table[:, 2]).sum()
    print(f"  {name:44} F1 {pooled:.3f} of all nuclei, {each.mean():.3f} mean of {len(each)} fields")


def compute_icc(one: list[int], other: list[int]) -> float:
    """The intraclass correlation of single values, two-way random, absolute agreement."""
    table = np.column_stack([one, other]).astype(float)
    rows, columns = len(table), 2
    centred = table - table.mean()
    of_rows = columns * (centred.mean(axis=1) ** 2).sum() / (rows - 1)
    of_columns = rows * (centred.mean(axis=0) ** 2).sum()
    rest = ((centred**2).sum() - of_rows * (rows - 1) - of_columns) / (rows - 1)
    return float((of_rows - rest) / (of_rows + rest + columns * (of_columns - rest) / rows))


def measure_fields() -> None:
    centred: list[Counts] = []
    raw: list[Counts] = []
    moved: list[Counts] = []
    positive: list[tuple[int, int, int]] = []
    for name in FIELDS:
        image = read_image(name, "ihc")
        truth, is_positive = read_truth(name)
        labels, cells = find_cells(halve(image))
        pairs = match_centres(find_centres(truth), np.column_stack([cells.y, cells.x]) * 2 - 0.5, RADIUS_UM / FINE)
        fine, sizes = np.kron(labels, np.ones((2, 2), dtype=np.int32)), (int(truth.max()), len(cells))
        centred.append((len(pairs), *sizes))
        raw.append((count_overlaps(truth, fine), *sizes))
        moved.append((count_overlaps(np.roll(truth, find_shift(truth, image), (0, 1)), fine), *sizes))
        brown = cells.nucleus >= 0.2
        positive.append((int(is_positive.sum()), int(brown[pairs[:, 1]].sum()), int(brown.sum())))
        print(f"  {name:9} truth {sizes[0]:3}, found {sizes[1]:3}, common {len(pairs):3}; positive {positive[-1]}")
    say_f1("ours, centroid within 4 µm", centred)
    say_f1("ours, IoU 0.5", raw)
    say_f1("ours, IoU 0.5, truth moved to its nuclei", moved)
    given, common, all_ = (list(column) for column in zip(*positive, strict=True))
    print(f"  positive count, ICC(2,1): {compute_icc(given, common):.3f} among nuclei that the truth has, ", end="")
    print(f"{compute_icc(given, all_):.3f} with those that it leaves out")
    say_f1("ours, the four fields of the network's, 4 µm", centred[:4])
    measure_peer()


def measure_peer() -> None:
    centred: list[Counts] = []
    overlapping: list[Counts] = []
    for name in FIELDS[:4]:
        truth, found = read_truth(name)[0], read_peer(name)
        sizes = int(truth.max()), int(found.max())
        pairs = match_centres(find_centres(truth), find_centres(found), RADIUS_UM / FINE)
        centred.append((len(pairs), *sizes))
        overlapping.append((count_overlaps(truth, found), *sizes))
    say_f1("DeepLIIF's own output, centroid within 4 µm", centred)
    say_f1("DeepLIIF's own output, IoU 0.5", overlapping)


def say_speed(name: str, image: Image, settings: NucleusSettings = NUCLEI) -> None:
    white = compute_white(image)
    pixels = image.shape[0] * image.shape[1] / 1e6
    labels = min(time_once(lambda: compute_nuclei(image, white, settings=settings)) for _ in range(3))
    cells = min(time_once(lambda: find_cells(image, settings)) for _ in range(3))
    count = len(find_cells(image, settings)[1])
    rate = f"{pixels / labels:.1f} MP per CPU-second to labels, {pixels / cells:.1f} to cells with white"
    print(f"  {name}, {pixels:.1f} MP, {count} nuclei: {rate}")


def measure_muscle(count: int) -> None:
    from rarefactor.pathology.simulate import simulate_field  # noqa: PLC0415 - used here only

    for stain, settings in (("CD20", NUCLEI), *((each, NUCLEI_IN_BROWN) for each in STAINS)):
        counts: list[Counts] = []
        positive = np.zeros(3)
        for seed in range(count):
            field = simulate_field(np.random.default_rng(seed), stain=stain)
            cells = find_cells(field.image, settings)[1]
            truth = np.array([[cell.y, cell.x] for cell in field.truth.cells])
            pairs = match_centres(truth, np.column_stack([cells.y, cells.x]), RADIUS_UM / COARSE)
            counts.append((len(pairs), len(truth), len(cells)))
            read = int((compute_grades(cells, Compartment.MAX) > 0).sum())
            positive += sum(cell.positive for cell in field.truth.cells), read, field.truth.tissue_mm2
        name = "brown's share taken off" if settings is NUCLEI_IN_BROWN else "red light"
        say_f1(f"simulated muscle, {stain}, {name}", counts)
        true, found = positive[:2] / positive[2]
        print(f"    positive cells per mm², membrane or cytoplasm: true {true:.0f}, found {found:.0f}")
    say_speed("simulated muscle", field.image)
    say_speed("the same, brown's share taken off", field.image, NUCLEI_IN_BROWN)


def main() -> None:
    count = 4 if begin(__doc__ or "") else 1
    measure_muscle(count)
    if not SHARED.is_dir():
        print("The six fields lie beside the checkout (../shared); a lone clone has none.")
        return
    fields = [halve(read_image(name, "ihc")) for name in FIELDS]
    mosaic = np.vstack([np.hstack(fields[:3]), np.hstack(fields[3:])])
    say_speed("mosaic of six dense fields", np.tile(mosaic, (3, 2, 1)))
    measure_fields()


if __name__ == "__main__":
    main()
