"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const details = JSON.parse(document.getElementById("details").textContent);
  const origins = JSON.parse(document.getElementById("origins").textContent);
  const box = document.getElementById("source");
  let opener = null;

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
    part.addEventListener("toggle", () => place(opener));
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

  const place = (button) => {
    const target = button.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const below = target.bottom + 6 + size.height < innerHeight;
    box.style.left = `${Math.max(8, Math.min(target.left, innerWidth - size.width - 8))}px`;
    box.style.top = `${Math.max(8, below ? target.bottom + 6 : target.top - size.height - 6)}px`;
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
    if (box.showPopover) box.showPopover();
    place(button);
  };

  // One stop for the Tab key per table or paragraph; arrow keys go from number to number inside it.
  const groups = new Map();
  for (const button of document.querySelectorAll(".n")) {
    const group = button.closest("table, li, p");
    if (!groups.has(group)) groups.set(group, []);
    const members = groups.get(group);
    button.tabIndex = members.length ? -1 : 0;
    members.push(button);
    button.setAttribute("aria-haspopup", "dialog");
  }

  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".n");
    if (button) show(button);
  });
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest && event.target.closest(".n");
    if (button && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      show(button);
    }
    if (!button || !(event.key in step)) return;
    const members = groups.get(button.closest("table, li, p"));
    const next = members[members.indexOf(button) + step[event.key]];
    if (!next) return;
    event.preventDefault();
    button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  box.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && opener) opener.focus({ preventScroll: true });
  });
  addEventListener("scroll", () => { if (box.matches(":popover-open")) box.hidePopover(); }, { passive: true });
})();
