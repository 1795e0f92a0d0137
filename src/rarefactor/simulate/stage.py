"""The door of this part: a study file and its truth in, a whole synthetic study out.

Convention: the same study, truth and seed give the same bytes. Everything that is written says that it is synthetic.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator
from pathlib import Path, PurePosixPath

import numpy as np

from rarefactor.errors import OutputError, Problem, StudyFileError
from rarefactor.simulate._cohort import SimulatedCohort, simulate_cohort
from rarefactor.simulate._images import write_images
from rarefactor.simulate._redcap import write_dictionary, write_export
from rarefactor.simulate._table import README, tabulate_truth, write_scores
from rarefactor.simulate._truth import Screened, Truth, read_truth
from rarefactor.spec import Study, load
from rarefactor.work import Progress, Silent, Workers, output_errors, write_file

STUDY_FILE, TRUTH_FILE = "study.yaml", "truth.yaml"
RECORDS = "Make the patients"


def write_study(  # noqa: PLR0913 - what a user may choose
    source: Path,
    folder: Path,
    *,
    seed: int | None = None,
    patients: int | None = None,
    images: bool = True,
    imaged: int | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a whole synthetic study and return its study file.

    Parameters
    ----------
    source
        The study file, with ``truth.yaml`` beside it.
    folder
        Where the study goes: a path that does not exist yet or an empty folder.
    seed
        The seed of all that is random; that of the truth if None.
    patients
        Another number of eligible patients than that of the truth, whose expectations are then left aside.
    images
        Whether scans and slides are written too, where the truth tells of them.
    imaged
        Of how many patients, the first ones; of all if None.

    Raises
    ------
    StudyFileError
        Study or truth cannot be read or do not fit each other, or no cohort meets the expectations.
    OutputError
        The folder holds something, or cannot be written.
    """
    source, folder = Path(source), Path(folder)
    study, truth = load(source), read_truth(source.with_name(TRUTH_FILE))
    chosen = truth.seed if seed is None else seed
    with _empty_folder(folder) as draft:
        shutil.copyfile(source, draft / STUDY_FILE)
        shutil.copyfile(source.with_name(TRUTH_FILE), draft / TRUTH_FILE)
        cohort = _draw(study, change_patients(truth, patients), chosen, progress or Silent())
        write_records(cohort, draft)
        if images:
            write_images(cohort, draft, seed=chosen, imaged=imaged, workers=workers, progress=progress)
    return folder / STUDY_FILE


@contextlib.contextmanager
def _empty_folder(folder: Path) -> Generator[Path]:
    """Give a draft that becomes the folder when all is written, and is not there when something fails."""
    draft = folder.absolute().parent / f".{folder.name}.rarefactor-simulate"
    with output_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise _taken(folder)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            yield draft
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _draw(study: Study, truth: Truth, seed: int, progress: Progress) -> SimulatedCohort:
    progress.start(RECORDS)
    cohort = simulate_cohort(study, truth, np.random.default_rng(seed))
    known = cohort.outcome_known
    detail = f"{truth.patients} patients, {known.sum()} with outcome, {(known & cohort.outcome).sum()} with the event"
    progress.finish(RECORDS, detail)
    return cohort


def change_patients(truth: Truth, patients: int | None) -> Truth:
    """Return the truth for another number of patients, without expectations of the cohort where the number changes."""
    if patients is None or patients == truth.patients:
        return truth
    screened = truth.screened
    if screened:
        share = screened.patients / truth.patients
        screened = Screened(patients=round(share * patients), values=screened.values)
    return truth.model_copy(update={"patients": patients, "expect": None, "screened": screened})


def write_records(cohort: SimulatedCohort, folder: Path) -> None:
    """Write the REDCap export, its dictionary, and what is true of each patient, into the folder of a study.

    Raises
    ------
    StudyFileError
        The study names several tables of records, none for the dictionary, or a path outside its folder.
    OutputError
        A file cannot be written.
    """
    study = cohort.plan.study
    files = {
        _records_path(study): write_export(cohort),
        _dictionary_path(study): write_dictionary(cohort),
        "truth/patients.csv": tabulate_truth(cohort).write_csv().encode(),
        "truth/README.txt": README.encode(),
    }
    for source in study.pathology.values() if cohort.extras.scores else ():
        if source.scores is not None:
            files[_inside(study, ("pathology", "scores"), source.scores)] = write_scores(cohort)
    for name, data in files.items():
        with output_errors(folder / name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / name, data)


def _records_path(study: Study) -> str:
    if len(study.cohort.records) > 1:
        found, expected = f"{len(study.cohort.records)} tables of records", "one, which is the export of REDCap"
        raise StudyFileError(
            study.problem("cohort", "records", found=found, expected=expected, next_step="Name one file.")
        )
    return _inside(study, ("cohort", "records"), next(iter(study.cohort.records.values())).file)


def _dictionary_path(study: Study) -> str:
    if study.cohort.dictionary is None:
        found, expected = "no dictionary", "the path that the REDCap data dictionary is written to"
        step = "Add dictionary: data/dictionary.csv."
        raise StudyFileError(study.problem("cohort", found=found, expected=expected, next_step=step))
    return _inside(study, ("cohort", "dictionary"), study.cohort.dictionary)


def _inside(study: Study, key: tuple[str, ...], path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts:
        found, expected = "a path outside the folder of the study", "a path inside it, such as data/records.csv"
        raise StudyFileError(study.problem(*key, found=found, expected=expected, next_step="Write a relative path."))
    return path


def _taken(folder: Path) -> OutputError:
    return OutputError(
        Problem(
            file=str(folder),
            found="something that is there already",
            expected="a path that does not exist yet, or an empty folder",
            next_step="Choose another folder; nothing is overwritten.",
        )
    )
