// One scan: NiiVue shows it, mouse and keys look and draw, and what was drawn is sent as a mask.
// The page is painted before the viewer is loaded, and the viewer stays for all scans that are opened.

import * as edit from "./scans_edit.js";

const byId = (id) => document.getElementById(id);
const UNUSED = "#000000";
const KEPT = 40;
const PAUSE_MS = 300;
const OTHERS_MS = 1500; // a scan that is only passed by is not read for them
const AHEAD_MS = 60_000;
const NOTHING = { url: "", stop: null, at: 0, first: null };
const OPTIONS = {
  backColor: [0, 0, 0, 1],
  crosshairColor: [1, 0.84, 0.29, 1],
  crosshairWidth: 0.25,
  crosshairWidthUnit: "percent",
  crosshairGap: 0,
  dragAndDropEnabled: false,
  isColorbar: false,
  isOrientationTextVisible: true,
  isRadiologicalConvention: true,
  drawOpacity: 0.35,
  viewModeHotKey: "",
  clipPlaneHotKey: "",
  penSize: 3,
  loadingText: "",
  logLevel: "error",
};

// Of the viewer, for all scans.
let stage = null; // with its canvas: it stands in the page of each scan
let canvas = null;
let shownFirst = ""; // an image: its name
let nv = null;
let loading = null;
let ahead = NOTHING;
// Of the scan that is shown.
let viewer = null;
let reading = null; // aborted when the page is left
let visit = null;
let names = new Map();
let images = new Map();
let saved = null;
let last = null;
let undone = [];
let dirty = false;

const capitalize = (name) => name.charAt(0).toUpperCase() + name.slice(1);
const size = () => nv.volumes[0].dimsRAS.slice(1, 4);
const cursor = () => nv.frac2vox(nv.scene.crosshairPos).map(Math.round);
const mask = () => ({ bits: nv.drawBitmap, size: size() });
const fatAt = (x, y, z) => images.get(shownFirst)?.getValue(x, y, z) ?? NaN;

function colours() {
  const channels = { R: [], G: [], B: [], A: [], I: [], labels: [] };
  const known = JSON.parse(viewer.dataset.colours);
  for (let number = 0; number < 256; number += 1) {
    const colour = known[number] ?? UNUSED;
    ["R", "G", "B"].forEach((name, at) => channels[name].push(parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16)));
    channels.A.push(number ? 255 : 0); channels.I.push(number); channels.labels.push(names.get(number) ?? "");
  }
  return channels;
}

function say(text) {
  byId("loading").textContent = text;
}

// Once for all scans, after the page was painted.
async function loadViewer() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    throw new Error("WebGL 2 is missing in this browser");
  }
  await import(stage.dataset.niivue);
  nv = new globalThis.niivue.Niivue(OPTIONS);
  await nv.attachToCanvas(canvas, false); // of slices no edge is to be smoothed
  nv.setSliceType(nv.sliceTypeAxial);
  nv.onLocationChange = tellPlace;
}

// First what is shown first: the fat fraction and the regions. The other images are read once these stand painted.
async function look(signal) {
  const { dataset } = viewer;
  const standing = stand(loading ? 1 : 2);
  if (!loading) await standing;
  if (signal.aborted) return;
  loading ??= loadViewer();
  loading.catch(() => (loading = null)); // tried again with the next scan
  const read = takeAhead(dataset.url) ?? readFat(dataset.url, signal);
  const [fat, mask] = await Promise.all([read, readMask(dataset), standing]);
  if (signal.aborted) return;
  images = new Map([[shownFirst, fat]]);
  show(mask);
  setTimeout(() => signal.aborted || readAhead(), PAUSE_MS);
  setTimeout(() => signal.aborted || readOthers(signal).catch((error) => {
    if (!signal.aborted) say(`There may be more images: ${error.message}. Load the page again to see them.`);
  }), OTHERS_MS);
}

