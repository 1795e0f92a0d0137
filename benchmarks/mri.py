"""Thigh MRI: how near the truth fat fractions and their changes come, in how many seconds and MiB.

    python benchmarks/mri.py [--full]

Serial truth: follow-ups made by known motion, bias (20 %), noise and conversion of water to fat, from the phantom and,
where the reference data lie beside the checkout, from three real patients. T1-weighted images are simulated from the
phantom; beside our estimate stands what clustering within each muscle would have measured (MuscleMap's rule as its
authors publish it: k-means or a Gaussian mixture with two or three components, fat is the brightest).
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from peers import begin
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from rarefactor.imaging import Settings, plan_folder
from rarefactor.imaging._common_view import compute_common_view
from rarefactor.imaging._fat_fraction import compute_fat_fraction
from rarefactor.imaging._job import make_job
from rarefactor.imaging._legs import LEG, compute_legs
from rarefactor.imaging._masks import read_labels
from rarefactor.imaging._measure import Origin, measure_regions
from rarefactor.imaging._patient import measure_patient
from rarefactor.imaging._propagate import propagate
from rarefactor.imaging._read import read_scan
from rarefactor.imaging._regions import MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._register import register
from rarefactor.imaging._scan import Kind
from rarefactor.imaging._settings import PatientFiles, VisitFiles
from rarefactor.imaging._swap import check_swap
from rarefactor.imaging._t1_only import compute_t1_estimate
from rarefactor.imaging._volume import Volume
from rarefactor.imaging._write import write_label_names, write_labels, write_nifti
from rarefactor.imaging.simulate import DEFAULT_GRID, SMALL_GRID, Look, Thigh, simulate_follow_up, simulate_thigh
from rarefactor.work import Cache, Workers, map_jobs

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "mri" / "huashan_dixon_thigh"
PATTERNS = {Kind.FAT: "*fat*", Kind.WATER: "*water*"}
FINE = replace(DEFAULT_GRID, shape=(8, 256, 256), spacing_mm=(40.0, 1.5, 1.5))
SPANS = {
    "healthy muscle, 2 to 8 % fat": (0.02, 0.08),
    "dystrophic, 3 to 65 % fat": (0.03, 0.65),
    "no muscle spared, 15 to 65 % fat": (0.15, 0.65),
}


@dataclass(frozen=True)
class Baseline:
    """A scan to make follow-ups from."""

    name: str
    fat: Volume
    water: Volume
    labels: LabelMap


def list_baselines(count: int) -> Iterator[Baseline]:
    for patient in ("Thigh_001", "Thigh_002", "Thigh_003")[:count] if REAL.is_dir() else ():
        files = {Kind.FAT: "*_0000.nii.gz", Kind.WATER: "*_0001.nii.gz"}
        scan = read_scan(tuple(sorted(REAL.glob(f"{patient}_000*.nii.gz"))), patterns=files)
        fat, water = (series.volume for kind in files if (series := scan.first([kind])))
        names = dict(enumerate(MUSCLES, start=1))
        yield Baseline(patient, fat, water, read_labels(REAL / f"{patient}_seg.nii.gz", fat.grid, names=names))
    for seed in range(1, count):
        made = simulate_thigh(np.random.default_rng(seed), grid=FINE)
        yield Baseline(f"phantom {seed}", made.fat, made.water, made.labels)


def compute_dice(found: LabelMap, truth: LabelMap) -> float:
    """The mean over regions."""
    dice: list[float] = []
    for label in truth.regions:
        one, other = found.values == label, truth.values == label
        if other.any():
            dice.append(2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other)))
    return float(np.mean(dice))


def measure_muscles(fat: Volume, water: Volume, labels: LabelMap, view: np.ndarray) -> dict[Region, float]:
    rows = measure_regions(compute_fat_fraction(fat, water), labels, Origin(visit=""), view=view)
    return {
        Region(name=row.site, side=row.side): row.fat_fraction
        for row in rows
        if row.site in MUSCLES and row.side and row.fat_fraction is not None
    }


def follow(start: Baseline, *, changed: bool) -> tuple[float, np.ndarray, float]:
    """Dice, error of the change of each muscle and side in points, CPU seconds of registration and propagation."""
    rng = np.random.default_rng(7)
    later = simulate_follow_up(start.fat, start.water, start.labels, rng, change=None if changed else {})
    begun = time.process_time()
    totals = [each.fat.with_values(each.fat.values + each.water.values) for each in (start, later)]
    motion = register(*totals)
    carried = propagate(start.labels, motion)
    seconds = time.process_time() - begun
    view = compute_common_view(motion)
    before = measure_muscles(start.fat, start.water, start.labels, view.baseline)
    after = measure_muscles(later.fat, later.water, carried, view.follow_up)
    truth = later.change
    errors = [100 * (after[region] - before[region] - truth[region]) for region in truth if region in after]
    return compute_dice(carried, later.labels), np.array(errors), seconds


def measure_serial_truth(count: int) -> None:
    print("\nSerial truth: Dice, error of the change in points (mean of sizes, 95th percentile, bias), CPU seconds")
    errors: list[np.ndarray] = []
    for start in list_baselines(count):
        for changed in (True, False):
            dice, found, seconds = follow(start, changed=changed)
            errors.append(found)
            words = "changed  " if changed else "no change"
            print(f"{start.name:10} {words} {say_errors(found)}  Dice {dice:.3f}  {seconds:.0f} s", flush=True)
    print(f"all                  {say_errors(np.concatenate(errors))}  of {sum(map(len, errors))} changes")


def say_errors(errors: np.ndarray) -> str:
    size = np.abs(errors)
    return f"MAE {size.mean():.2f}  P95 {np.percentile(size, 95):.2f}  bias {errors.mean():+.2f}"


def cluster(values: np.ndarray, method: str, components: int) -> float:
    """The share of a muscle's voxels in the brightest cluster, in per cent."""
    column = values[:, None]
    if method == "k-means":
        fitted = KMeans(components, n_init=1, random_state=0).fit(column)
        means, found = fitted.cluster_centers_.ravel(), fitted.labels_
    else:
        mixture = GaussianMixture(components, random_state=0).fit(column)
        means, found = mixture.means_.ravel(), mixture.predict(column)
    return 100 * float(np.mean(found == np.argmax(means)))


