// Blind reading: grades by keys, a slide that can be looked at closely, and the next image made ready meanwhile.

import { listen, loadViewer, show } from "./deep_zoom.js";

const AHEAD_MS = 400;
const MOST_TILES = 12;

/** Begin when an image stands. */
export function open({ signal }) {
  const questions = [...document.querySelectorAll("#grades .question")];
  let at = Math.max(0, questions.findIndex((each) => !each.querySelector("input:checked")));

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
  }, { signal });
  questions.forEach((each, place) => each.addEventListener("focusin", () => {
    at = place;
    mark(false);
  }));
  mark(false);

  const frame = document.getElementById("blind");
  if (frame) look(frame, signal);
  const { ahead } = document.getElementById("grades")?.dataset ?? {};
  setTimeout(() => {
    if (ahead && !signal.aborted) {
      lookAhead(ahead, signal).catch(() => null); // it is asked for again when it is the reader's turn
    }
  }, AHEAD_MS);
}

async function look(frame, signal) {
  await loadViewer(frame);
  if (!signal.aborted) listen(frame, show(frame, signal), { out: "_" });
}

// The tiles of the level at which all of a slide is seen.
function listTiles({ url, width, height, last, tile }) {
  const frame = document.getElementById("blind");
  const fit = Math.min(frame.clientWidth / width, frame.clientHeight / height) * window.devicePixelRatio;
  const level = Math.min(Math.max(Number(last) + Math.ceil(Math.log2(fit)), 0), Number(last));
  const count = (length) => Math.ceil(length / 2 ** (last - level) / tile);
  const columns = [...Array(count(width)).keys()];
  const tiles = [...Array(count(height)).keys()].flatMap((y) => columns.map((x) => `${url}/tiles/${level}_${x}_${y}.jpg`));
  return tiles.slice(0, MOST_TILES);
}

// The reader's next image, under the code that its page has anyway: nothing is written down by looking at it.
async function lookAhead(address, signal) {
  const text = await (await fetch(address, { signal })).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const frame = page.getElementById("blind");
  const picture = page.querySelector(".reading-image > img")?.getAttribute("src");
  const files = frame ? listTiles(frame.dataset) : [picture].filter(Boolean);
  await Promise.all(files.map(async (each) => (await fetch(each, { signal })).blob()));
}