function show(mask) {
  undrawn(() => {
    if (nv.drawBitmap) nv.closeDrawing();
    if (nv.volumes.length) nv.removeVolumeByIndex(0);
    nv.setDrawColormap(colours());
    nv.setDrawOpacity(Number(byId("opacity").value) / 100);
    nv.addVolume(dress(images.get(shownFirst).clone(), shownFirst));
    if (mask) openMask(mask);
    useTool();
  });
  const [nx, ny, nz] = size();
  byId("slice").max = nz - 1;
  goTo([nx, ny, nz].map((length) => Math.floor(length / 2)));
  say("");
  canvas.dataset.ready = "yes";
}

// The viewer draws after each call; what is put together is drawn once.
function undrawn(act) {
  nv.drawScene = () => {};
  try {
    act();
  } finally {
    delete nv.drawScene;
  }
}

async function ask(address, what, signal) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error(what);
  return answer;
}

// An image of a scan, packed as it is kept.
async function readImage(url, name, signal) {
  const address = `${url}/images/${encodeURIComponent(name)}.nii.gz`;
  return (await ask(address, "the image cannot be read; the list of scans says why", signal)).arrayBuffer();
}

async function readFat(url, signal) {
  const [buffer] = await Promise.all([readImage(url, shownFirst, signal), loading]);
  return makeImage(buffer, shownFirst);
}

// The regions, which are in the page.
async function readMask({ mask }) {
  if (!mask) return null;
  await loading;
  return makeImage(Uint8Array.from(atob(mask), (letter) => letter.charCodeAt(0)).buffer, "mask");
}

// While a scan is looked at, the first image of the next one is read, then (readOthers) its own others.
function readAhead() {
  const next = byId("next-scan")?.pathname;
  if (next && ahead.url !== next) {
    const stop = new AbortController();
    ahead = { url: next, stop, at: performance.now(), first: readFat(next, stop.signal) };
    ahead.first.catch(() => (ahead = NOTHING)); // asked for again when it is shown
  }
}

async function readOthers(signal) {
  const names = await (await ask(`${viewer.dataset.url}/images`, "their names cannot be read", signal)).json();
  byId("image").append(...names.filter((name) => name !== shownFirst).map((name) => new Option(capitalize(name), name)));
  for (const name of names) {
    if (signal.aborted) return;
    await find(name, signal).catch(() => null); // asked for again when it is chosen
  }
}

function takeAhead(url) {
  const held = ahead;
  ahead = NOTHING;
  if (held.url === url && performance.now() - held.at < AHEAD_MS) return held.first;
  held.stop?.abort();
  return null;
}

// From bytes: the viewer's own way of reading breaks off when it has seen enough of a packed file.
function makeImage(buffer, name) {
  return globalThis.niivue.NVImage.loadFromUrl({ url: `${name}.nii.gz`, name: `${name}.nii.gz`, buffer });
}

async function find(name, signal) {
  if (!images.has(name)) {
    const image = await makeImage(await readImage(viewer.dataset.url, name, signal), name);
    if (!signal.aborted) images.set(name, image);
  }
  return images.get(name);
}

function openMask(mask) {
  if (!nv.loadDrawing(mask)) throw new Error("the mask does not fit the images");
  saved = nv.drawBitmap.slice();
  last = saved;
  byId("editing").hidden = false;
}

// One volume is shown, with the numbers of the chosen image: regions are drawn over the first volume only.
function paint(name) {
  const [shown] = nv.volumes;
  const { img, hdr } = images.get(name);
  shown.img = img;
  shown.hdr.scl_slope = hdr.scl_slope;
  dress(shown, name);
  nv.updateGLVolume();
}

function dress(volume, name) {
  volume.colormap = name === shownFirst ? "inferno" : "gray";
  [volume.cal_min, volume.cal_max] = [0, name === shownFirst ? 100 : 1]; // after the colours, which set the image's own range
  return volume;
}

async function choose() {
  const signal = reading;
  const name = byId("image").value;
  try {
    await find(name, signal);
    if (signal.aborted || byId("image").value !== name) return;
    say("");
    paint(name);
  } catch (error) {
    if (!signal.aborted) say(`This image cannot be shown: ${error.message}.`);
  }
}