def make_muscles(seed: int, span: tuple[float, float]) -> Thigh:
    rng = np.random.default_rng(seed)
    fat = {Region(name=code, side=side): float(rng.uniform(*span)) for code in MUSCLES for side in Side}
    return simulate_thigh(rng, grid=FINE, fat=fat)


def measure_t1(count: int) -> None:
    print("\nT1-weighted images alone: mean error in points of 22 muscles")
    ways = [("k-means", 2), ("k-means", 3), ("mixture", 2), ("mixture", 3)]
    for words, span in SPANS.items():
        errors: dict[str, list[float]] = {}
        for seed in range(count):
            thigh = make_muscles(seed, span)
            t1 = thigh.render(Kind.T1, np.random.default_rng(seed))
            estimate = compute_t1_estimate(t1, compute_legs(t1), thigh.labels)
            for label in thigh.labels.regions:
                inside = thigh.labels.values == label
                truth = 100 * float(thigh.fat_fraction.values[inside].mean())
                seen = inside & estimate.valid
                errors.setdefault("ours", []).append(100 * float(estimate.values.values[seen].mean()) - truth)
                for method, components in ways:
                    found = cluster(t1.values[inside], method, components)
                    errors.setdefault(f"{method} {components}", []).append(found - truth)
        said = ", ".join(f"{name} {np.abs(found).mean():.1f}" for name, found in errors.items())
        print(f"{words}: {said}", flush=True)


def measure_swaps(count: int) -> None:
    found = missed = wrong = right = 0
    for start in list_baselines(count):
        total = start.fat.with_values(start.fat.values + start.water.values)
        legs = compute_legs(total)
        for side in Side:
            swapped = legs == LEG[side]
            fat = start.fat.with_values(np.where(swapped, start.water.values, start.fat.values))
            water = start.water.with_values(np.where(swapped, start.fat.values, start.water.values))
            for ring in check_swap(compute_fat_fraction(fat, water), legs):
                found += ring.swapped and ring.side is side
                missed += not ring.swapped and ring.side is side
                wrong += ring.swapped and ring.side is not side
                right += not ring.swapped and ring.side is not side
    print(f"\nSwap check, one leg swapped: {found} of {found + missed} slices found, {wrong} of {wrong + right} others")


