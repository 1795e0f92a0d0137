// Numbers that tell where they come from, in the report and on pages: one stop for the Tab key per table or paragraph,
// arrow keys from number to number inside it, and a box that stands beside the number.
"use strict";
const numbers = (() => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const home = (number, root) => number.closest("table, li, p") || root;

  const group = (root) => {
    const begun = new Set();
    for (const number of root.querySelectorAll(".n")) {
      number.tabIndex = begun.has(home(number, root)) ? -1 : 0;
      number.setAttribute("aria-haspopup", "dialog");
      begun.add(home(number, root));
    }
  };

  const place = (box, number) => {
    const target = number.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const below = target.bottom + 6 + size.height < innerHeight;
    box.style.left = `${Math.max(8, Math.min(target.left, innerWidth - size.width - 8))}px`;
    box.style.top = `${Math.max(8, below ? target.bottom + 6 : target.top - size.height - 6)}px`;
  };

  const walk = (number, by, root) => {
    const around = home(number, root);
    const members = [...around.querySelectorAll(".n")].filter((each) => home(each, root) === around);
    const next = members[members.indexOf(number) + by];
    if (!next) return false;
    number.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    return true;
  };

  // Calls show for a number that is clicked or entered, until the signal is aborted; what is inside root counts as one
  // place outside tables.
  const listen = (root, show, signal) => {
    const find = (event) => event.target.closest?.(`${root} .n`);
    document.addEventListener("click", (event) => {
      const number = find(event);
      if (number) show(number);
    }, { signal });
    document.addEventListener("keydown", (event) => {
      const number = find(event);
      if (!number) return;
      const enters = event.key === "Enter" || event.key === " ";
      if (enters) show(number);
      if (enters || (event.key in step && walk(number, step[event.key], number.closest(root)))) event.preventDefault();
    }, { signal });
  };

  return { group, place, listen };
})();
