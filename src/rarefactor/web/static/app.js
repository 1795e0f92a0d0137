// What every page does besides htmx: keep the focus where it was when a part is swapped, and say what went wrong.
"use strict";

(() => {
  let kept = null;

  const describe = (element) => element && element.id ? `#${CSS.escape(element.id)}`
    : element && element.name ? `[name="${CSS.escape(element.name)}"]` : null;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const active = document.activeElement;
    const target = event.detail.target;
    if (active !== document.body && target.contains(active)) {
      kept = { itself: describe(active), around: describe(target), until: performance.now() + 2000 };
    }
  });

  // Where the element is gone, the focus goes to the one that takes its place (data-focus), else to the page.
  document.addEventListener("htmx:afterSettle", () => {
    const lost = !document.activeElement || document.activeElement === document.body;
    if (!kept || !lost || performance.now() > kept.until) {
      return;
    }
    const around = kept.around && document.querySelector(kept.around);
    const next = (kept.itself && document.querySelector(kept.itself)) ?? around?.querySelector("[data-focus]");
    (next || document.getElementById("main"))?.focus({ preventScroll: true });
    kept = null;
  });

  const tell = (text) => {
    const place = document.getElementById("messages");
    const line = document.createElement("p");
    line.className = "notice problem";
    line.textContent = text;
    place?.replaceChildren(line);
  };

  document.addEventListener("htmx:beforeRequest", () => document.getElementById("messages")?.replaceChildren());
  document.addEventListener("htmx:sendError", () => {
    tell("The server does not answer. Start it again in the terminal (rarefactor serve), and open the address it prints.");
  });

  // A form marked data-ask asks before it is sent.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset?.ask;
    if (question && !window.confirm(question)) {
      event.preventDefault();
    }
  }, true);

  // An element marked data-reload-on="name" loads its page anew when the server tells this event.
  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.target.closest?.("[data-reload-on]")?.dataset.reloadOn === event.detail.type) {
      window.location.reload();
    }
  });
})();
