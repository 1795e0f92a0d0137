// Blind reading: grades by keys, a slide that can be looked at closely, and the next image made ready meanwhile.
// The page stays while its images follow one another: what belongs to one image begins with it.
"use strict";

(() => {
  const AHEAD_MS = 400;
  const MOST_TILES = 12;
  let questions = [];
  let at = 0;
  let viewer = null;
  let asking = new AbortController();

  const mark = (move) => {
    questions.forEach((each, place) => each.classList.toggle("current", place === at));
    if (move) {
      questions[at]?.scrollIntoView({ block: "nearest" });
    }
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=radio]), textarea, select, a, button, [role=application]");
    if (event.ctrlKey || event.metaKey || event.altKey || !questions.length) {
      return;
    }
    if (/^[0-9-]$/.test(event.key) && !event.target.matches("input:not([type=radio]), textarea, select")) {
      const answer = questions[at]?.querySelector(`input[value="${event.key}"]`);
      if (answer) {
        event.preventDefault();
        answer.checked = true;
        at = Math.min(at + 1, questions.length - 1);
        mark(true);
      }
    } else if (event.key === "Enter" && !typing) {
      event.preventDefault();
      document.getElementById("grades").requestSubmit();
    } else if (event.key === "Backspace" && !typing) {
      event.preventDefault();
      at = Math.max(0, at - 1);
      mark(true);
    }
  });

  const ask = () => {
    questions = [...document.querySelectorAll("#grades .question")];
    at = Math.max(0, questions.findIndex((each) => !each.querySelector("input:checked")));
    questions.forEach((each, place) => each.addEventListener("focusin", () => {
      at = place;
      mark(false);
    }));
    mark(false);
  };

  const source = ({ url, width, height, last }) => ({
    width: Number(width), height: Number(height), tileSize: 512, tileOverlap: 0, minLevel: 0, maxLevel: Number(last),
    getTileUrl: (level, x, y) => `${url}/tiles/${level}_${x}_${y}.jpg`,
  });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const look = () => {
    const frame = document.getElementById("blind");
    if (!frame || !window.OpenSeadragon) {
      return;
    }
    viewer = OpenSeadragon({
      element: frame, drawer: "canvas", showNavigationControl: false, visibilityRatio: 0.5, maxZoomPixelRatio: 4,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true }, tileSources: source(frame.dataset),
    });
    viewer.innerTracker.keyHandler = null;
    viewer.innerTracker.keyDownHandler = null;
    frame.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (step) {
        const bounds = viewer.viewport.getBounds();
        viewer.viewport.panBy(new OpenSeadragon.Point(step[0] * bounds.width / 6, step[1] * bounds.height / 6)).applyConstraints();
      } else if (event.key === "+" || event.key === "=") {
        viewer.viewport.zoomBy(1.4).applyConstraints();
      } else if (event.key === "_") {
        viewer.viewport.zoomBy(1 / 1.4).applyConstraints();
      } else {
        return;
      }
      event.preventDefault();
    });
  };

  // The tiles of the level at which all of a slide is seen.
  const listTiles = ({ url, width, height, last }) => {
    const frame = document.getElementById("blind");
    const fit = Math.min(frame.clientWidth / width, frame.clientHeight / height) * window.devicePixelRatio;
    const level = Math.min(Math.max(Number(last) + Math.ceil(Math.log2(fit)), 0), Number(last));
    const count = (length) => Math.ceil(length / 2 ** (last - level) / 512);
    const columns = [...Array(count(width)).keys()];
    const tiles = [...Array(count(height)).keys()].flatMap((y) => columns.map((x) => `${url}/tiles/${level}_${x}_${y}.jpg`));
    return tiles.slice(0, MOST_TILES);
  };

  // The reader's next image, under the code that its page has anyway: nothing is written down by looking at it.
  const lookAhead = async (address, signal) => {
    const text = await (await fetch(address, { signal })).text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const frame = page.getElementById("blind");
    const picture = page.querySelector(".reading-image > img")?.getAttribute("src");
    const files = frame ? listTiles(frame.dataset) : [picture].filter(Boolean);
    await Promise.all(files.map(async (each) => (await fetch(each, { signal })).blob()));
  };

  const begin = () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    ask();
    look();
    const ahead = document.getElementById("grades")?.dataset.ahead;
    window.setTimeout(() => {
      if (ahead && !signal.aborted) {
        lookAhead(ahead, signal).catch(() => null); // it is asked for again when it is the reader's turn
      }
    }, AHEAD_MS);
  };

  // The viewer looks for a style of its own and would write one into the page, which the page's policy forbids.
  if (window.OpenSeadragon) {
    const style = document.createElementNS("urn:none", "style");
    style.setAttribute("data-openseadragon-mobile-css", "");
    document.head.append(style);
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "main") {
      viewer?.destroy();
      viewer = null;
      document.getElementById("blind")?.removeAttribute("style"); // no other image takes it over
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "main") {
      event.target.focus({ preventScroll: true }); // not where the last answer was given
      begin();
    }
  });
  document.addEventListener("htmx:historyRestore", begin);
  begin();
})();
