"""The three writers and the files beside them: whole, escaped, the same bytes for the same results."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import docx
import pypdf
import pytest
from PIL import Image

from rarefactor.report import write_provenance, write_report
from rarefactor.report._docx import write_docx
from rarefactor.report._html import write_html
from rarefactor.report._pdf import write_pdf
from rarefactor.report.tree import Heading


class Page(HTMLParser):
    """Ids, addresses and rows of a page; complains about tags that are not closed."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr", "col"})

    def __init__(self):
        super().__init__()
        self.ids, self.addresses, self.rows, self.open, self.text = [], [], set(), [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name in {"href", "src", "xlink:href"}:
                self.addresses.append(value)
            elif name == "data-row":
                self.rows.add(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_page(content):
    page = Page()
    page.feed(content.decode())
    assert page.open == []
    return page


def test_the_outline_of_a_letter_stands_in_the_page_once(files):
    page = files["report.html"].decode()
    outlines = re.findall(r'<path id="g-[^"]+" d="([^"]+)"', page)
    assert len(outlines) == len(set(outlines)) > 40
    assert page.count('transform="scale(0.015625)"') == len(outlines)  # as many as there are at all
    assert page.count('href="#g-') > 20 * len(outlines)


def test_all_files_are_there(files):
    assert {"report.html", "report.docx", "report.pdf", "references.bib", "references.ris", "references.json"} <= set(
        files
    )
    assert {"tables/table1.csv", "figures/flow.svg", "figures/flow.png"} <= set(files)
    assert list(files)[-1] == "provenance/ro-crate-metadata.json"


def test_same_results_same_bytes(hostile, hostile_files):
    again = write_report(hostile, created=datetime(2026, 1, 2, tzinfo=UTC))
    changed = {path for path, content in hostile_files.items() if again[path] != content}
    assert changed == {"report.docx", "provenance/ro-crate-metadata.json"}


def test_html_is_self_contained(files):
    page = read_page(files["report.html"])
    outside = [address for address in page.addresses if not address.startswith(("#", "https://doi.org/"))]
    assert outside == []
    assert not re.search(rb"@import|url\(\s*['\"]?http", files["report.html"])


def test_html_ids_are_unique_and_its_links_lead_somewhere(files):
    page = read_page(files["report.html"])
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_html_numbers_lead_to_their_details(files):
    page = read_page(files["report.html"])
    details = json.loads(re.search(rb'id="details">(.*?)</script>', files["report.html"], re.DOTALL)[1])
    assert page.rows == set(details)
    assert details["univariable/baseline/albumin/per_1_g|dl/firth/odds_ratio"]["n"] == "273"


def test_hostile_labels_come_through_html(hostile_label, hostile_files):
    page = read_page(hostile_files["report.html"])
    assert hostile_label in "".join(page.text)
    assert b"</script><b>" not in hostile_files["report.html"]


def test_hostile_labels_come_through_pdf(hostile_files):
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(hostile_files["report.pdf"])).pages)
    assert "$x_1$ #let *a* _b_ `c`" in text.replace("\n", " ")
    assert "[U+13000]" in text


def test_hostile_labels_come_through_word(hostile_label, hostile_files):
    file = docx.Document(io.BytesIO(hostile_files["report.docx"]))
    assert hostile_label in [paragraph.text for paragraph in file.paragraphs]


def test_pdf_is_accessible(files):
    reader = pypdf.PdfReader(io.BytesIO(files["report.pdf"]))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()
    assert reader.metadata.title.startswith("Factors associated")


def test_word_has_native_tables_with_repeated_headers(files, document):
    file = docx.Document(io.BytesIO(files["report.docx"]))
    assert len(file.tables) == len(document.tables())
    for table, block in zip(file.tables, document.tables(), strict=True):
        assert len(table._tbl.findall(".//{*}tblHeader")) == len(block.header)
    assert file.core_properties.title == document.title
    assert file.core_properties.created.year == 1980


