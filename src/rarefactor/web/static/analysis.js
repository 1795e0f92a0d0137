// The cards of the analysis: each renews when what it shows is known anew, and is grey until then; nothing else moves.

/** Begin when the page stands. */
export function open({ signal, visit }) {
  const root = document.getElementById("analysis");
  const url = `${root.dataset.url}/analysis`;
  const mayChange = root.dataset.mayChange === "1";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const told = document.getElementById("computing-text");
  const box = document.getElementById("origin");
  let paused = false;
  let begun = "";
  let asked = 0;
  let opener = null;
  const listen = (kind, act, capture = false) => document.addEventListener(kind, act, { signal, capture });

  const send = (path, form) => fetch(`${url}/${path}`, { method: "POST", headers: { "HX-Request": "true" }, body: form });
  const cards = () => [...document.querySelectorAll(".result")];

  // Figures: the colours of the page, drawn when they come into sight, and no jump of what stands below.
  const paint = (part, heights) => {
    for (const image of part.querySelectorAll("img.drawn")) {
      image.dataset.src ||= image.getAttribute("src");
      const wanted = image.dataset.src + (dark.matches ? "&dark=1" : "");
      const height = heights.get(image.closest("figure")?.id) || 160;
      image.style.minHeight = `${height}px`;
      image.addEventListener("load", () => { image.style.minHeight = ""; }, { once: true });
      if (image.getAttribute("src") !== wanted) image.setAttribute("src", wanted);
    }
  };

  const renew = (card, html, key) => {
    const part = card.querySelector(".part");
    const focused = part.contains(document.activeElement) ? document.activeElement.dataset.row : null;
    const before = new Map([...part.querySelectorAll(".n")].map((each) => [each.dataset.row, each.textContent]));
    const heights = new Map([...part.querySelectorAll("figure.picture")]
      .map((each) => [each.id, each.querySelector("img").offsetHeight]));
    const made = document.createElement("template");
    made.innerHTML = html;
    for (const image of made.content.querySelectorAll("img.drawn")) {
      image.dataset.src = image.getAttribute("src");
      image.setAttribute("src", image.dataset.src + (dark.matches ? "&dark=1" : ""));
    }
    part.replaceChildren(made.content);
    card.dataset.key = key;
    paint(part, heights);
    numbers.group(part);
    for (const number of before.size ? part.querySelectorAll(".n") : []) {
      if (before.get(number.dataset.row) !== number.textContent) number.classList.add("changed");
    }
    if (focused) part.querySelector(`.n[data-row="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };

  const load = async (card, key) => {
    if (card.dataset.asked === key) return;
    card.dataset.asked = key;
    const answer = await fetch(`${url}/cards/${card.dataset.card}`, { headers: { "HX-Request": "true" } });
    if (card.dataset.asked !== key || signal.aborted) return;
    delete card.dataset.asked;
    if (!answer.ok) return;
    renew(card, await answer.text(), answer.headers.get("X-Card-Key"));
    if (card.dataset.key === key) card.classList.toggle("stale", false);
  };

  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  const follow = (state) => {
    document.getElementById("problems").innerHTML = state.problems;
    const known = new Map(state.cards.map((each) => [each.name, each]));
    if (state.cards.some((each) => !document.getElementById(`card-${each.name}`))) {
      visit(location.href, { top: window.scrollY });
      return;
    }
    for (const card of cards()) {
      const own = known.get(card.dataset.card);
      card.hidden = !own && !state.problems;
      if (!own) { card.classList.add("stale"); continue; }
      const line = card.querySelector(".card-state");
      say(line, own.text);
      card.dataset.state = own.state;
      card.setAttribute("aria-busy", String(own.state !== "ready"));
      card.classList.toggle("stale", own.key !== card.dataset.key && card.dataset.key !== "");
      if (own.key && own.key !== card.dataset.key) load(card, own.key);
    }
    const coming = state.cards.filter((each) => each.state !== "ready").length;
    say(told, state.problems ? "" : coming ? (state.running ? `Computing: ${coming} of ${state.cards.length} parts to come` : state.failed ? "Stopped: see below what needs mending" : "") : "All results are up to date");
    if (state.failed && coming) document.getElementById("work").open = true;
    document.getElementById("stop")?.toggleAttribute("hidden", !state.running);
    document.getElementById("start")?.toggleAttribute("hidden", state.running || !coming);
    // Once for each state of the study: what was done and is not known after all waits for someone to ask.
    const now = `${state.version} ${state.cards.map((each) => each.key)}`;
    if (coming && !state.running && !state.failed && !paused && mayChange && now !== begun) {
      begun = now;
      send("start");
    }
  };

  // One question at a time; one more where something happened meanwhile.
  const look = async () => {
    asked += 1;
    if (asked > 1) return;
    for (let turn = 0; turn !== asked && !signal.aborted;) {
      turn = asked;
      try {
        const answer = await fetch(`${url}/state`);
        const state = answer.ok && await answer.json();
        if (state && !signal.aborted) follow(state);
      } catch { /* the server is away; the stream tells when it is back */ }
      await new Promise((done) => setTimeout(done, 250));
    }
    asked = 0;
  };

  const renewPanel = (version) => {
    const panel = document.getElementById("panel");
    if (panel && panel.dataset.version !== version) {
      htmx.ajax("GET", `${url}/panel`, { target: "#panel", swap: "outerHTML" });
    }
  };

  const wonder = () => {
    for (const card of cards()) say(card.querySelector(".card-state"), "Looking at what the change concerns …");
  };
  listen("htmx:beforeRequest", (event) => { if (event.target.closest("#panel")) wonder(); });
  listen("htmx:afterRequest", (event) => { if (event.target.closest("#panel")) look(); });

  const news = new EventSource(`${root.dataset.url}/events`);
  signal.addEventListener("abort", () => news.close());
  news.addEventListener("open", look);
  news.addEventListener("job", (event) => {
    document.getElementById("job").innerHTML = event.data;
    document.getElementById("work").hidden = false;
    look();
  });
  news.addEventListener("job-done", look);
  for (const name of ["study", "readings"]) {
    news.addEventListener(name, (event) => {
      if (name === "study") renewPanel(event.data);
      wonder();
      look();
      if (mayChange && !paused) send("start").then(look);
    });
  }

  for (const [id, stops] of [["start", false], ["stop", true]]) {
    document.getElementById(id)?.addEventListener("submit", (event) => {
      event.preventDefault();
      paused = stops;
      send(id, new FormData(event.target)).then(look);
    });
  }

  // Which parts of the panel are open stays as it was when the panel is renewed.
  const unfolded = new Map();
  listen("toggle", (event) => {
    if (event.target.matches?.("#panel details")) unfolded.set(event.target.id, event.target.open);
  }, true);
  listen("htmx:afterSwap", () => {
    for (const [id, is] of unfolded) {
      const part = document.getElementById(id);
      if (part) part.open = is;
    }
  });

  // Where a number comes from.
  const show = async (button) => {
    const answer = await fetch(`${url}/origin?row=${encodeURIComponent(button.dataset.row)}`, { headers: { "HX-Request": "true" } });
    const text = await answer.text();
    if (signal.aborted) return;
    box.innerHTML = text;
    opener = button;
    if (!box.matches(":popover-open")) box.showPopover();
    numbers.place(box, button);
    box.focus({ preventScroll: true });
  };

  numbers.listen(".part", show, signal);
  box.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && opener?.isConnected) opener.focus({ preventScroll: true });
  });
  box.addEventListener("toggle", () => { if (opener) numbers.place(box, opener); }, true);
  dark.addEventListener("change", () => { for (const card of cards()) paint(card, new Map()); }, { signal });

  look();
}
