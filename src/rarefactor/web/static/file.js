// The numbers of the lines beside the study file, those with a problem marked; a problem leads to its line.
"use strict";

(() => {
  const text = document.getElementById("text");
  const gutter = document.getElementById("gutter");

  const number = () => {
    const wanted = text.value.split("\n").length;
    while (gutter.children.length > wanted) {
      gutter.lastElementChild.remove();
    }
    while (gutter.children.length < wanted) {
      const line = document.createElement("li");
      line.textContent = gutter.children.length + 1;
      gutter.append(line);
    }
    text.rows = wanted;
  };

  const mark = () => {
    const wrong = new Set((document.getElementById("found").dataset.lines || "").split(" "));
    [...gutter.children].forEach((line, place) => line.classList.toggle("wrong", wrong.has(String(place + 1))));
  };

  const go = (line) => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus({ preventScroll: true });
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    gutter.children[line - 1]?.scrollIntoView({ block: "center" });
  };

  text.addEventListener("input", number);
  document.addEventListener("htmx:afterSettle", mark);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".to-line");
    if (link) {
      event.preventDefault();
      go(Number(link.dataset.line));
    }
  });
  number();
  mark();
})();