def test_word_pictures_have_alternative_text_and_300_dpi(files, document):
    file = docx.Document(io.BytesIO(files["report.docx"]))
    shapes = file.inline_shapes
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [figure.alt for figure in document.figures()]
    picture = Image.open(io.BytesIO(files["figures/flow.png"]))
    assert picture.info["dpi"][0] == pytest.approx(300, abs=1)
    assert picture.width == pytest.approx(170 / 25.4 * 300, abs=2)


def test_csv_has_one_header_row_and_no_formula(files, document):
    for table in document.tables():
        rows = list(csv.reader(io.StringIO(files[f"tables/{table.name}.csv"].decode("utf-8-sig"))))
        assert len(rows) == 1 + len(table.rows)
        assert {len(row) for row in rows} == {len(table.widths)}
    assert "Firth: OR (95% CI)" in files["tables/univariable-baseline.csv"].decode("utf-8-sig").splitlines()[0]


def test_reference_files_hold_the_same_entries(files):
    entries = json.loads(files["references.json"])
    assert len(re.findall(rb"^@", files["references.bib"], re.MULTILINE)) == len(entries)
    assert files["references.ris"].count(b"ER  - ") == len(entries)
    without = {entry["id"] for entry in entries if not entry.get("DOI")}
    assert without <= {"aalen1978", "konis2007", "li1991", "mantel1966"}  # these have none


def test_crate_is_read_by_the_library_and_names_every_file(files, results, tmp_path):
    from rocrate.rocrate import ROCrate

    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    crate = ROCrate(tmp_path / "provenance")
    action = crate.get("#run")
    assert action["instrument"]["name"] == "rarefactor"
    made = {entity["name"]: entity["sha256"] for entity in action["result"]}
    outputs = {path: content for path, content in files.items() if not path.startswith("provenance/")}
    assert made == {path: hashlib.sha256(content).hexdigest() for path, content in outputs.items()}
    assert {item.sha256 for item in results.inputs} <= {entity.get("sha256") for entity in action["object"]}
    assert crate.get("#flow/eligible/1")["value"] == 312


def test_provenance_of_a_run_names_its_time_and_files(results):
    created = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    outputs = {"run.log": b"done", "provenance/ro-crate-metadata.json": b"{}"}
    graph = {item["@id"]: item for item in json.loads(write_provenance(results, outputs, created=created))["@graph"]}
    assert graph["#run"]["endTime"] == graph["./"]["datePublished"] == "2026-01-02T03:04:00+00:00"
    assert graph["#run"]["result"] == [{"@id": "../run.log"}]


def test_provenance_of_a_run_with_images_and_models_is_read_by_the_library(results, tmp_path):
    from rocrate.rocrate import ROCrate

    kinds = {
        "risk_models/clinical.json": "application/json",
        "overlays/S-1_baseline.png": "image/png",
        "measurements/mri.parquet": "application/vnd.apache.parquet",
        "cells/S-1_CD20.geojson": "application/geo+json",
        "CITATION.cff": "application/yaml",
        "run.log": "text/plain",
    }
    crate = write_provenance(results, dict.fromkeys(kinds, b"x"), created=datetime(2026, 1, 2, tzinfo=UTC))
    for path, content in {**dict.fromkeys(kinds, b"x"), "provenance/ro-crate-metadata.json": crate}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    read = ROCrate(tmp_path / "provenance")
    assert {each["name"]: each["encodingFormat"] for each in read.get("#run")["result"]} == kinds


def test_importing_the_report_is_light():
    code = "import sys, rarefactor.report; print(sorted({'matplotlib', 'docx', 'typst', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_page_says_that_patients_were_made(document):
    notice = "Synthetic patients: nothing here was observed in people."
    made = replace(document, notice=notice, blocks=tuple(b for b in document.blocks if isinstance(b, Heading)))
    page = write_html(made).decode()
    assert notice in page
    assert 'content: "Synthetic patients\\3a  nothing here was observed in people\\2e "' in page  # when it is printed
    pages = pypdf.PdfReader(io.BytesIO(write_pdf(made))).pages
    assert all(notice in page.extract_text() for page in pages)
    word = docx.Document(io.BytesIO(write_docx(made, datetime(2026, 1, 1, tzinfo=UTC))))
    assert [paragraph.text for paragraph in word.sections[0].header.paragraphs] == [notice]
    assert document.notice == ""