function goTo([x, y, z]) {
  const [nx, ny, nz] = size();
  const within = (value, most) => Math.min(Math.max(value, 0), most - 1);
  nv.scene.crosshairPos = nv.vox2frac([within(x, nx), within(y, ny), within(z, nz)]);
  nv.createOnLocationChange();
  nv.drawScene();
}

function tellPlace() {
  const [x, y, z] = cursor();
  const number = nv.drawBitmap ? mask().bits[(z * size()[1] + y) * size()[0] + x] : 0;
  const fat = fatAt(x, y, z);
  byId("slice").value = z;
  byId("slice-said").textContent = `Slice ${z + 1} of ${size()[2]}`;
  byId("at").textContent = `${names.get(number) ?? "No muscle"}${Number.isFinite(fat) ? `, ${fat.toFixed(0)} % fat` : ""}`;
}

// What was drawn: each change can be undone, and nothing is lost by leaving unasked.
function note() {
  undone.push(last);
  undone = undone.slice(-KEPT);
  last = nv.drawBitmap.slice();
  tell();
}

function tell() {
  const changed = edit.countChanged(nv.drawBitmap, saved);
  dirty = changed > 0;
  byId("keep").disabled = !dirty;
  byId("edited").textContent = changed ? `${changed} voxels differ from the saved regions.` : "Nothing is changed.";
}

function change(act) {
  if (!nv?.drawBitmap) return;
  act(mask());
  nv.refreshDrawing(true);
  note();
}

function undo() {
  const before = undone.pop();
  if (!before) return;
  nv.drawBitmap = before.slice();
  last = before;
  nv.refreshDrawing(true);
  tell();
}

const ALL = 0;
const isReady = () => canvas.dataset.ready === "yes";
const muscle = () => Number(byId("muscle").value);
const where = () => (byId("everywhere").checked ? null : cursor()[2]);
const brush = () => Number(byId("brush").value) || 1;
const each = (act) => (muscle() === ALL ? [...names.keys()] : [muscle()]).forEach(act);
const commands = {
  grow: () => change((held) => each((number) => edit.grow(held, where(), number))),
  shrink: () => change((held) => edit.shrink(held, where(), muscle())),
  holes: () => change((held) => each((number) => edit.fillHoles(held, where(), number))),
  specks: () => change((held) => each((number) => edit.removeSpecks(held, where(), number))),
  clear: () => change((held) => edit.clear(held, where(), muscle())),
  fatty: () => change((held) => edit.leaveFatter(held, where(), muscle(), Number(byId("limit").value), fatAt)),
};

const chosenTool = () => document.querySelector("input[name=tool]:checked").value;

function useTool() {
  if (!nv) return;
  const tool = chosenTool();
  const vague = muscle() === ALL && (tool === "draw" || tool === "fill");
  byId("edited").textContent = vague ? "Choose one muscle to draw." : "";
  nv.setDrawingEnabled(tool !== "look" && !vague);
  nv.opts.penSize = brush();
  if (tool !== "look") nv.setPenValue(tool === "erase" ? 0 : muscle(), tool === "fill");
}

const steps = {
  ArrowLeft: [1, 0, 0], ArrowRight: [-1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1],
};

// Once for all scans.
function listenToCanvas() {
  canvas.addEventListener("keydown", (event) => {
    event.stopImmediatePropagation();
    if (!isReady() || event.altKey || event.metaKey) return;
    const step = steps[event.key];
    const editing = byId("editing").open && nv.drawBitmap;
    if (step) {
      const far = event.shiftKey ? 5 : 1;
      goTo(cursor().map((value, axis) => value + far * step[axis]));
    } else if (editing && event.key === " ") {
      if (muscle() !== ALL) change((held) => edit.stamp(held, cursor(), brush(), muscle()));
    } else if (editing && (event.key === "Delete" || event.key === "Backspace")) {
      change((held) => edit.stamp(held, cursor(), brush(), 0));
    } else if (editing && event.ctrlKey && event.key === "z") {
      undo();
    } else {
      return;
    }
    event.preventDefault();
  }, true);
  canvas.addEventListener("keyup", (event) => event.stopImmediatePropagation(), true);
  canvas.addEventListener("pointerup", () => setTimeout(() => {
    if (!isReady()) return;
    const [x, y, z] = cursor();
    const number = nv.drawBitmap?.[(z * size()[1] + y) * size()[0] + x];
    if (number && chosenTool() === "look") byId("muscle").value = number;
    if (last && nv.drawBitmap && edit.countChanged(nv.drawBitmap, last)) note();
  }));
}