def place_visits(root: Path, start: Baseline) -> PatientFiles:
    later = simulate_follow_up(start.fat, start.water, start.labels, np.random.default_rng(3))
    visits: list[VisitFiles] = []
    for month, (name, scan) in zip((0.0, 3.0), (("baseline", start), ("month_3", later)), strict=True):
        folder = root / start.name.replace(" ", "") / name
        folder.mkdir(parents=True)
        (folder / "fat.nii.gz").write_bytes(write_nifti(scan.fat))
        (folder / "water.nii.gz").write_bytes(write_nifti(scan.water))
        mask = folder / "labels.nii.gz" if name == "baseline" else None
        if mask:
            mask.write_bytes(write_labels(start.labels))
            (root / "names.csv").write_bytes(write_label_names(start.labels))
        visits.append(VisitFiles(visit=name, paths=(folder,), mask=mask, month=month))
    return PatientFiles(patient=start.name, visits=tuple(visits))


def measure_one(files: PatientFiles, settings: Settings) -> tuple[float, float, float]:
    """CPU seconds, seconds by the clock, MiB at most, in a process of its own; heavy imports are counted too."""
    cpu, wall = time.process_time(), time.perf_counter()
    measure_patient(files, settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return time.process_time() - cpu, time.perf_counter() - wall, peak


def measure_cost() -> None:
    print("\nOne patient with pictures, in a process of its own: CPU seconds, by the clock, MiB at most")
    start = next(list_baselines(2))
    with tempfile.TemporaryDirectory() as folder:
        files = place_visits(Path(folder), start)
        settings = Settings(names=read_names(Path(folder)))
        cases = {
            "one visit, reader's mask": replace(files, visits=files.visits[:1]),
            "one visit, muscle compartment": replace(files, visits=(replace(files.visits[0], mask=None),)),
            "two visits, mask of the first": files,
        }
        print(f"{start.name}, {' x '.join(map(str, start.fat.grid.shape))} voxels")
        for name, case in cases.items():
            with get_context("spawn").Pool(1) as pool:
                cpu, wall, peak = pool.apply(measure_one, (case, settings))
            print(f"{name}: {cpu:.1f} s, {wall:.1f} s, {peak:,.0f} MiB", flush=True)


def read_names(root: Path) -> dict[int, str]:
    lines = (root / "names.csv").read_text().splitlines()[1:]
    return {int(label): name for label, name in (line.split(",") for line in lines)}


def measure_studies(patients: int) -> None:
    print(f"\nA study of {patients} patients with two visits (voxels of 3 mm): seconds by the clock")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for seed in range(patients):
            made = simulate_thigh(np.random.default_rng(seed), grid=SMALL_GRID, look=Look(noise=0.005))
            place_visits(root / "scans", Baseline(f"P{seed}", made.fat, made.water, made.labels))
        asked = plan_folder(
            root / "scans", Settings(names=read_names(root / "scans")), layout="{subject}/{visit}",
            masks="{subject}/baseline/labels.nii.gz", months={"baseline": 0.0, "month_3": 3.0},
        )  # fmt: skip
        jobs = [make_job(files, asked.settings, code="") for files in asked.patients]
        for name, workers in (("1 process", Workers()), ("2 processes", Workers(processes=2))):
            print(f"{name}: {time_jobs(jobs, workers, None):.1f} s", flush=True)
        with start_cluster() as address:
            print(f"Dask, 2 workers: {time_jobs(jobs, Workers(cluster=address), None):.1f} s", flush=True)
        cache = Cache(root / "cache")
        map_jobs(jobs[: patients // 2], cache=cache)
        print(f"resumed with half of them done: {time_jobs(jobs, Workers(), cache):.1f} s")
        print(f"all done before: {time_jobs(jobs, Workers(), cache):.2f} s")


def start_cluster():  # noqa: ANN201 - a context of dask's
    from contextlib import contextmanager  # noqa: PLC0415 - beside what it is for

    from distributed import LocalCluster  # noqa: PLC0415 - a heavy import

    @contextmanager
    def started() -> Iterator[str]:
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            yield cluster.scheduler_address

    return started()


def time_jobs(jobs: list, workers: Workers, cache: Cache | None) -> float:
    start = time.perf_counter()
    map_jobs(jobs, cache=cache, workers=workers)
    return time.perf_counter() - start


def main() -> None:
    full = begin(__doc__ or "")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("" if REAL.is_dir() else "No reference data beside the checkout: phantom only.")
    measure_t1(3 if full else 1)
    measure_swaps(3 if full else 2)
    measure_cost()
    measure_studies(8 if full else 4)
    measure_serial_truth(3 if full else 2)


if __name__ == "__main__":
    main()
