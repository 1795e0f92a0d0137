"""``rarefactor measure ihc`` with tables beside the slides, detectors, cells for QuPath; work that is cut off."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor import pathology, spec
from rarefactor.cli import main
from rarefactor.pathology import detect
from rarefactor.pathology._write_slide import write_field
from rarefactor.pathology.simulate import Camera, Look, simulate_field
from rarefactor.work import Cache, Silent, Workers

BROWN, BLUE, GLASS = (150, 110, 80), (165, 165, 205), (240, 240, 240)


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def measure(*arguments: object) -> int:
    return main(["measure", "ihc", *map(str, arguments), "--quiet"])


def write_section(path: Path, brown: float) -> None:
    """Write a section of two colours on glass, of which a share is brown."""
    from PIL import Image

    image = np.full((120, 120, 3), GLASS, dtype=np.uint8)
    image[20:-20, 60:-20] = BLUE
    image[20 : 20 + round(brown * 80), 60:-20] = BROWN
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


@pytest.fixture(scope="module")
def inflamed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    look = Look(lymphocytes_per_mm2=1500.0, b_share=0.5, in_foci=0.2)
    made = simulate_field(np.random.default_rng(8), stain="CD20", look=look, camera=Camera(width=256, height=256))
    path = tmp_path_factory.mktemp("inflamed") / "P1_CD20.tif"
    path.write_bytes(write_field(made))
    return path


def test_cells_are_written_for_qupath_as_they_are_counted(inflamed: Path, tmp_path: Path) -> None:
    assert measure(inflamed, "--stain", "CD20", "--measure", "cells", "--cells", "--out", tmp_path) == 0
    (row,) = read_rows(tmp_path / "measurements/ihc.csv")
    held = json.loads((tmp_path / "cells/P1_CD20_CD20.geojson").read_bytes())
    kinds = Counter(each["properties"]["classification"]["name"] for each in held["features"])
    assert len(held["features"]) == int(row["cells"]) > 20
    assert kinds["Positive"] == int(row["positive_cells"]) > 3
    for each in held["features"]:
        outline, nucleus = (np.array(each[name]["coordinates"][0]) for name in ("geometry", "nucleusGeometry"))
        assert (outline[0] == outline[-1]).all()
        assert (outline.min(axis=0) <= nucleus.min(axis=0)).all()
        assert 0 <= outline.min() < outline.max() <= 256


class Corner:
    """Finds one nucleus, always in the same place."""

    def detect(self, image: np.ndarray, microns_per_pixel: float) -> np.ndarray:
        assert microns_per_pixel == pytest.approx(0.5)
        labels = np.zeros(image.shape[:2], dtype=np.int32)
        labels[100:112, 100:112] = 7
        return labels


def plug(monkeypatch: pytest.MonkeyPatch, made: object) -> None:
    from importlib.metadata import EntryPoint

    monkeypatch.setattr(EntryPoint, "load", lambda _: made)
    points = [EntryPoint(name="corner", value="plugin:Corner", group=detect.GROUP)]
    monkeypatch.setattr(detect, "entry_points", lambda group: points if group == detect.GROUP else [])


def test_a_detector_of_the_users_finds_the_nuclei(
    inflamed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(monkeypatch, Corner)
    assert measure(inflamed, "--measure", "cells", "--detector", "corner", "--out", tmp_path / "one") == 0
    (row,) = read_rows(tmp_path / "one/measurements/ihc.csv")
    assert row["cells"] == "1"

    class Broken:
        def detect(self, *_: object) -> None:
            raise MemoryError

    plug(monkeypatch, Broken)
    assert measure(inflamed, "--measure", "cells", "--detector", "corner", "--out", tmp_path / "two") == 5
    (failed,) = read_rows(tmp_path / "two/measurements/ihc_failures.csv")
    assert failed["found"] == "a detector that failed (MemoryError)"


@pytest.mark.parametrize(
    ("name", "words"),
    [("stardist:nowhere", "no usable package stardist"), ("nuclei9000", "no detector nuclei9000")],
)
def test_a_detector_that_is_not_there_is_refused_before_anything_is_measured(
    name: str, words: str, inflamed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert measure(inflamed, "--measure", "cells", "--detector", name, "--out", out) == 9
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_scores_and_runs_without_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, scores = ["slide,run,date,antibody,dilution,control"], ["patient,stain,reader,scale,score"]
    for place in range(6):
        write_section(tmp_path / f"slides/s{place}.png", 0.1 * place + 0.1)
        runs.append(f"s{place}.png,R{place % 2},,DAB,,{'yes' if place == 5 else ''}")
        scores += [f"s{place},DAB,{who},percent,{10 * place + 10 + more}" for who, more in (("A", 0), ("B", 1))]
    (tmp_path / "runs.csv").write_text("\n".join(runs))
    (tmp_path / "scores.csv").write_text("\n".join([*scores, "s1,DAB,C,percent,101"]))
    beside = ["--manifest", tmp_path / "runs.csv", "--runs", "medians", "--scores", tmp_path / "scores.csv"]
    out = tmp_path / "out"
    arguments = ["measure", "ihc", str(tmp_path / "slides"), *map(str, beside), "--out", str(out)]
    assert main([*arguments, "--denominator", "dense"]) == 5
    told = capsys.readouterr().out
    assert "scores.csv, row 14, column score" in told
    assert "values adjusted by the medians of runs stand beside the measured ones" in told
    assert {row["patient"] for row in read_rows(out / "measurements/ihc.csv")} == {f"s{place}" for place in range(5)}
    (control,) = read_rows(out / "measurements/ihc_controls.csv")
    assert control["patient"] == "control R1"
    agreed, measured = read_rows(out / "measurements/ihc_agreement.csv")
    assert float(agreed["bias"]) == pytest.approx(-1.0)
    assert (measured["readers"], measured["n"]) == ("measured / readers", "5")
    assert float(measured["rho"]) == pytest.approx(1.0)
    assert (out / "overlays/DAB_readers.png").read_bytes().startswith(b"\x89PNG")
    assert measure(tmp_path / "slides", "--manifest", tmp_path / "no.csv", "--out", tmp_path / "none") == 4


class CutOff(Silent):
    """Progress that ends the run after some slides, as a closed lid does."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, step: str, count: int = 1) -> None:
        if step == "Measure stained sections" and count:
            self.left -= count
        if self.left < 0:
            raise KeyboardInterrupt


