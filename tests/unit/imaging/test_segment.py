"""Networks as plug-ins: the adapters with stand-in commands that check what they are given, and what goes wrong."""

import json
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging import segment
from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging.segment import MuscleMap, NnUnet, Segmenter, TotalSegmentator, find_segmenter

GRID = Grid(shape=(2, 20, 40), spacing_mm=(6.0, 3.0, 3.0), origin_mm=(-58.5, -30.0, 12.0))
VOLUME = Volume(values=np.arange(1600, dtype=np.float32).reshape(2, 20, 40), grid=GRID)

# A tiny network: bright is one muscle, the patient's left (x > 0 in NIfTI is right) another.
TINY = """
import pathlib, sys
import nibabel, numpy
arguments = sys.argv[1:]
def after(flag):
    return arguments[arguments.index(flag) + 1]
def predict(source, target, low, high):
    image = nibabel.load(source)
    assert image.shape == (40, 20, 2), image.shape
    x = image.affine[0, 0] * numpy.arange(40) + image.affine[0, 3]
    labels = numpy.where(x[:, None, None] > 0, high, low) * numpy.ones(image.shape)
    labels[:, :10] = 0
    labels[:, 19] = 99
    nibabel.save(nibabel.Nifti1Image(labels.astype(numpy.int16), image.affine), target)
"""


@pytest.fixture
def make_command(tmp_path):
    def make(body: str) -> str:
        path = tmp_path / "network"
        path.write_text(f"#!{sys.executable}\n{TINY}\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def _found(labels: LabelMap, region: Region) -> bool:
    """Whether the region lies on its own side, in the back half, and nowhere else."""
    number = next(label for label, each in labels.regions.items() if each == region)
    _, rows, columns = np.nonzero(labels.values == number)
    left = columns >= 20 if region.side is Side.LEFT else columns < 20
    return rows.size == 2 * 9 * 20 and bool(left.all()) and rows.min() == 10


def test_totalsegmentator(make_command):
    command = make_command(
        "assert '--ml' in arguments and after('--task') == 'thigh_shoulder_muscles_mr' and after('--device') == 'cpu'\n"
        "predict(after('-i'), after('-o'), 5, 6)"
    )
    made = TotalSegmentator(command=command).segment(VOLUME)
    assert made.source == "TotalSegmentator"
    assert made.grid == GRID
    assert all(_found(made, Region(name="posterior", side=side)) for side in Side)


def test_musclemap_finds_its_result_beside_the_image(make_command):
    command = make_command(
        "source = after('-i')\nassert after('-g') == 'N'\n"
        "predict(source, source.replace('.nii.gz', '_dseg.nii.gz'), 7171, 7172)"
    )
    made = MuscleMap(command=command).segment(VOLUME)
    assert set(made.regions.values()) == {Region(name="ST", side=side) for side in Side}
    assert all(_found(made, region) for region in made.regions.values())


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "nnUNetTrainer__nnUNetPlans__2d"
    (folder / "fold_1").mkdir(parents=True)
    (folder / "fold_1" / "checkpoint_final.pth").write_bytes(b"weights")
    labels = {"background": 0, "RF_R": 1, "RF_L": 2, "bone": 99}
    described = {"labels": labels, "channel_names": {"0": "fat", "1": "water"}}
    (folder / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    return folder


def test_nnunet_gets_every_channel_and_the_folds_that_there_are(make_command, model):
    command = make_command(
        "place = pathlib.Path(after('-i'))\n"
        "assert sorted(path.name for path in place.iterdir()) == ['scan_0000.nii.gz', 'scan_0001.nii.gz']\n"
        f"assert after('-m') == {str(model)!r} and after('-f') == '1' and after('-device') == 'cpu'\n"
        "predict(place / 'scan_0000.nii.gz', pathlib.Path(after('-o')) / 'scan.nii.gz', 2, 1)"
    )
    made = NnUnet(model=model, further=(VOLUME,), command=command).segment(VOLUME)
    assert all(_found(made, Region(name="RF", side=side)) for side in Side)


def test_nnunet_without_all_channels_weights_or_description(model):
    with pytest.raises(ImageError, match="a model of 2 channels and 1 images"):
        NnUnet(model=model).segment(VOLUME)
    (model / "fold_1" / "checkpoint_final.pth").unlink()
    with pytest.raises(ImageError, match="no weights"):
        NnUnet(model=model, further=(VOLUME,)).segment(VOLUME)
    (model / "dataset.json").write_text("{", encoding="utf-8")
    with pytest.raises(ImageError, match=r"no dataset\.json"):
        NnUnet(model=model).segment(VOLUME)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('ERROR: this task needs a license number')", "asks for a licence"),
        ("raise FileNotFoundError('checkpoint_final.pth')", "has no weights"),
        ("sys.exit('out of memory')", "failed and last said: out of memory"),
        ("pass", "without a result"),
    ],
)
def test_what_went_wrong_is_said(make_command, body, words):
    with pytest.raises(ImageError, match=words):
        MuscleMap(command=make_command(body)).segment(VOLUME)


def test_what_is_not_installed_is_said():
    with pytest.raises(ImageError, match="no program no-such-network, so MuscleMap is not installed here"):
        MuscleMap(command="no-such-network").segment(VOLUME)


class Plugged:
    """A segmenter as another package would bring it."""

    def segment(self, volume: Volume) -> LabelMap:
        return LabelMap(values=np.zeros(volume.grid.shape, np.int16), grid=volume.grid, regions={}, source="plugged")


def test_segmenters_by_name(monkeypatch):
    points = [
        SimpleNamespace(name="mine", load=lambda: Plugged),
        SimpleNamespace(name="broken", load=lambda: dict),
        SimpleNamespace(name="absent", load=lambda: __import__("no_such_package")),
    ]
    monkeypatch.setattr(segment, "entry_points", lambda group: points if group == segment.GROUP else [])
    assert find_segmenter("mine").segment(VOLUME).source == "plugged"
    assert isinstance(find_segmenter("totalsegmentator"), Segmenter)
    assert find_segmenter("nnunet:models/thigh") == NnUnet(model=Path("models/thigh"))
    for name, words in (
        ("broken", "no method segment"),
        ("absent", "it raised ModuleNotFoundError"),
        ("musclemab", "mean musclemap"),
    ):
        with pytest.raises(ImageError, match=words):
            find_segmenter(name)
