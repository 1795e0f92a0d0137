"""The pages of a study of 500 patients: from the click to the painted page, and how much of it is the server's.

    python benchmarks/web.py [--full] [--study FOLDER]

A server in a process of its own on 127.0.0.1, Chromium before it (CHROMIUM names one). Each page is opened by a click
on its link; then a factor's cut and a model's factor are changed, grades are saved, patients sorted and looked for,
slices and thresholds moved, a region drawn. A time is by the clock, from the event of the click to the second frame
after what was asked for is there. The server's is the time of the slowest request behind it by the clock, and what the
server's process used of the processor meanwhile, which a busy machine does not lengthen. Between two interactions there
is more than half a second, as with a hand; nobody asks the page anything while it is made. Analyses that a change asks
for are stopped and not counted. The study is anm-srp with 500 patients, of whom the first 30 (``--full``: all) may have
scans and slides; it is made and run first, in ``--study`` where one is named, which is used as it is if it was run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from peers import describe_machine
from playwright.sync_api import Page, sync_playwright

from rarefactor import simulate
from rarefactor.study import run
from rarefactor.work import Workers

EXAMPLE = Path(__file__).parents[1] / "examples" / "anm-srp" / "study.yaml"
PATIENTS, LIMIT_MS, PAUSE_MS = 500, 200, 600
PAGES = (
    "Data",
    "Visits",
    "Factors",
    "Study file",
    "Analysis",
    "Patients",
    "Scans",
    "Slides",
    "Readers",
    "Calculator",
    "Design",
    "Report",
)
WATCH = """
const note = (name, value) => sessionStorage.setItem(name, String(value));
const now = () => performance.timeOrigin + performance.now();
for (const kind of ["click", "keydown", "input", "change"]) {
  document.addEventListener(kind, (event) => {
    if (event.isTrusted) note("began", performance.timeOrigin + event.timeStamp);
  }, true);
}
const afterFrames = (act) => requestAnimationFrame(() => requestAnimationFrame(act));
window.painted = (done) => new Promise((tell) => {
  const look = () => (done() ? afterFrames(() => tell(now())) : requestAnimationFrame(look));
  look();
});
new MutationObserver((all) => {
  if (all.some(({ target }) => ["yes", "true"].includes(target.dataset.ready))) afterFrames(() => note("shown", now()));
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-ready"] });
const stands = async () => {
  const images = [...document.querySelectorAll("#main img:not([loading=lazy])")];
  await Promise.all(images.map((each) => each.decode().catch(() => null)));
  afterFrames(() => note("loaded", now()));
};
addEventListener("load", () => {
  stands();
  new MutationObserver((all) => {
    if (all.some(({ addedNodes }) => [...addedNodes].some((each) => each.id === "main"))) stands();
  }).observe(document.querySelector(".frame") ?? document.body, { childList: true });
});
"""
ASKED = """(began) => {
  const since = began - performance.timeOrigin;
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const kinds = ["navigation", "xmlhttprequest", "fetch"];
  const asked = all.filter((each) => kinds.includes(each.initiatorType) && each.requestStart >= Math.max(since, 0));
  return asked.length ? Math.max(...asked.map((each) => each.responseStart - each.requestStart)) : 0;
}"""


@dataclass
class Times:
    """Milliseconds of each interaction: until it was painted, the server's by the clock, and its processor's."""

    taken: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)

    def add(self, name: str, *taken: float) -> None:
        painted, served, used = taken
        self.taken.setdefault(name, []).append((painted, served, used))


@dataclass
class Hand:
    """A hand that clicks and a clock beside it."""

    page: Page
    base: str
    server: psutil.Process
    times: Times = field(default_factory=Times)

    @property
    def used(self) -> float:
        """Milliseconds of the processor that the server has used."""
        spent = self.server.cpu_times()
        return 1000 * (spent.user + spent.system)

    def open(self, name: str, click: Callable[[], object]) -> None:
        """Click what leads to another page, and note when that page stands painted."""
        self.page.evaluate("sessionStorage.removeItem('loaded')")
        used = self.used
        click()
        self.page.wait_for_timeout(PAUSE_MS)  # so that nobody asks the page anything while it is made
        self.page.wait_for_function("() => sessionStorage.getItem('loaded')")
        began, loaded = (float(self.page.evaluate(f"sessionStorage.getItem('{each}')")) for each in ("began", "loaded"))
        served = self.page.evaluate(ASKED, began)
        self.times.add(name, loaded - began, served, self.used - used)

    def act(self, name: str, do: Callable[[], object], done: str) -> None:
        """Do something on the page, and note when ``done`` (JavaScript) has become true and is painted."""
        self.page.evaluate(f"window.seen = window.painted(() => {done}); 0")
        used = self.used
        do()
        painted = self.page.evaluate("window.seen")
        self.page.wait_for_timeout(PAUSE_MS)
        began = float(self.page.evaluate("sessionStorage.getItem('began')"))
        self.times.add(name, painted - began, self.page.evaluate(ASKED, began), self.used - used)

    def follow(self, name: str) -> None:
        """Note when the images of what was opened last stand painted."""
        self.page.wait_for_function("() => sessionStorage.getItem('shown') > sessionStorage.getItem('began')")
        began, shown = (float(self.page.evaluate(f"sessionStorage.getItem('{each}')")) for each in ("began", "shown"))
        self.times.add(name, shown - began, self.page.evaluate(ASKED, began), 0.0)

    def swap(self, name: str, do: Callable[[], object], part: str) -> None:
        """Do something on the page, and note when another element stands in the place of ``part``."""
        self.page.evaluate(f"document.querySelector('{part}').dataset.before = 'yes'")
        self.act(name, do, f"document.querySelector('{part}')?.dataset.before === undefined")

    def go(self, path: str) -> None:
        self.page.goto(f"{self.base}/studies/{PLACE}{path}")
        self.page.wait_for_timeout(PAUSE_MS)


PLACE = "anm-srp"


def make_study(folder: Path, imaged: int | None) -> None:
    """Make the study and run it, unless that was done before."""
    if (folder / "out").exists():
        return
    hands = Workers(processes=os.cpu_count() or 1)
    file = simulate.write_study(EXAMPLE, folder, patients=PATIENTS, imaged=imaged, workers=hands)
    text = file.read_text(encoding="utf-8").replace(
        "    sequence: dixon\n", "    sequence: dixon\n    grades: {scale: mercuri}\n"
    )
    file.write_text(text, encoding="utf-8")
    run(file, folder / "out", workers=hands)


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Give the start address of a server of a study, and its process."""
    command = [sys.executable, "-m", "rarefactor", "serve", str(folder), "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield server.stdout.readline().strip() if server.stdout else "", psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)


@contextlib.contextmanager
def browse(start: str) -> Iterator[Page]:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "chrome")
    program = next((found for name in names if name and (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=program, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.set_default_timeout(120_000)
        page.add_init_script(WATCH)
        page.goto(start)
        yield page
        browser.close()


def open_pages(hand: Hand) -> None:
    page = hand.page
    page.goto(hand.base)
    hand.open("open the study", page.locator("main a").first.click)
    for name in PAGES:
        hand.open(
            f"open {name}",
            lambda name=name: page.locator("nav.pages").get_by_role("link", name=name, exact=True).click(),
        )
        if name == "Analysis":
            settle(page)
    hand.go("/patients")
    hand.open("open one of patients", page.locator("tbody a[href*='/patients/S-']").nth(2).click)
    hand.open("the next of patients", page.locator("#next-patient").click)
    hand.go("/slides")
    hand.open("open one of slides", page.locator("tbody a[href*='/slides/S-']").nth(2).click)
    hand.follow("... and its image")
    hand.open("the next of slides", page.locator("#next-slide").click)
    hand.follow("... and the image of the next")
    hand.go("/scans")
    hand.open("open one of scans", page.locator("tbody a[href*='/scans/S-']").nth(2).click)
    hand.follow("... and its images, in the viewer")
    hand.open("the next of scans", page.locator("#next-scan").click)
    hand.follow("... and the images of the next, in the viewer")


def ask_lists(hand: Hand) -> None:
    page = hand.page
    for kind, column in (("patients", "Factors missing"), ("scans", "Fat fraction"), ("slides", "Patient")):
        hand.go(f"/{kind}")
        hand.swap(f"sort {kind}", page.locator("thead a", has_text=column).first.click, "#list")
        if page.locator("#page-next").count():
            hand.swap(f"turn to the next page of {kind}", page.locator("#page-next").click, "#list")
        page.click("#find")
        hand.swap(f"find {kind}", lambda: page.keyboard.type("9"), "#list")
    hand.go("/data")
    page.click("#find")
    before = page.inner_text("#found")
    hand.act(
        "find a variable",
        lambda: page.keyboard.type("c"),
        f"document.getElementById('found').innerText !== {before!r}",
    )


def change_factors(hand: Hand, cut: str) -> None:
    page = hand.page
    hand.go("/factors")
    hand.act("open a factor", page.locator("#edit-severe_weakness").click, "document.getElementById('factor-form')")
    page.fill("#f-threshold", cut)
    hand.act("change a cut", page.locator("#save-factor").click, "!document.getElementById('factor-form')")
    hand.go("/analysis")
    settle(page)
    version = page.get_attribute("#panel", "data-version")
    tick = page.locator("#tick-clinical-dysphagia")
    hand.act("change a model's factor", tick.click, f"document.getElementById('panel').dataset.version !== '{version}'")
    settle(page)


def settle(page: Page) -> None:
    """Stop what is computed: another measure it is."""
    page.wait_for_timeout(1500)
    if page.locator("#stop-button").is_visible():
        page.locator("#stop-button").click()
        page.wait_for_timeout(1000)


def look_closely(hand: Hand) -> None:
    page = hand.page
    hand.go("/scans")
    page.locator("tbody a[href*='/scans/S-']").nth(1).click()
    page.wait_for_selector("#scan[data-ready=yes]")
    said = page.inner_text("#slice-said")
    page.focus("#scan")
    step = "PageUp" if not said.startswith("Slice 4") else "PageDown"
    hand.act(
        "move a slice",
        lambda: page.keyboard.press(step),
        f"document.getElementById('slice-said').innerText !== {said!r}",
    )
    hand.go("/slides")
    page.locator("tbody a[href*='/slides/S-']").nth(1).click()
    page.wait_for_selector("#numbers table")
    page.wait_for_selector("#slide[data-ready=true]")
    page.focus("#threshold")
    shown = page.inner_text("#numbers thead")
    hand.act(
        "move a threshold",
        lambda: page.keyboard.press("ArrowRight"),
        f"document.querySelector('#numbers thead').innerText !== {shown!r}",
    )
    hand.act(
        "draw a region",
        page.locator("#add-box").click,
        "document.querySelector('#numbers thead').innerText.includes('As drawn')",
    )
    page.locator("#discard").click()


def grade(hand: Hand, reader: str) -> None:
    page = hand.page
    hand.go("/scans")
    page.locator("tbody a[href*='/scans/S-']").nth(3).click()
    page.wait_for_selector("#scan[data-ready=yes]")
    chosen = page.locator("#grade-VL-right")
    chosen.select_option(str(1 + (int(chosen.input_value() or 0)) % 2))
    hand.swap("save grades of a scan", page.locator("#save-grades").click, "#grades-card")
    hand.go("/readers")
    task = page.locator("section.card", has_text="Slides of BAFF-R")
    task.locator("input[name=reader]").fill(reader)
    hand.open("begin to read", task.get_by_role("button", name="Grade").click)
    for _ in range(2):
        page.keyboard.press("2")
        hand.swap("save a blind grade", page.locator("#save").click, "#grades")


def report(times: Times) -> None:
    print(f"{'ms':46}{'painted':>9}{'95 %':>7}{'server':>9}{'95 %':>7}{'CPU':>9}{'95 %':>7}")
    medians: list[float] = []
    for name, taken in times.taken.items():
        figures = np.percentile(np.array(taken), [50, 95], axis=0)
        medians.append(float(figures[0, 0]))
        shown = "".join(f"{middle:9.0f}{high:7.0f}" for middle, high in figures.T)
        print(f"{name:46}{shown}{'  over' if medians[-1] > LIMIT_MS else ''}")
    print(f"{sum(each <= LIMIT_MS for each in medians)} of {len(medians)} interactions within {LIMIT_MS} ms (median)")


def measure(folder: Path, rounds: int) -> Times:
    """Return the times of all interactions, each ``rounds`` times after a first time that does not count."""
    with serve(folder) as (start, server), browse(start) as page:
        hand = Hand(page=page, base=start.partition("/?")[0], server=server)
        for number in range(rounds + 1):
            if number == 1:
                hand.times = Times()
            open_pages(hand)
            ask_lists(hand)
            look_closely(hand)
            grade(hand, f"Reader {time.time_ns()}")
            change_factors(hand, "55" if number % 2 else "57")
    return hand.times


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="more images, more rounds")
    parser.add_argument("--study", type=Path, help="where the study is, or is to be made")
    options: Any = parser.parse_args()
    print((__doc__ or "").partition("\n")[0])
    with tempfile.TemporaryDirectory() as made:
        folder = options.study or Path(made) / PLACE
        make_study(folder, None if options.full else 30)
        print(f"{describe_machine()}; {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}")
        report(measure(folder, 10 if options.full else 3))


if __name__ == "__main__":
    main()