class Counted(Silent):
    """Progress that keeps how much of a step was there already when it began."""

    def __init__(self) -> None:
        self.first: dict[str, int] = {}

    def advance(self, step: str, count: int = 1) -> None:
        self.first.setdefault(step, count)


def test_a_run_that_was_cut_off_goes_on_where_it_was(clinic: Any) -> None:
    clinic.edit("outcome:\n", "pathology:\n  biopsy: {folder: slides, stains: {CD20: area}}\noutcome:\n")
    for number in range(1, 6):
        write_section(clinic.folder / f"slides/{number:03}_CD20.tif", 0.1 * number)
    study = spec.load(clinic.study)
    asked = pathology.plan(study, {f"{number:03}": f"S{number}" for number in range(1, 6)})
    assert asked is not None
    cache, counted = Cache(clinic.folder / "cache"), Counted()
    with pytest.raises(KeyboardInterrupt):
        pathology.measure(study, asked, code="", cache=cache, progress=CutOff(2))
    assert pathology.count_known(asked, cache, code="") == 5
    found = pathology.measure(study, asked, code="", cache=cache, progress=counted)
    assert counted.first == {"Look at the slides": 5, "Measure their blocks": 5, "Measure stained sections": 3}
    assert found.files == pathology.measure(study, asked, code="").files


@pytest.mark.slow
def test_several_processes_give_the_same_bytes(inflamed: Path, tmp_path: Path) -> None:
    slides = tmp_path / "slides"
    for number in range(3):
        write_section(slides / f"s{number}.png", 0.2 * number + 0.1)
    (slides / "inflamed.tif").write_bytes(inflamed.read_bytes())
    reading = pathology.Reading(measure="cells")
    asked = pathology.plan_folder(slides, pathology.Settings(readings={"DAB": reading}, outlines=True))
    one, two = (
        pathology.write_output(pathology.measure_folder(asked, workers=Workers(processes=count))) for count in (1, 2)
    )
    assert one == two
    assert len(one) > 8
