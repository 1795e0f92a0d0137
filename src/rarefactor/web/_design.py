"""What if: studies like this one, of another size or with another truth, drawn many times and analysed the same way.

Convention: the simulation is that of ``rarefactor design``, in a process of its own. What it found is kept with the
study under a key of the question and of the study's files, so that the same question is answered at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from rarefactor import live, report
from rarefactor import study as road
from rarefactor.errors import Problem
from rarefactor.report import Part
from rarefactor.results import Analysed, read_analysed, write_analysed
from rarefactor.spec import Study
from rarefactor.web._errors import unknown
from rarefactor.web._factors import Fields
from rarefactor.web._job import stream_news
from rarefactor.web._page import is_part, read_place, read_runner, read_workspace, show
from rarefactor.web._results import read_results
from rarefactor.web._saving import needs_mending
from rarefactor.web._workspace import Place, Workspace
from rarefactor.work import Cache, Progress, code_key, content_key

router = APIRouter(prefix="/studies/{study}/design")

STEP = "Draw studies and analyse them"
_CODE = Path(__file__).parent.parent
_PATIENTS, _DATA_SETS, _RATIO = (10, 100_000), (10, 10_000), (0.01, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, as it stands in the fields; a field that is left empty asks for what the study file says."""

    n: str = ""
    data_sets: str = ""
    factor: str = ""
    odds_ratio: str = ""

    @property
    def query(self) -> str:
        """The question as part of an address."""
        return urlencode({name: value for name, value in asdict(self).items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question in numbers, or what is wrong with it by its field."""

    n: int | None = None
    data_sets: int | None = None
    odds_ratios: Mapping[str, float] | None = None
    errors: Mapping[str, Problem] | None = None


@router.get("")
def show_design(
    request: Request, study: str, n: str = "", data_sets: str = "", factor: str = "", odds_ratio: str = ""
) -> Response:
    """Return the page: the question, and its answer where it is known."""
    place = read_place(request, study)
    if needs_mending(request, place):
        return RedirectResponse(f"{place.url}/file", status_code=303)
    return _show(request, place, Question(n=n, data_sets=data_sets, factor=factor, odds_ratio=odds_ratio))


@router.get("/events")
async def listen(request: Request, study: str) -> StreamingResponse:
    """Stream how the simulation goes."""
    return stream_news(request, _topic(read_place(request, study)))


@router.get("/figures/{key}/{figure}.svg")
def show_figure(request: Request, study: str, key: str, figure: str, *, dark: bool = False) -> Response:
    """Return a figure of an answer."""
    place = read_place(request, study)
    part = _answer(request, place, key)
    if part is None or figure not in part.figures:
        raise unknown("figure of this name")
    svg = part.figures[figure]
    return Response(report.darken(svg) if dark else svg, media_type="image/svg+xml")


@router.post("/start")
def start(request: Request, study: str, fields: Fields) -> Response:
    """Simulate what is asked, unless the answer is known."""
    place, workspace = read_place(request, study), read_workspace(request)
    sent = {name: str(fields.get(name, "")).strip() for name in asdict(Question())}
    question = Question(**sent)
    asked = _ask(question, workspace.loaded(place))
    if asked.errors:
        return _show(request, place, question, status=422)
    key = _key(workspace, place, question)
    if _cache(place).get(key) is None:
        what = (place.file, key, asked.n, asked.data_sets, asked.odds_ratios)
        read_runner(request).start(_topic(place), key, simulate, *what, replacing=True)
    return RedirectResponse(f"{place.url}/design?{question.query}", status_code=303)


@router.post("/stop")
def stop(request: Request, study: str, fields: Fields) -> Response:
    """End the simulation."""
    place = read_place(request, study)
    read_runner(request).cancel(_topic(place))
    sent = {name: str(fields.get(name, "")).strip() for name in asdict(Question())}
    return RedirectResponse(f"{place.url}/design?{Question(**sent).query}", status_code=303)


def simulate(
    file: Path,
    key: str,
    n: int | None,
    data_sets: int | None,
    odds_ratios: Mapping[str, float] | None,
    *,
    progress: Progress,
) -> str:
    """Simulate studies like one, keep what was found, and return the key under which it is kept.

    Raises
    ------
    RarefactorError
        See :func:`rarefactor.study.design`.
    """
    progress.start(STEP)
    found = road.design(file, data_sets=data_sets, odds_ratios=odds_ratios, n=n)
    rows = tuple(row for each in found.values() for row in each.rows)
    notes = tuple(note for each in found.values() for note in each.notes)
    Cache(file.parent / ".rarefactor" / "cache").put(key, write_analysed(Analysed(rows=rows, notes=notes)))
    progress.finish(STEP, f"{len(found)} {'model' if len(found) == 1 else 'models'}")
    return key


def _topic(place: Place) -> str:
    return f"{place.name}/design"


def _cache(place: Place) -> Cache:
    return Cache(place.folder / ".rarefactor" / "cache")


def _key(workspace: Workspace, place: Place, question: Question) -> str:
    return content_key("what-if", place.version, workspace.signature(place), asdict(question), code_key(_CODE))


def _ask(question: Question, study: Study) -> Asked:
    errors: dict[str, Problem] = {}
    n = _number(question.n, "patients", _PATIENTS, errors, "n")
    data_sets = _number(question.data_sets, "data sets", _DATA_SETS, errors, "data_sets")
    ratio = _number(question.odds_ratio, "odds ratio", _RATIO, errors, "odds_ratio")
    if question.factor and question.factor not in _factors(study):
        errors["factor"] = Problem(
            found=f"the factor {question.factor}", expected="a factor of a model", next_step="Choose one of the list."
        )
    elif question.factor and ratio is None and "odds_ratio" not in errors:
        step = "Say how strong the association would be, such as 3."
        errors["odds_ratio"] = Problem(found="no odds ratio", expected="one for the factor", next_step=step)
    return Asked(
        n=None if n is None else int(n),
        data_sets=None if data_sets is None else int(data_sets),
        odds_ratios={question.factor: ratio} if question.factor and ratio else None,
        errors=errors,
    )


def _number(text: str, what: str, limits: tuple[float, float], errors: dict[str, Problem], field: str) -> float | None:
    """Return a number between its limits, None where nothing is given or it is noted as an error."""
    if not text:
        return None
    low, high = limits
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if low <= value <= high and (field == "odds_ratio" or value == int(value)):
        return value
    whole = "a number" if field == "odds_ratio" else "a whole number"
    expected = f"{whole} from {low:g} to {high:g}"
    errors[field] = Problem(found=f"{what}: {text}", expected=expected, next_step="Correct it, or leave it empty.")
    return None


def _factors(study: Study) -> Mapping[str, str]:
    """Return the factors of the models, each once, with their labels."""
    names = dict.fromkeys(name for model in study.analysis.models.values() for name in model.factors)
    return {name: study.factors[name].label for name in names}


def _show(request: Request, place: Place, question: Question, *, status: int = 200) -> Response:
    workspace = read_workspace(request)
    loaded = workspace.loaded(place)
    asked = _ask(question, loaded)
    key = "" if asked.errors else _key(workspace, place, question)
    job = read_runner(request).find(_topic(place))
    values: dict[str, Any] = {
        "study": loaded,
        "question": question,
        "errors": asked.errors or {},
        "factors": _factors(loaded),
        "part": _answer(request, place, key) if key and (question.query or _is_known(place, key)) else None,
        "job": job if job and (job.is_running or job.kind == key) else None,
    }
    block = "answer" if is_part(request) else None
    return show(request, "design.html.j2", place=place, page="design", block=block, status=status, **values)


def _is_known(place: Place, key: str) -> bool:
    return _cache(place).get(key) is not None


def _answer(request: Request, place: Place, key: str) -> Part | None:
    """Return what was found for a question, as the report shows it; None where it was not asked yet."""
    if not key.isalnum() or not _is_known(place, key):
        return None
    workspace = read_workspace(request)

    def write() -> Part:
        stored = _cache(place).get(key)
        found = read_analysed(stored) if stored else Analysed(rows=())
        known = live.collect_results(read_results(workspace, place))
        rows = (*(row for row in known.rows if row.analysis != "design"), *found.rows)
        notes = (*(note for note in known.notes if note.about != "design"), *found.notes)
        address = f"{place.url}/design/figures/{key}/"
        results = replace(known, rows=rows, notes=notes)
        return report.write_card("reach", results, address=lambda name: f"{address}{quote(name, safe='')}.svg")

    return workspace.remember(place, f"what-if {key}", write, signature=key)
