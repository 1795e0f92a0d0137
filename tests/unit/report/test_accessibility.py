"""The report for those who do not see it, or use no mouse: structure, names, contrast; axe-core where a browser is."""

import io
import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest

from rarefactor.report._html import inline_svg, write_html
from rarefactor.report.tree import Figure, Table

AXE = Path(__file__).with_name("axe")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TEXT, GRAPHICS = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11


class Elements(HTMLParser):
    """The elements of a page in their order: tag, attributes, words."""

    def __init__(self, content):
        super().__init__()
        self.all, self.open = [], []
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "words": "", "inside": tuple(each["tag"] for each in self.open), **dict(attrs)}
        self.all.append(element)
        if tag not in {"meta", "br", "img", "link", "input", "hr", "col"}:
            self.open.append(element)

    def handle_endtag(self, tag):
        del tag
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["words"] += data

    def named(self, *tags):
        return [element for element in self.all if element["tag"] in tags]


@pytest.fixture(scope="module")
def page(files):
    return Elements(files["report.html"])


def test_page_has_a_language_a_title_and_one_main_part(page):
    assert page.named("html")[0]["lang"] == "en"
    assert page.named("title")[0]["words"]
    assert len(page.named("main")) == len(page.named("h1")) == 1


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(element["tag"][1]) for element in page.named("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_head_of_a_table_has_words_and_says_what_it_heads(page):
    heads = page.named("th")
    assert heads
    assert not [
        head for head in heads if not head["words"].strip() or head.get("scope") not in {"col", "colgroup", "row"}
    ]
    inside = Counter("thead" if "thead" in head["inside"] else head["scope"] for head in heads)
    assert set(inside) == {"thead", "row"}


def test_every_picture_is_told_in_words(page, document):
    pictures = [element for element in page.named("svg") if "figure" in element["inside"]]
    words = {element["id"]: element["words"] for element in page.all if "id" in element}
    assert [words[picture["aria-labelledby"]] for picture in pictures] == [f.alt for f in document.figures()]
    assert all(len(figure.alt.split()) > 5 for figure in document.figures())


def test_everything_that_a_mouse_reaches_the_keyboard_reaches(page):
    buttons = [element for element in page.all if "data-row" in element]
    assert {(button["role"], button["tabindex"]) for button in buttons} == {("button", "0")}
    scrolling = [element for element in page.all if element.get("class") == "scroll"]
    assert all(element["tabindex"] == "0" and element["aria-label"] for element in scrolling)
    assert len({element["aria-label"] for element in scrolling}) == len(scrolling) > 0


def read_colours():
    """The colours of the page by scheme: light, dark, print."""
    css = resources.files("rarefactor.report").joinpath("report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    schemes = [dict(re.findall(r"--(\w+): (#[0-9a-f]+)", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), schemes, strict=True))


def contrast(one, other):
    """The contrast ratio of two colours, as WCAG 2.2 defines it."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_contrast_is_measured_as_wcag_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_words_and_marks_stand_out_from_the_page(scheme):
    colours = read_colours()[scheme]
    pairs = {(front, back): TEXT for front in ("ink", "muted", "link") for back in ("paper", "panel")}
    pairs |= {(mark, "paper"): GRAPHICS for mark in ("firth", "ml", "third", "fourth", "fifth")}
    found = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in found.items() if ratio < pairs[pair]} == {}


def test_every_colour_of_a_picture_is_one_of_the_page(document):
    for figure in document.figures():
        drawn = re.sub(r"data:image[^\"]*", "", inline_svg(figure, {}))
        assert re.findall(r"""(?<!href=)["':]\s*(#[0-9a-fA-F]{3,6})\b""", drawn) == [], figure.name


def test_pdf_is_tagged_named_and_told(files, document):
    reader = pypdf.PdfReader(io.BytesIO(files["report.pdf"]))
    root = reader.trailer["/Root"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    tags, alternatives = Counter(), []
    for element in read_structure(root["/StructTreeRoot"]):
        tags[element.get("/S")] += 1
        alternatives += [element["/Alt"]] if element.get("/S") == "/Figure" else []
    assert alternatives == [figure.alt for figure in document.figures()]
    assert tags["/Table"] == len(document.tables())
    assert tags["/TH"] >= sum(len(row.cells) for table in document.tables() for row in table.header)
    bookmarks = [item.title for item in reader.outline if not isinstance(item, list)]
    assert bookmarks == [block.text for block in document.blocks if getattr(block, "level", 0) == 1]


def read_structure(element):
    """Every element of the structure tree, in reading order."""
    element = element.get_object()
    if not isinstance(element, dict):
        return
    yield element
    children = element.get("/K", [])
    for child in children if isinstance(children, list) else [children]:
        yield from read_structure(child)


EACH_ONCE = (("light", 360), ("dark", 1920))
EVERY = (*EACH_ONCE, ("light", 1920), ("dark", 360))

# Each page runs axe on itself, tries the keyboard, and tells the page around it, which then opens the next one.
PROBE = """<script src="axe.min.js"></script><script>
addEventListener("load", async () => {
  const press = (at, key) => at.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  const [first, second] = document.querySelector("table").querySelectorAll(".n");
  const box = document.getElementById("source");
  first.focus();
  press(first, "ArrowRight");
  const moved = document.activeElement === second;
  press(second, "Enter");
  const opened = box.matches(":popover-open") && box.textContent.includes(second.dataset.row);
  const open = await axe.run("#source", {resultTypes: ["violations"]});
  box.hidePopover();
  const back = () => document.activeElement === second;
  for (let waited = 0; waited < 100 && !back(); waited += 1) await new Promise((done) => setTimeout(done, 50));
  const returned = back();
  const whole = await axe.run(document, {resultTypes: ["violations"]});
  const violations = [...open.violations, ...whole.violations];
  const page = location.pathname.split("/").pop();
  parent.postMessage({
    page, width: innerWidth, moved, opened, returned,
    cut: document.documentElement.scrollWidth > innerWidth,
    violations: violations.map((each) => `${each.id}: ${each.nodes[0].html.slice(0, 120)} (${each.nodes.length})`),
  }, "*");
});
</script>"""
AROUND = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const pages = %s, told = [];
const open = ([scheme, width]) => {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px; height:900px; border:0`;
  frame.src = `${scheme}.html`;
  document.body.replaceChildren(frame);
};
const show = (text) => {
  const shown = document.body.appendChild(document.createElement("pre"));
  Object.assign(shown, {id: "told", textContent: text});
};
addEventListener("message", (event) => {
  told.push(event.data);
  if (told.length < pages.length) open(pages[told.length]);
  else show(JSON.stringify(told));
});
open(pages[0]);
</script>"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The script of axe-core in the version of the lock, from the registry of npm."""
    npm = shutil.which("npm")
    if not npm or not any(map(shutil.which, BROWSERS)):
        pytest.skip("needs chromium and npm, to run axe-core on the pages")
    folder = shutil.copytree(AXE, tmp_path_factory.mktemp("npm") / "axe")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run([npm, "ci", *options], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip("needs axe-core, which npm could not fetch")
    return folder / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("pages", [EACH_ONCE, pytest.param(EVERY, marks=pytest.mark.slow)], ids=["once", "every"])
def test_axe_finds_nothing_light_or_dark_narrow_or_wide(axe, document, tmp_path, pages):
    shutil.copy(axe, tmp_path)
    shown = [block for block in document.blocks if not isinstance(block, Table | Figure)]
    shown += [replace(table, rows=table.rows[:8]) for table in document.tables()] + list(document.figures()[:2])
    notice = "Synthetic patients: nothing here was observed in people."
    text = write_html(replace(document, blocks=tuple(shown), notice=notice)).decode()
    for scheme, media in (("light", "not all"), ("dark", "all")):
        page = text.replace("(prefers-color-scheme: dark)", media).replace("</body>", f"{PROBE}</body>")
        (tmp_path / f"{scheme}.html").write_text(page, encoding="utf-8")
    told = run_browser(tmp_path, pages)
    expected = {"moved": True, "opened": True, "returned": True, "cut": False, "violations": []}
    assert {(one["page"], one["width"]) for one in told} == {(f"{scheme}.html", width) for scheme, width in pages}
    assert [{name: one[name] for name in expected} for one in told] == [expected] * len(pages)


def run_browser(folder, pages):
    """Open pages at their widths, one after the other, and return what each of them told."""
    around = folder / "around.html"
    around.write_text(AROUND % json.dumps(pages), encoding="utf-8")
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    options = [
        "--headless",
        "--window-size=2000,1000",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=120000",
        "--dump-dom",
    ]
    command = [browser, *options, f"--user-data-dir={folder / 'profile'}", around.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-1000:]
    return json.loads(unescape(found[1]))
