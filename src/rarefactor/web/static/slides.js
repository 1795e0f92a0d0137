// The page of a slide: deep zoom with overlays, a threshold that moves them, regions to leave out.
// The page is painted before the viewer is loaded.

import { listen, loadViewer, nameTiles, show as showSlide } from "./deep_zoom.js";

/** Begin when the page stands; tells whether regions are drawn and not saved. */
export function open({ signal }) {
  const frame = document.getElementById("slide");
  let wouldLose = () => false;
  requestAnimationFrame(() => setTimeout(async () => {
    await loadViewer(frame);
    if (!signal.aborted) wouldLose = begin(frame, signal);
  }));
  return () => wouldLose();
}

function begin(frame, signal) {
  const { url, um, version } = frame.dataset;
  const size = { width: Number(frame.dataset.width), height: Number(frame.dataset.height) };
  const slider = document.getElementById("threshold");
  let threshold = Number(slider.value === slider.defaultValue ? frame.dataset.threshold : slider.value);
  let drawn = version;

  // Tiles ---------------------------------------------------------------------------------------------------------
  const viewer = showSlide(frame, signal, { minZoomImageRatio: 0.8, animationTime: 0.5 });
  const quiet = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const layers = {};
  const image = () => viewer.world.getItemAt(0);

  const show = (name) => {
    const box = document.getElementById(`layer-${name}`);
    const before = layers[name];
    if (!box?.checked) {
      before && viewer.world.removeItem(before);
      delete layers[name];
      return;
    }
    const at = name === "tissue" ? frame.dataset.threshold : threshold.toFixed(3);
    viewer.addTiledImage({
      tileSource: nameTiles(frame.dataset, (level, x, y) => `${url}/overlays/${name}/${at}/${level}_${x}_${y}.png?v=${drawn}`),
      success: ({ item }) => {
        layers[name] && layers[name] !== item && viewer.world.removeItem(layers[name]);
        layers[name] = item;
      },
    });
  };
  const showAll = () => ["tissue", "positive", "cells"].forEach(show);
  viewer.addOnceHandler("open", () => {
    image().addOnceHandler("fully-loaded-change", () => (frame.dataset.ready = "true")); // seen as a whole
    showAll();
  });
  for (const name of ["tissue", "positive", "cells"]) {
    document.getElementById(`layer-${name}`)?.addEventListener("change", () => show(name));
  }

  // Threshold -----------------------------------------------------------------------------------------------------
  let waiting = 0;
  slider.addEventListener("input", () => {
    threshold = Number(slider.value);
    const field = document.getElementById("new-threshold");
    if (field) {
      field.value = threshold.toFixed(2);
    }
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => signal.aborted || ["positive", "cells"].forEach(show), 250);
  });

  // Moving about --------------------------------------------------------------------------------------------------
  const zoom = (by) => viewer.viewport.zoomBy(by).applyConstraints(quiet);
  document.getElementById("zoom-in").addEventListener("click", () => zoom(1.5));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  document.getElementById("zoom-all").addEventListener("click", () => viewer.viewport.goHome(quiet));
  listen(frame, viewer, { out: "-", home: "0", quiet });

  // Scale bar: a round length of about a sixth of the view ----------------------------------------------------------
  const bar = document.getElementById("scale");
  const measure = () => {
    if (!um || !viewer.world.getItemCount()) {
      return;
    }
    const zoomed = image().viewportToImageZoom(viewer.viewport.getZoom(true));
    const wanted = frame.clientWidth / 6 / zoomed * Number(um);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const length = [5, 2, 1].map((each) => each * power).find((each) => each <= wanted) ?? power;
    bar.style.width = `${Math.max(40, length / Number(um) * zoomed)}px`;
    bar.textContent = length >= 1000 ? `${length / 1000} mm` : `${length} µm`;
    bar.hidden = false;
  };

  // Regions -------------------------------------------------------------------------------------------------------
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("aria-hidden", "true");
  frame.append(svg);
  const make = (name, into) => into.appendChild(document.createElementNS(NS, name));
  const hint = document.getElementById("draw-hint");
  const pen = document.getElementById("draw");
  let regions = [];
  let saved = "[]";
  let told = "[]";
  let line = null;
  let chosen = -1;

  const place = (x, y) => image().imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y));
  const points = (ring) => ring.map(([x, y]) => place(x, y)).map((each) => `${each.x.toFixed(1)},${each.y.toFixed(1)}`).join(" ");
  const draw = () => {
    if (!viewer.world.getItemCount()) {
      return;
    }
    svg.replaceChildren();
    regions.forEach((ring, number) => {
      const shape = make("polygon", svg);
      shape.setAttribute("points", points(ring));
      shape.classList.toggle("chosen", number === chosen);
    });
    if (line) {
      make("polyline", svg).setAttribute("points", points(line));
      for (const [x, y] of line) {
        const dot = make("circle", svg);
        const at = place(x, y);
        dot.setAttribute("cx", at.x);
        dot.setAttribute("cy", at.y);
        dot.setAttribute("r", 4);
      }
    }
    measure();
  };
  viewer.addHandler("update-viewport", draw);
  viewer.addHandler("open", draw);

  const box = (ring) => {
    const [xs, ys] = [ring.map((each) => each[0]), ring.map((each) => each[1])];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
  };
  const fit = (ring, to) => {
    const from = box(ring);
    const scale = (value, start, length, first, long) => first + (length ? (value - start) / length : 0) * long;
    return ring.map(([x, y]) => [
      Math.round(scale(x, from.left, from.width, to.left, to.width)), Math.round(scale(y, from.top, from.height, to.top, to.height)),
    ]);
  };
  const clip = (value, low, high) => Math.min(Math.max(value, low), high);

  const settle = () => {
    const text = JSON.stringify(regions);
    document.getElementById("outlines").value = text;
    if (text !== told) {
      told = text;
      document.body.dispatchEvent(new Event("regions-drawn"));
    }
    document.getElementById("save-regions").hidden = text === saved;
    draw();
  };
  const field = (into, number, name, words, limit) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "number", id: `region-${number}-${name}`, min: name.length > 4 ? 1 : 0, max: limit, step: 1 });
    input.value = Math.round(box(regions[number])[name]);
    input.addEventListener("focus", () => choose(number));
    input.addEventListener("change", () => {
      const to = box(regions[number]);
      to[name] = clip(Number(input.value), Number(input.min), limit);
      to.left = clip(to.left, 0, size.width - 1);
      to.top = clip(to.top, 0, size.height - 1);
      to.width = Math.min(to.width, size.width - to.left);
      to.height = Math.min(to.height, size.height - to.top);
      regions[number] = fit(regions[number], to);
      input.value = Math.round(box(regions[number])[name]);
      settle();
    });
    label.append(words, input);
    into.append(label);
  };
  const choose = (number) => {
    chosen = number;
    document.querySelectorAll("#region-list li").forEach((each, at) => each.classList.toggle("chosen", at === number));
    draw();
  };
  const list = () => {
    const rows = regions.map((ring, number) => {
      const row = document.createElement("li");
      const head = document.createElement("p");
      head.className = "row";
      const name = document.createElement("strong");
      name.textContent = `Region ${number + 1}`;
      const away = document.createElement("button");
      Object.assign(away, { type: "button", className: "button quiet", id: `remove-${number}`, textContent: "Remove" });
      away.setAttribute("aria-label", `Remove region ${number + 1}`);
      away.addEventListener("click", () => {
        regions.splice(number, 1);
        chosen = -1;
        list();
        document.getElementById("add-box").focus();
      });
      head.append(name, away);
      const fields = document.createElement("div");
      fields.className = "region-fields";
      row.append(head, fields);
      return [row, fields];
    });
    document.getElementById("region-list").replaceChildren(...rows.map(([row]) => row));
    rows.forEach(([, fields], number) => {
      field(fields, number, "left", "Left", size.width);
      field(fields, number, "top", "Top", size.height);
      field(fields, number, "width", "Width", size.width);
      field(fields, number, "height", "Height", size.height);
    });
    settle();
  };
  const load = () => {
    saved = JSON.stringify(JSON.parse(document.getElementById("outlines").value));
    told = saved;
    regions = JSON.parse(saved);
    chosen = -1;
    list();
    document.getElementById("discard").addEventListener("click", () => {
      regions = JSON.parse(saved);
      list();
    });
  };
  viewer.addOnceHandler("open", load);
  document.body.addEventListener("regions-saved", () => {
    drawn = document.querySelector("#regions-form [name=seen]").value;
    load();
    showAll();
  }, { signal });

  document.getElementById("add-box").addEventListener("click", () => {
    const view = image().viewportToImageRectangle(viewer.viewport.getBounds());
    const left = clip(view.x + view.width / 3, 0, size.width - 20);
    const top = clip(view.y + view.height / 3, 0, size.height - 20);
    const right = clip(left + view.width / 3, left + 10, size.width);
    const low = clip(top + view.height / 3, top + 10, size.height);
    regions.push([[left, top], [right, top], [right, low], [left, low]].map((each) => each.map(Math.round)));
    list();
    choose(regions.length - 1);
    document.getElementById(`region-${regions.length - 1}-left`).focus();
    hint.textContent = "Move the box by its numbers, in pixels of the slide.";
  });

  const stop = (keep) => {
    const ring = line;
    line = null;
    pen.setAttribute("aria-pressed", "false");
    frame.classList.remove("drawing");
    viewer.setMouseNavEnabled(true);
    hint.textContent = "";
    if (keep && ring.length > 2) {
      regions.push(ring);
      list();
      choose(regions.length - 1);
    } else {
      draw();
    }
  };
  pen.addEventListener("click", () => {
    if (line) {
      stop(true);
      return;
    }
    line = [];
    pen.setAttribute("aria-pressed", "true");
    frame.classList.add("drawing");
    viewer.setMouseNavEnabled(false);
    hint.textContent = "Click the corners. A double click, or Enter, closes the region; Backspace takes a corner back; Escape stops.";
  });
  const pick = (event) => {
    if (!line) {
      return;
    }
    const around = frame.getBoundingClientRect();
    const at = image().viewerElementToImageCoordinates(new OpenSeadragon.Point(event.clientX - around.left, event.clientY - around.top));
    line.push([clip(Math.round(at.x), 0, size.width), clip(Math.round(at.y), 0, size.height)]);
    draw();
  };
  frame.addEventListener("click", (event) => event.detail < 2 && pick(event));
  frame.addEventListener("dblclick", () => line && stop(true));
  document.addEventListener("keydown", (event) => {
    if (!line || !["Escape", "Enter", "Backspace"].includes(event.key) || event.target.matches("input, textarea")) {
      return;
    }
    event.preventDefault();
    if (event.key === "Backspace") {
      line.pop();
      draw();
    } else {
      stop(event.key === "Enter");
    }
  }, { signal });
  document.addEventListener("submit", (event) => {
    if (event.target.id === "regions-form") {
      saved = JSON.stringify(regions);
    }
  }, { signal });
  return () => JSON.stringify(regions) !== saved;
}
