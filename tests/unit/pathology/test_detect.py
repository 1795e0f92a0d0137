"""Detectors: ours at any scale, plug-ins, and the networks of others through stand-ins."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from rarefactor.errors import ImageError, InputError
from rarefactor.pathology import detect
from rarefactor.pathology._white import White, WhiteSource
from rarefactor.pathology.detect import Cellpose, Detector, InstanSeg, LogWatershed, StarDist, find_detector

WHITE = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)


def draw(size: int, radius: float) -> np.ndarray:
    """Two blue nuclei on glass."""
    rows, columns = np.mgrid[:size, :size] / size
    image = np.full((size, size, 3), 240, dtype=np.uint8)
    for column in (0.3, 0.7):
        image[np.hypot(rows - 0.5, columns - column) < radius] = (140, 150, 200)
    return image


@pytest.mark.parametrize(("size", "scale"), [(100, 0.5), (200, 0.25), (50, 1.0), (143, 0.35)])
def test_the_same_nuclei_are_found_at_any_scale(size: int, scale: float) -> None:
    labels = LogWatershed(white=WHITE).detect(draw(size, 0.08), scale)
    assert labels.shape == (size, size)
    assert labels.max() == 2
    assert (labels > 0).mean() == pytest.approx(2 * np.pi * 0.08**2, rel=0.25)


@pytest.mark.parametrize("scale", [0.0, float("nan"), -0.5])
def test_the_size_of_a_pixel_is_never_guessed(scale: float) -> None:
    with pytest.raises(InputError, match="sidecar"):
        LogWatershed(white=WHITE).detect(draw(50, 0.1), scale)


def stand_in(monkeypatch: pytest.MonkeyPatch, **modules: object) -> None:
    for name, content in modules.items():
        module = ModuleType(name.replace("__", "."))
        module.__dict__.update(vars(content))
        monkeypatch.setitem(sys.modules, module.__name__, module)


def count_dark(image: np.ndarray) -> np.ndarray:
    """What a network might say: 5 for dark pixels on the left, 9 on the right."""
    dark = image[..., 0] < image[..., 0].mean()
    return dark * np.where(np.arange(image.shape[1]) < image.shape[1] / 2, 5, 9)


def test_stardist_gets_a_normalised_image_at_its_scale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[tuple[tuple[int, ...], float]] = []

    class StarDist2D:
        def __init__(self, config: None, *, name: str, basedir: Path) -> None:
            assert config is None
            assert (basedir / name).is_dir()

        def predict_instances(self, image: np.ndarray) -> tuple[np.ndarray, dict[str, object]]:
            seen.append((image.shape, float(image.max())))
            return count_dark(image), {}

    stand_in(monkeypatch, stardist=SimpleNamespace(), stardist__models=SimpleNamespace(StarDist2D=StarDist2D))
    labels = StarDist(model=tmp_path).detect(draw(60, 0.12), 0.5)
    assert seen == [((120, 120, 3), 1.0)]
    assert np.unique(labels).tolist() == [0, 1, 2]
    assert labels.shape == (60, 60)


def test_cellpose_gets_the_diameter_in_pixels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class CellposeModel:
        def __init__(self, *, gpu: bool, pretrained_model: str) -> None:
            assert not gpu
            assert Path(pretrained_model).is_file()

        def eval(self, image: np.ndarray, *, diameter: float) -> tuple[np.ndarray, None, None]:
            assert diameter == 16.0
            return count_dark(image), None, None

    (tmp_path / "cpsam").touch()
    stand_in(monkeypatch, cellpose=SimpleNamespace(), cellpose__models=SimpleNamespace(CellposeModel=CellposeModel))
    assert Cellpose(model=tmp_path / "cpsam").detect(draw(60, 0.12), 0.5).max() == 2


def test_instanseg_gets_channels_first_and_gives_floats(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Tensor:
        def __init__(self, held: np.ndarray) -> None:
            self.held = held

        def to(self, _: str) -> "Tensor":
            return self

        def cpu(self) -> "Tensor":
            return self

        def numpy(self) -> np.ndarray:
            return self.held

        def __getitem__(self, key: tuple[int, ...]) -> "Tensor":
            return Tensor(self.held[key])

    def network(given: Tensor) -> Tensor:
        assert given.held.shape == (1, 3, 60, 60)
        assert given.held.dtype == np.float32
        return Tensor(count_dark(given.held[0].transpose(1, 2, 0)).astype(np.float32)[None, None])

    class NoGrad:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    jit = SimpleNamespace(load=lambda path, map_location: network if map_location == "cpu" else path)
    stand_in(monkeypatch, torch=SimpleNamespace(jit=jit, from_numpy=Tensor, no_grad=NoGrad))
    (tmp_path / "instanseg.pt").touch()
    assert InstanSeg(model=tmp_path / "instanseg.pt").detect(draw(60, 0.12), 0.5).max() == 2


@pytest.mark.parametrize("name", ["instanseg", "stardist", "cellpose"])
def test_a_missing_package_and_missing_weights_are_named(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = {"instanseg": "torch", "stardist": "stardist", "cellpose": "cellpose"}[name]
    detector = find_detector(f"{name}:{tmp_path / 'absent'}")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImageError, match=f"no usable package {package}"):
        detector.detect(draw(20, 0.1), 0.5)
    stand_in(monkeypatch, **{package: SimpleNamespace(), f"{package}__models": SimpleNamespace()})
    with pytest.raises(ImageError, match="absent: found nothing of this name"):
        detector.detect(draw(20, 0.1), 0.5)
    (tmp_path / "absent").touch()
    with pytest.raises(ImageError, match="weights that do not load"):
        detector.detect(draw(20, 0.1), 0.5)


class Ones:
    def detect(self, image: np.ndarray, microns_per_pixel: float) -> np.ndarray:
        assert microns_per_pixel > 0
        return np.ones(image.shape[:2], dtype=np.int32)


def plug(monkeypatch: pytest.MonkeyPatch, made: Callable[[], object]) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda _: made)
    points = [EntryPoint(name="ones", value="plugin:Ones", group=detect.GROUP)]
    monkeypatch.setattr(detect, "entry_points", lambda group: points if group == "rarefactor.detectors" else [])


def test_a_plugin_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Ones)
    found = find_detector("ones")
    assert isinstance(found, Detector)
    assert found.detect(draw(8, 0.1), 0.5).sum() == 64


@pytest.mark.parametrize(("made", "reason"), [(object, "no method detect"), (lambda: 1 / 0, "ZeroDivisionError")])
def test_a_broken_plugin_is_named(monkeypatch: pytest.MonkeyPatch, made: Callable[[], object], reason: str) -> None:
    plug(monkeypatch, made)
    with pytest.raises(ImageError, match=reason):
        find_detector("ones")


def test_an_unknown_detector_gets_a_suggestion() -> None:
    with pytest.raises(ImageError, match="Did you mean log_watershed"):
        find_detector("log_watersheds")


@pytest.mark.parametrize("wrong", [np.zeros((3, 3), int), np.full((20, 20), 0.5), np.full((20, 20), -1)])
def test_what_is_no_label_image_is_refused(wrong: np.ndarray) -> None:
    from rarefactor.pathology._detector_scale import compute_at_scale

    with pytest.raises(ImageError, match="whole numbers from 0 on"):
        compute_at_scale(draw(20, 0.1), 0.5, 0.5, lambda _: wrong, tool="plug-in")
