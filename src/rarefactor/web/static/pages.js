// Pages of a study take each other's place in one document: what stands around them stays, and scripts are read once.
// A page names its script in data-script of its <main>. That exports open({ signal, visit }), called when the page
// stands: the signal is aborted when the page is left, and visit(address) opens another page of the study. What open
// returns, if anything, tells whether something on the page would be lost. Without a script every link still works.

const SLOW_MS = 300;
const EARLY_MS = 2000;
const LOST = "What you drew is not saved. Leave it?";
const ROOT = location.pathname.match(/^\/studies\/[^/]+\//)?.[0]; // none: this is not a page of a study

const scripts = new Map();
let left = new AbortController(); // of the page that is shown
let wouldLose = null;
let going = new AbortController(); // of the page that is asked for
let early = null;
let shown = ""; // the path and query of its address

const here = () => location.pathname + location.search;
const main = () => document.getElementById("main");
const plain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

// The link to another page of this study that an event is about.
function findLink(event) {
  const link = event.target.closest?.("a[href]");
  const isPage = link && plain(event) && link.origin === location.origin && link.pathname.startsWith(ROOT)
    && !link.target && !link.hasAttribute("download") && !link.closest("[hx-boost], [data-part]")
    && !(link.hash && link.pathname + link.search === shown);
  return isPage ? link : null;
}

async function enter() {
  left = new AbortController();
  const { signal } = left;
  wouldLose = null;
  const { script } = main().dataset;
  if (!script) return;
  if (!scripts.has(script)) scripts.set(script, await import(script));
  if (!signal.aborted) wouldLose = scripts.get(script).open({ signal, visit });
}

function leave() {
  left.abort();
  main().addEventListener("htmx:beforeOnLoad", (event) => event.preventDefault()); // what was asked for comes too late
  for (const each of main().querySelectorAll("[sse-connect]")) window.htmx.trigger(each, "htmx:beforeCleanupElement");
}

// What is around the pages; one that stands in another frame, such as the page to log in, needs a document of its own.
const frame = (page) => [...page.querySelectorAll("script:not([data-page])")].map((each) => each.getAttribute("src"))
  + page.querySelector(".bar")?.innerHTML;
const FRAME = frame(document);

// Null: it is no page, or none of this frame.
async function read(address, signal) {
  const held = early;
  early = null;
  const isHeld = held?.address === address && performance.now() - held.at < EARLY_MS;
  const answer = await (isHeld ? held.answer : fetch(address, { signal }));
  if (!answer.headers.get("content-type")?.startsWith("text/html")) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (frame(page) !== FRAME) return null;
  await fetchSheets(page);
  return { page, url: answer.url + new URL(address).hash };
}

const sheets = (page) => [...page.querySelectorAll("link[rel=stylesheet]")];
const href = (sheet) => sheet.getAttribute("href");

// Those of a page that the document lacks; they count once the page stands.
function fetchSheets(page) {
  const here = new Set(sheets(document).map(href));
  return Promise.all(sheets(page).filter((each) => !here.has(href(each))).map((each) => new Promise((done) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", media: "not all", onload: done, onerror: done });
    sheet.href = href(each);
    document.head.append(sheet);
  })));
}

function useSheets(page) {
  const wanted = new Set(sheets(page).map(href));
  for (const each of sheets(document)) each.media = wanted.has(href(each)) ? "" : "not all";
}

function show(page, hash, top) {
  const before = main();
  const focused = before.contains(document.activeElement) && document.activeElement.id;
  const fresh = document.adoptNode(page.getElementById("main"));
  for (const each of fresh.querySelectorAll("noscript")) each.remove();
  leave();
  useSheets(page);
  before.replaceWith(fresh);
  document.title = page.title;
  markCurrent(href(page.querySelector(".pages [aria-current]") ?? page.body));
  window.htmx.process(fresh);
  const aim = document.getElementById(hash.slice(1));
  if (aim && !aim.matches("[tabindex], a, button, input, select, textarea")) aim.tabIndex = -1;
  (aim || (focused && document.getElementById(focused)) || fresh).focus({ preventScroll: true });
  window.scrollTo(0, top);
  aim?.scrollIntoView();
  enter();
}