async function save(event) {
  event.preventDefault();
  const { url, seen } = viewer.dataset;
  const signal = reading;
  byId("keep").disabled = true;
  byId("edited").textContent = "Saving …";
  const bytes = await nv.saveImage({ filename: "", isSaveDrawing: true });
  const packed = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")));
  const asked = new URLSearchParams({ seen, reason: byId("reason").value });
  try {
    const answer = await fetch(`${url}/mask/upload?${asked}`, {
      method: "POST", body: await packed.blob(), headers: { "HX-Request": "true" },
    });
    const said = answer.ok ? null : await answer.text();
    if (signal.aborted) return;
    if (said !== null) {
      byId("messages").innerHTML = said;
      tell();
      return;
    }
    dirty = false;
    visit(url);
  } catch {
    if (signal.aborted) return;
    byId("edited").textContent = "The server does not answer. What you drew is still here: start it again, and save.";
    byId("keep").disabled = false;
  }
}

// What belongs to the page of one scan.
function bind() {
  const on = (id, kind, act) => byId(id).addEventListener(kind, (event) => isReady() && act(event));
  const step = (by) => () => goTo([...cursor().slice(0, 2), cursor()[2] + by]);
  on("image", "change", choose);
  on("opacity", "input", (event) => nv.setDrawOpacity(Number(event.target.value) / 100));
  on("slice", "input", (event) => goTo([...cursor().slice(0, 2), Number(event.target.value)]));
  on("slice-down", "click", step(-1));
  on("slice-up", "click", step(1));
  on("undo", "click", undo);
  on("muscle", "change", useTool);
  on("brush", "change", useTool);
  byId("save").addEventListener("submit", save);
  viewer.querySelectorAll("input[name=tool]").forEach((input) => input.addEventListener("change", useTool));
  viewer.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", () => isReady() && commands[button.dataset.do]()));
}

// Once the page and the picture on it stand painted: what a viewer takes to load would hold them up for some frames.
async function stand(frames) {
  const picture = document.querySelector(".first");
  if (picture) await picture.decode().catch(() => null);
  if (document.readyState !== "complete") await new Promise((go) => window.addEventListener("load", go, { once: true }));
  for (let frame = 0; frame < frames; frame += 1) await new Promise(requestAnimationFrame);
  await new Promise((go) => setTimeout(go));
}

function takeStage() {
  const own = byId("stage");
  if (stage) {
    own.replaceWith(stage);
  } else {
    [stage, canvas] = [own, byId("scan")];
    listenToCanvas();
  }
}

/** Begin when the page stands; tells whether something is drawn and not saved. */
export function open(page) {
  viewer = byId("viewer");
  reading = page.signal;
  visit = page.visit;
  takeStage();
  shownFirst = byId("image").value;
  names = new Map([...byId("muscle").options].map((option) => [Number(option.value), option.textContent]));
  names.delete(ALL);
  [images, saved, last, undone, dirty] = [new Map(), null, null, [], false];
  canvas.dataset.ready = "no"; // until the images of this scan are there nothing is shown of another
  say("Loading the viewer …");
  bind();
  document.addEventListener("change", (event) => {
    if (event.target.closest("#grades-card")) byId("grades-said").hidden = true; // these are not saved yet
  }, page);
  look(page.signal).catch((error) => {
    if (!page.signal.aborted) say(`The images cannot be shown: ${error.message}. Numbers, versions and grades work without them.`);
  });
  return () => dirty;
}
