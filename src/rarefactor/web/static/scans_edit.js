// What can be done to the region of one muscle in a mask, slice by slice. Nothing here knows how a mask is shown.
// A mask is {bits, size: [nx, ny, nz]}: one number for each voxel, x fastest.

/** In place of a muscle's number: all muscles. */
export const ALL = 0;

const neighbours = [[1, 0], [-1, 0], [0, 1], [0, -1]];
const belongs = (value, number) => (number === ALL ? value > 0 : value === number);

function* slices(mask, slice) {
  if (slice === null) {
    for (let z = 0; z < mask.size[2]; z += 1) yield z;
  } else {
    yield slice;
  }
}

function reach(mask, z, visit) {
  const [nx, ny] = mask.size;
  const start = z * nx * ny;
  for (let y = 0; y < ny; y += 1) {
    for (let x = 0; x < nx; x += 1) visit(start + y * nx + x, x, y);
  }
}

function beside(mask, x, y, z, test) {
  const [nx, ny] = mask.size;
  return neighbours.some(([dx, dy]) => {
    const [u, v] = [x + dx, y + dy];
    return u >= 0 && v >= 0 && u < nx && v < ny && test(mask.bits[(z * ny + v) * nx + u]);
  });
}

/** Take the voxels beside the muscle that belong to no other. */
export function grow(mask, slice, number) {
  const before = { ...mask, bits: mask.bits.slice() };
  for (const z of slices(mask, slice)) {
    reach(mask, z, (at, x, y) => {
      if (before.bits[at] === 0 && beside(before, x, y, z, (other) => other === number)) mask.bits[at] = number;
    });
  }
}

/** Leave the voxels at the muscle's edge; of all muscles together, those that lie beside none. */
export function shrink(mask, slice, number) {
  const before = { ...mask, bits: mask.bits.slice() };
  const isOther = (other) => (number === ALL ? other === 0 : other !== number);
  for (const z of slices(mask, slice)) {
    reach(mask, z, (at, x, y) => {
      if (belongs(before.bits[at], number) && beside(before, x, y, z, isOther)) mask.bits[at] = 0;
    });
  }
}

/** Leave the muscle. */
export function clear(mask, slice, number) {
  for (const z of slices(mask, slice)) {
    reach(mask, z, (at) => {
      if (belongs(mask.bits[at], number)) mask.bits[at] = 0;
    });
  }
}

/** Leave the voxels of the muscle that are fatter than the limit; fat(x, y, z) is in per cent. */
export function leaveFatter(mask, slice, number, limit, fat) {
  for (const z of slices(mask, slice)) {
    reach(mask, z, (at, x, y) => {
      if (belongs(mask.bits[at], number) && fat(x, y, z) > limit) mask.bits[at] = 0;
    });
  }
}

/** Take what the muscle surrounds. */
export function fillHoles(mask, slice, number) {
  for (const z of slices(mask, slice)) {
    const pieces = split(mask, z, (value) => value !== number);
    for (const piece of pieces.filter((each) => !each.edge)) {
      for (const at of piece.places) if (mask.bits[at] === 0) mask.bits[at] = number;
    }
  }
}

/** Leave all pieces of the muscle but the largest. */
export function removeSpecks(mask, slice, number) {
  for (const z of slices(mask, slice)) {
    const pieces = split(mask, z, (value) => value === number).sort((a, b) => b.places.length - a.places.length);
    for (const piece of pieces.slice(1)) for (const at of piece.places) mask.bits[at] = 0;
  }
}

/** Draw a disc of this many voxels across, or erase what belongs to the muscle where `number` is 0. */
export function stamp(mask, [x, y, z], across, number, only = null) {
  const [nx, ny] = mask.size;
  const radius = across / 2;
  const centre = across % 2 ? 0 : 0.5;
  for (let v = Math.ceil(y - radius); v <= y + radius; v += 1) {
    for (let u = Math.ceil(x - radius); u <= x + radius; u += 1) {
      const inside = (u - x + centre) ** 2 + (v - y + centre) ** 2 <= radius ** 2;
      const at = (z * ny + v) * nx + u;
      if (inside && u >= 0 && v >= 0 && u < nx && v < ny && (only === null || mask.bits[at] === only)) mask.bits[at] = number;
    }
  }
}

/** How many voxels differ. */
export function countChanged(one, other) {
  let count = 0;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) count += 1;
  return count;
}

/** The connected pieces of a slice: their places, and whether they reach its edge. */
function split(mask, z, isIn) {
  const [nx, ny] = mask.size;
  const seen = new Uint8Array(nx * ny);
  const pieces = [];
  const start = z * nx * ny;
  for (let first = 0; first < nx * ny; first += 1) {
    if (seen[first] || !isIn(mask.bits[start + first])) continue;
    const piece = { places: [], edge: false };
    const open = [first];
    seen[first] = 1;
    while (open.length) {
      const here = open.pop();
      const [x, y] = [here % nx, Math.floor(here / nx)];
      piece.places.push(start + here);
      piece.edge ||= x === 0 || y === 0 || x === nx - 1 || y === ny - 1;
      for (const [dx, dy] of neighbours) {
        const [u, v] = [x + dx, y + dy];
        const next = v * nx + u;
        if (u < 0 || v < 0 || u >= nx || v >= ny || seen[next] || !isIn(mask.bits[start + next])) continue;
        seen[next] = 1;
        open.push(next);
      }
    }
    pieces.push(piece);
  }
  return pieces;
}
