// The numbers of the lines beside the study file, those with a problem marked; a problem leads to its line.

/** Begin when the page stands. */
export function open({ signal }) {
  const text = document.getElementById("text");
  const gutter = document.getElementById("gutter");

  // One text for all lines: a long file has hundreds. Those with a problem stand out of it. The page comes with them.
  const wrong = () => document.getElementById("found").dataset.lines;
  const mark = (line) => Object.assign(document.createElement("span"), { className: "wrong", textContent: line });
  let shown = `${text.rows} ${wrong()}`;
  const number = () => {
    const wanted = text.value.split("\n").length;
    if (shown === `${wanted} ${wrong()}`) {
      return;
    }
    shown = `${wanted} ${wrong()}`;
    const marked = new Set(wrong().split(" "));
    const lines = Array.from({ length: wanted }, (_, place) => String(place + 1));
    gutter.replaceChildren(...lines.flatMap((line) => [marked.has(line) ? mark(line) : line, "\n"]));
    gutter.normalize();
    text.rows = wanted;
  };

  const go = (line) => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus({ preventScroll: true });
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    const found = [...gutter.children].find((each) => Number(each.textContent) === line);
    found?.scrollIntoView({ block: "center" });
  };

  text.addEventListener("input", number);
  document.addEventListener("htmx:afterSettle", number, { signal });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".to-line");
    if (link) {
      event.preventDefault();
      go(Number(link.dataset.line));
    }
  }, { signal });
  number();
}
