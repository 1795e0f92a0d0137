"""The files of a report, from one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rarefactor.report._bibliography import write_bibtex, write_csl, write_ris
from rarefactor.report._citation import CITATION, write_cff
from rarefactor.report._crate import write_crate
from rarefactor.report._csv import write_csv
from rarefactor.report._document import write_document
from rarefactor.report._docx import write_docx
from rarefactor.report._html import write_html
from rarefactor.report._pdf import write_pdf
from rarefactor.report._source import read_source
from rarefactor.report.tree import Document, Reference
from rarefactor.results import Picture, Results, RiskModel

_FIXED_DATE = datetime(1980, 1, 1, tzinfo=UTC)


def write_files(
    results: Results,
    created: datetime | None,
    risk_models: Sequence[RiskModel] = (),
    pictures: Sequence[Picture] = (),
) -> Mapping[str, bytes]:
    """Return every file of the report by its path; the provenance, which names all others, comes last."""
    source = read_source(results, risk_models, pictures)
    document = write_document(source)
    files = {
        "report.html": write_html(document),
        "report.docx": write_docx(document, created or _FIXED_DATE),
        "report.pdf": write_pdf(document),
        **_tables(document),
        **_figures(document),
        **_references(document),
        CITATION: write_cff(source.study),
    }
    return files | {"provenance/ro-crate-metadata.json": write_crate(source, files, created)}


def write_run(results: Results, outputs: Mapping[str, bytes], created: datetime) -> bytes:
    """Return the provenance of a run with these outputs; a crate among them does not name itself."""
    others = {path: content for path, content in outputs.items() if not path.startswith("provenance/")}
    return write_crate(read_source(results), others, created)


def _tables(document: Document) -> Mapping[str, bytes]:
    return {f"tables/{table.name}.csv": write_csv(table) for table in document.tables()}


def _figures(document: Document) -> Mapping[str, bytes]:
    pictures = {f"figures/{figure.name}.svg": figure.svg for figure in document.figures()}
    return pictures | {f"figures/{figure.name}.png": figure.png for figure in document.figures()}


def _references(document: Document) -> Mapping[str, bytes]:
    keys = [block.key for block in document.blocks if isinstance(block, Reference)]
    return {
        "references.bib": write_bibtex(keys),
        "references.ris": write_ris(keys),
        "references.json": write_csl(keys),
    }
