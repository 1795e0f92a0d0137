"""Templates are complete studies; a copy never overwrites what a user has."""

import re
from pathlib import Path

import pytest

from rarefactor import templates
from rarefactor.cli import main
from rarefactor.errors import InputError, OutputError
from rarefactor.spec import load
from rarefactor.templates import read_templates, write_demo, write_template


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("template", sorted(read_templates()))
def test_a_copy_holds_all_that_the_study_needs_and_nothing_of_a_run(tmp_path, template):
    study = load(write_template(template, tmp_path / "new" / "study"))
    for source in study.cohort.records.values():
        assert (study.folder / source.file).is_file()
    assert not any(name.startswith((".rarefactor", "out")) for name in names(study.folder))


def test_an_existing_folder_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="nothing is overwritten"):
        write_template("pbc", tmp_path)
    assert names(tmp_path) == {"mine.txt"}


def test_an_unknown_template_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(InputError, match="Did you mean pbc48"):
        write_template("pbc49", tmp_path / "new")


def test_a_failed_copy_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(templates.shutil, "copytree", fail)
    with pytest.raises(OutputError, match="full disk"):
        write_template("pbc", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_the_demo_keeps_what_was_changed_in_its_copy(tmp_path):
    study = write_demo("pbc48", tmp_path / "pbc48")
    original = study.read_bytes()
    study.write_text("changed")
    assert write_demo("pbc48", tmp_path / "pbc48").read_bytes() == original
    assert study.with_name("study.yaml.previous").read_text() == "changed"


def test_the_demo_makes_synthetic_patients_anew_when_their_truth_has_changed(tmp_path, monkeypatch):
    made = []

    def fake(source, folder, **_):
        made.append(source.read_bytes())
        for part in ("truth", "data"):
            (folder / part).mkdir(parents=True)
        (folder / "data" / "records.csv").write_text(str(len(made)))

    monkeypatch.setattr("rarefactor.simulate.write_study", fake)
    folder = tmp_path / "anm-srp"
    truth = write_demo("anm-srp", folder).with_name("truth.yaml")
    assert write_demo("anm-srp", folder).exists()
    assert len(made) == 1
    truth.write_text("patients: 3")
    write_demo("anm-srp", folder)
    assert (folder / "data" / "records.csv").read_text() == "2"
    assert (folder / "truth.yaml.previous").read_text() == "patients: 3"
    assert [each.name for each in tmp_path.iterdir()] == ["anm-srp"]


def test_init_says_what_comes_next(tmp_path, capsys):
    folder = tmp_path / "mystudy"
    assert main(["init", str(folder)]) == 0
    assert f"rarefactor check {folder}" in capsys.readouterr().out
    assert main(["init", str(folder)]) == 7
    assert main(["init"]) == 2


def test_list_names_the_templates(capsys):
    assert main(["init", "--list"]) == 0
    assert re.search(r"pbc48\s+Factors associated with", capsys.readouterr().out)


def test_the_study_of_the_readme_is_a_study(tmp_path):
    readme = Path(__file__).parents[2] / "README.md"
    example = re.search(r"```yaml\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL).group(1)
    (tmp_path / "study.yaml").write_text(example)
    assert load(tmp_path / "study.yaml").outcome_name == "refractory"
