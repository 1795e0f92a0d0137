"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const details = JSON.parse(document.getElementById("details").textContent);
  const origins = JSON.parse(document.getElementById("origins").textContent);
  const box = document.getElementById("source");
  let opener = null;
  let openedAt = 0;

  // Above the text, where the page is narrow, the contents are folded.
  if (matchMedia("(max-width: 79rem)").matches) document.querySelector("nav details").open = false;

  const add = (parent, tag, text, name) => {
    const element = parent.appendChild(document.createElement(tag));
    element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  const fill = (entry, places) => {
    const chosen = places.n === 1 ? entry.one : entry.other;
    return chosen.replace(/\{(\w+)\}/g, (_, name) => places[name]);
  };

  const fold = (title, lines, name) => {
    const part = box.appendChild(document.createElement("details"));
    add(part, "summary", title);
    for (const line of lines) add(part, "p", line, name);
    part.addEventListener("toggle", () => numbers.place(box, opener));
    return part;
  };

  // Who, and which scans and slides: listed once, named by every number that shares them.
  const addOrigins = (row) => {
    const [name, about] = origins.rows[row] || [];
    if (!name) return;
    const patients = origins.sets[name] || [name];
    const who = fold(fill(words.patients, { n: patients.length }), [""]);
    for (const patient of patients) who.lastChild.append(add(who.lastChild, "span", patient), " ");
    for (const what of about) {
      const own = patients.filter((patient) => (origins.images[what] || {})[patient]);
      if (!own.length) continue;
      const files = own.map((patient) => `${patient}: ${origins.images[what][patient].join(", ")}`);
      const shown = what.replace("@", ", ").replaceAll("_", " ");
      fold(fill(words.images, { what: shown, n: own.length }), files, "file");
    }
  };

  const show = (button) => {
    opener = button;
    box.replaceChildren();
    const list = box.appendChild(document.createElement("dl"));
    for (const [name, text] of Object.entries(details[button.dataset.row] || {})) {
      add(list, "dt", name);
      const said = add(list, "dd", "");
      text.split("`").forEach((part, at) => (at % 2 ? add(said, "code", part) : said.append(part)));
    }
    addOrigins(button.dataset.row);
    add(add(box, "p", "", "address"), "code", button.dataset.row);
    openedAt = scrollY;
    if (box.showPopover) box.showPopover();
    numbers.place(box, button);
  };

  // The Tab key stops at a table or picture only where it is wider than the page.
  const watch = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const wide of document.querySelectorAll(".scroll")) watch.observe(wide);

  numbers.group(document.querySelector("main"));
  numbers.listen("main", show);
  box.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && opener) opener.focus({ preventScroll: true });
  });
  // The box goes when its number moves away, not for the end of the movement that brought the number in sight.
  const leave = () => { if (box.matches(":popover-open") && Math.abs(scrollY - openedAt) > 24) box.hidePopover(); };
  addEventListener("scroll", leave, { passive: true });
})();
