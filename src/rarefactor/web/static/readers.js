// Blind reading: grades by keys, and a slide that can be looked at closely.
"use strict";

(() => {
  const form = document.getElementById("grades");
  if (form) {
    const questions = [...form.querySelectorAll(".question")];
    let at = Math.max(0, questions.findIndex((each) => !each.querySelector("input:checked")));
    const mark = (move) => {
      questions.forEach((each, place) => each.classList.toggle("current", place === at));
      if (move) {
        questions[at]?.scrollIntoView({ block: "nearest" });
      }
    };
    questions.forEach((each, place) => each.addEventListener("focusin", () => {
      at = place;
      mark(false);
    }));
    mark(false);
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
        form.requestSubmit();
      } else if (event.key === "Backspace" && !typing) {
        event.preventDefault();
        at = Math.max(0, at - 1);
        mark(true);
      }
    });
  }

  const frame = document.getElementById("blind");
  if (!frame || !window.OpenSeadragon) {
    return;
  }
  // The viewer looks for a style of its own and would write one into the page, which the page's policy forbids.
  const mark = document.createElementNS("urn:none", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(mark);
  const { url, width, height, last } = frame.dataset;
  const viewer = OpenSeadragon({
    element: frame, drawer: "canvas", showNavigationControl: false, visibilityRatio: 0.5, maxZoomPixelRatio: 4,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    tileSources: {
      width: Number(width), height: Number(height), tileSize: 512, tileOverlap: 0, minLevel: 0, maxLevel: Number(last),
      getTileUrl: (level, x, y) => `${url}/tiles/${level}_${x}_${y}.jpg`,
    },
  });
  viewer.innerTracker.keyHandler = null;
  viewer.innerTracker.keyDownHandler = null;
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
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
})();
