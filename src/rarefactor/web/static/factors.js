// Finding a variable, dragging it to a role, and seeing that the study was changed elsewhere. All of it can be done
// without dragging: Use opens the same form, and each factor has its buttons.
"use strict";

(() => {
  const list = document.getElementById("variable-list");
  const find = document.getElementById("find");
  const type = document.getElementById("kind-shown");

  const narrow = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of list.children) {
      const fits = words.every((word) => item.dataset.find.includes(word))
        && (!type.value || type.value === item.dataset.type || type.value === item.dataset.origin);
      item.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    document.getElementById("found").textContent = `${shown} of ${list.children.length} variables`;
  };

  const mark = () => {
    const used = new Set([...document.querySelectorAll(".factor")].map((card) => card.dataset.variable));
    for (const item of list.children) {
      item.classList.toggle("used", used.has(item.dataset.text));
    }
  };

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

  const bring = () => {
    const form = document.getElementById("factor-form");
    form?.scrollIntoView({ block: "nearest" });
    (form?.querySelector('[aria-invalid="true"]') || form?.querySelector("#f-label"))?.focus();
  };

  // After a form is done with, its factor is shown, and whoever uses the keyboard goes on there.
  let left = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = document.getElementById("factor-form");
    if (event.detail.target?.id === "work") {
      left = form ? form.elements.name.value || form.elements.old.value : null;
    }
  });
  const settle = () => {
    const card = left && (document.getElementById(`factor-${left}`));
    card?.scrollIntoView({ block: "nearest" });
    document.getElementById(`edit-${left}`)?.focus({ preventScroll: true });
    left = null;
  };

  find.addEventListener("input", narrow);
  type.addEventListener("change", narrow);
  document.addEventListener("htmx:afterSettle", (event) => {
    mark();
    if (event.detail.target?.id === "work") {
      compare();
    }
    if (event.detail.target?.id === "work") {
      (document.getElementById("factor-form") ? bring : settle)();
    }
  });
  narrow();
  mark();

  // Dragging: a variable opens the form with the role it was dropped on, a factor changes its role.
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    const item = event.target.closest?.(".variable, .factor");
    dragged = item ? { ...item.dataset } : null;
    event.dataTransfer?.setData("text/plain", dragged?.text || dragged?.factor || "");
  });
  const zone = (event) => event.target.closest?.(".zone");
  document.addEventListener("dragover", (event) => {
    document.querySelectorAll(".zone.over").forEach((each) => each !== zone(event) && each.classList.remove("over"));
    if (dragged && zone(event)) {
      event.preventDefault();
      zone(event).classList.add("over");
    }
  });
  document.addEventListener("dragend", () => {
    dragged = null;
    document.querySelectorAll(".zone.over").forEach((each) => each.classList.remove("over"));
  });
  document.addEventListener("drop", (event) => {
    const over = zone(event);
    if (!over || !dragged) {
      return;
    }
    event.preventDefault();
    const how = { target: "#work", swap: "outerHTML" };
    const page = window.location.pathname;
    if (dragged.factor) {
      const version = document.getElementById("work").dataset.version;
      window.htmx.ajax("POST", `${page}/role`, { ...how, values: { version, name: dragged.factor, role: over.dataset.role } });
    } else {
      const query = new URLSearchParams({ new: dragged.text, role: over.dataset.role });
      window.htmx.ajax("GET", `${page}?${query}`, how);
    }
  });

  // Another tab or program: say so where what is shown is not the newest.
  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.detail.type === "study") {
      window.setTimeout(() => {
        const notice = document.getElementById("elsewhere");
        if (notice) {
          notice.hidden = document.getElementById("work").dataset.version === event.detail.data;
        }
      }, 1000);
    }
  });
})();
