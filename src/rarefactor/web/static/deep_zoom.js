// A slide that is looked at closely: OpenSeadragon, loaded once, over tiles; keys move and zoom it.
// Its frame says where the viewer is (data-viewer) and how large the slide and its tiles are.

let loading = null;

/** Load the viewer, once the page stands painted. */
export function loadViewer(frame) {
  loading ??= new Promise((done, fail) => {
    // It looks for a style of its own and would write one into the page, which the page's policy forbids.
    const style = document.createElementNS("urn:none", "style");
    style.setAttribute("data-openseadragon-mobile-css", "");
    const script = Object.assign(document.createElement("script"), { src: frame.dataset.viewer, onload: done, onerror: fail });
    document.head.append(style, script);
  });
  loading.catch(() => (loading = null)); // tried again with the next slide
  return loading;
}

/** Where the tiles of a slide, or of what is laid over it, are: `address` of a level, a column and a row. */
export function nameTiles({ width, height, last, tile }, address) {
  return {
    width: Number(width), height: Number(height), tileSize: Number(tile), tileOverlap: 0, minLevel: 0, maxLevel: Number(last),
    getTileUrl: (level, x, y) => address(level, x, y),
  };
}

/** Show a slide in its frame until the signal is aborted; its own keys are off. */
export function show(frame, signal, options = {}) {
  const viewer = window.OpenSeadragon({
    element: frame, drawer: "canvas", showNavigationControl: false, visibilityRatio: 0.5, maxZoomPixelRatio: 4,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    tileSources: nameTiles(frame.dataset, (level, x, y) => `${frame.dataset.url}/tiles/${level}_${x}_${y}.jpg`),
    ...options,
  });
  viewer.innerTracker.keyHandler = null;
  viewer.innerTracker.keyDownHandler = null;
  signal.addEventListener("abort", () => {
    viewer.destroy();
    frame.removeAttribute("style"); // htmx would give it to the next frame, which the page's policy forbids
  });
  return viewer;
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BY = 1.4;

/** Arrow keys move the slide, plus and the key that is `out` zoom it, `home` shows all of it. */
export function listen(frame, viewer, { out, home = null, quiet = false }) {
  const { viewport } = viewer;
  frame.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) {
      const { width, height } = viewport.getBounds();
      viewport.panBy(new window.OpenSeadragon.Point(step[0] * width / 6, step[1] * height / 6)).applyConstraints(quiet);
    } else if (event.key === "+" || event.key === "=") {
      viewport.zoomBy(BY).applyConstraints(quiet);
    } else if (event.key === out) {
      viewport.zoomBy(1 / BY).applyConstraints(quiet);
    } else if (event.key === home) {
      viewport.goHome(quiet);
    } else {
      return;
    }
    event.preventDefault();
  });
}
