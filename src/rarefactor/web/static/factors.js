// Finding a variable, opening a form in its place, dragging to a role, and seeing that the study was changed elsewhere.
// All of it can be done without dragging: Use opens the same form, and each factor has its buttons.

/** Begin when the page stands. */
export function open({ signal }) {
  const listen = (kind, act) => document.addEventListener(kind, act, { signal });
  const list = document.getElementById("variable-list");
  const find = document.getElementById("find");
  const type = document.getElementById("kind-shown");

  const narrow = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of list.querySelectorAll(".variable")) {
      const fits = words.every((word) => item.dataset.find.includes(word))
        && (!type.value || type.value === item.dataset.type || type.value === item.dataset.origin);
      item.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    const all = words.length === 0 && !type.value;
    document.getElementById("found").textContent = `${all ? list.dataset.of : shown} of ${list.dataset.of} variables`;
  };

  const mark = () => {
    const used = new Set([...document.querySelectorAll(".factor")].map((card) => card.dataset.variable));
    for (const item of list.querySelectorAll(".variable")) {
      item.classList.toggle("used", used.has(item.dataset.text));
    }
  };

  // What is asked for says what the page shows; what comes takes the place of the parts that it renews. One thing
  // after the other, so that each change is made to the version that the one before it left.
  const ask = (verb, address, values = {}) => window.htmx.ajax(verb, address, { source: "#change", values });
  const plain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  listen("click", (event) => {
    const link = event.target.closest?.("a[data-part]");
    if (link && plain(event)) {
      event.preventDefault();
      ask("GET", link.getAttribute("href"));
    }
  });
  listen("submit", (event) => {
    if (event.target.id === "change" && event.submitter) {
      const { formAction, name, value } = event.submitter;
      event.preventDefault();
      ask("POST", formAction, { [name]: value });
    }
  });

  // Lines of the study file that were not there before are marked and shown.
  const read = () => [...document.querySelectorAll(".beside .numbered li")];
  let before = new Set(read().map((line) => line.textContent));
  const compare = () => {
    const fresh = read().filter((line) => !before.has(line.textContent));
    fresh.forEach((line) => line.classList.add("new"));
    const box = document.querySelector(".beside .lines");
    if (fresh.length) {
      box.scrollTop = fresh[0].offsetTop - box.offsetTop - 24;
    }
    before = new Set(read().map((line) => line.textContent));
  };

  // Whoever uses the keyboard goes on where the part with the focus was: in the form that opened, at the factor that
  // was saved, at the button that was pressed or beside it.
  let next = [];
  listen("htmx:oobBeforeSwap", ({ detail: { target } }) => {
    const active = document.activeElement;
    if (target.contains(active)) {
      const form = active.closest("#factor-form")?.elements;
      const names = form ? [form.name.value, form.old.value] : [active.closest(".factor")?.dataset.factor];
      next = [active.id, ...names.map((name) => `edit-${name}`), "main"];
    }
  });
  const settle = (part) => {
    const form = part.querySelector("#factor-form");
    const lost = document.activeElement === document.body && next.map((id) => id && document.getElementById(id)).find(Boolean);
    if (form) {
      form.scrollIntoView({ block: "nearest" });
      (form.querySelector('[aria-invalid="true"]') || form.querySelector("#f-label")).focus({ preventScroll: true });
    } else if (lost) {
      lost.closest(".factor")?.scrollIntoView({ block: "nearest" });
      lost.focus({ preventScroll: true });
    }
    next = [];
  };

  find.addEventListener("input", narrow);
  type.addEventListener("change", narrow);
  listen("htmx:afterSettle", ({ target }) => {
    if (target.id === "excerpt" || target.id === "work") {
      compare();
    }
    if (target.matches("#work, .zone, .factor")) {
      mark();
    }
    if (target.closest("#work")) {
      settle(target);
    }
  });
  narrow();
  mark();

  // Those that are not among the first come when the page stands.
  const others = document.getElementById("more-variables");
  const fetchOthers = async () => {
    if (signal.aborted) {
      return;
    }
    const answer = await fetch(others.dataset.from, { signal }).catch(() => null); // the page is left
    if (answer?.ok) {
      others.outerHTML = await answer.text();
      narrow();
      mark();
    }
  };
  if (others) {
    window.setTimeout(fetchOthers, 300); // once the page stands painted
  }

  // Dragging: a variable opens the form with the role it was dropped on, a factor changes its role.
  let dragged = null;
  listen("dragstart", (event) => {
    const item = event.target.closest?.(".variable, .factor");
    dragged = item ? { ...item.dataset } : null;
    event.dataTransfer?.setData("text/plain", dragged?.text || dragged?.factor || "");
  });
  const zone = (event) => event.target.closest?.(".zone");
  listen("dragover", (event) => {
    document.querySelectorAll(".zone.over").forEach((each) => each !== zone(event) && each.classList.remove("over"));
    if (dragged && zone(event)) {
      event.preventDefault();
      zone(event).classList.add("over");
    }
  });
  listen("dragend", () => {
    dragged = null;
    document.querySelectorAll(".zone.over").forEach((each) => each.classList.remove("over"));
  });
  listen("drop", (event) => {
    const over = zone(event);
    if (!over || !dragged) {
      return;
    }
    event.preventDefault();
    const page = window.location.pathname;
    if (dragged.factor) {
      ask("POST", `${page}/role?${new URLSearchParams({ role: over.dataset.role })}`, { name: dragged.factor });
    } else {
      ask("GET", `${page}?${new URLSearchParams({ new: dragged.text, role: over.dataset.role })}`);
    }
  });

  // Another tab or program: say so where what is shown is not the newest.
  listen("htmx:sseMessage", (event) => {
    if (event.detail.type === "study") {
      window.setTimeout(() => {
        const shown = document.querySelector("#state [form=change]")?.value;
        document.getElementById("elsewhere")?.toggleAttribute("hidden", shown === event.detail.data);
      }, 1000);
    }
  });
}