function markCurrent(address) {
  for (const link of document.querySelectorAll(".pages a")) {
    if (href(link) === address) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  // On a telephone the pages of a study stand in one line: the one that is open is brought into sight.
  const open = document.querySelector(".pages [aria-current]");
  const line = window.matchMedia("(max-width: 56rem)").matches && open?.closest("ul");
  if (line) line.scrollLeft = open.offsetLeft - line.offsetLeft - (line.clientWidth - open.offsetWidth) / 2;
}

const keepTop = () => history.replaceState({ ...history.state, top: window.scrollY }, "");

/** Open another page of the study, scrolled down to `top`; `isBack`: its address is the browser's already. */
async function visit(address, { top = 0, isBack = false } = {}) {
  const url = new URL(address, location.href).href;
  const stay = () => isBack && history.pushState(null, "", shown);
  if (wouldLose?.() && !window.confirm(LOST)) {
    stay();
    return;
  }
  going.abort();
  going = new AbortController();
  const { signal } = going;
  const slow = setTimeout(() => document.body.classList.add("going"), SLOW_MS);
  let found = null;
  try {
    found = await read(url, signal);
  } catch {
    if (signal.aborted) return;
    stay();
    window.htmx.trigger(document.body, "htmx:sendError"); // the server is away
    return;
  } finally {
    clearTimeout(slow);
    if (going.signal === signal) document.body.classList.remove("going");
  }
  if (signal.aborted) return;
  if (!found) {
    wouldLose = null;
    location.assign(url);
  } else {
    if (!isBack) remember(found.url);
    shown = here();
    show(found.page, isBack ? "" : new URL(url).hash, top);
  }
}

function remember(url) {
  keepTop();
  if (new URL(url, location.href).href === location.href) return;
  history.pushState(null, "", url);
}

if (ROOT) {
  history.scrollRestoration = "manual";
  window.scrollTo(0, history.state?.top ?? window.scrollY);
  window.addEventListener("pagehide", keepTop);
  window.addEventListener("click", (event) => { // after all others
    const link = !event.defaultPrevented && findLink(event);
    if (link) {
      event.preventDefault();
      visit(link.href, { top: "stay" in link.dataset ? window.scrollY : 0 });
    }
  });
  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "get" || !new URL(form.action).pathname.startsWith(ROOT)) return;
    event.preventDefault();
    visit(`${form.action}?${new URLSearchParams(new FormData(form, event.submitter))}`);
  });
  // The answer is on its way while the button of the mouse goes up again; not from a field, which may save when it is left.
  document.addEventListener("pointerdown", (event) => {
    const link = event.pointerType === "mouse" && findLink(event);
    if (link && !document.activeElement?.matches("input, select, textarea")) {
      early = { address: link.href, at: performance.now(), answer: fetch(link.href) };
      early.answer.catch(() => null); // said when the link is followed
    }
  });
  window.addEventListener("popstate", (event) => {
    if (here() !== shown) visit(location.href, { top: event.state?.top ?? 0, isBack: true });
    else (document.getElementById(location.hash.slice(1)) ?? document.body).scrollIntoView();
  });
  // What htmx puts in place of a page or a list.
  document.addEventListener("htmx:pushedIntoHistory", ({ detail }) => {
    remember(detail.path);
    shown = here();
  });
  document.addEventListener("htmx:replacedInHistory", ({ detail }) => {
    history.replaceState(history.state, "", detail.path);
    shown = here();
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => detail.shouldSwap && detail.target.id === "main" && leave());
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id !== "main") return;
    target.focus({ preventScroll: true }); // not where the last page had it
    enter();
  });
}
shown = here();
window.addEventListener("beforeunload", (event) => wouldLose?.() && event.preventDefault());
markCurrent(document.querySelector(".pages [aria-current]")?.getAttribute("href"));
enter();
