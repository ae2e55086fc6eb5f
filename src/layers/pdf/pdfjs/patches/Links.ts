// Where the links of a page lead: after its text, `{ type: "link", rects, url }` for an address and `{ type: "link", rects, page }`
// for a place in the same file; pages count from 1. Each of `rects` has four numbers in user space: there is more than one where
// a link runs over several lines.
import { before, type Patch } from "./Patch.ts"

/** Further links of a page are not told. */
export const mostLinks = 2_000
const longestUrl = 2_048
const mostKids = 20_000
const deepestTree = 64
const mostQuads = 64

const links = String.raw`
const kidOffsets = new WeakMap();
async function offsetsOfKids(xref, catalog, parentRef, kids) {
  let known = kidOffsets.get(catalog);
  if (known === undefined) kidOffsets.set(catalog, (known = new Map()));
  const key = parentRef.toString();
  let offsets = known.get(key);
  if (offsets === undefined) {
    known.set(key, (offsets = new Map()));
    let total = 0;
    for (const kid of kids.length > ${mostKids} ? [] : kids) {
      if (!(kid instanceof Ref)) break;
      offsets.set(kid.toString(), total);
      const node = await xref.fetchAsync(kid);
      const count = node instanceof Dict ? node.get("Count") : undefined;
      total += Number.isInteger(count) && count >= 0 ? count : 1;
    }
  }
  return offsets;
}
async function pageNumberOf(xref, catalog, pageRef) {
  let number = 1, ref = pageRef;
  for (let depth = 0; depth < ${deepestTree}; depth++) {
    const node = await xref.fetchAsync(ref);
    const parentRef = node instanceof Dict ? node.getRaw("Parent") : undefined;
    if (!(parentRef instanceof Ref)) return depth > 0 ? number : undefined;
    const parent = await xref.fetchAsync(parentRef);
    const kids = parent instanceof Dict ? parent.get("Kids") : undefined;
    if (!Array.isArray(kids)) return undefined;
    const offset = (await offsetsOfKids(xref, catalog, parentRef, kids)).get(ref.toString());
    if (offset === undefined) return undefined;
    number += offset;
    ref = parentRef;
  }
  return undefined;
}
function rectsOfLink(dict) {
  const quads = dict.getArray("QuadPoints");
  const rects = [];
  if (Array.isArray(quads) && quads.length >= 8 && quads.every(value => typeof value === "number")) {
    for (let i = 0; i + 8 <= quads.length && i < ${8 * mostQuads}; i += 8) {
      const xs = [quads[i], quads[i + 2], quads[i + 4], quads[i + 6]], ys = [quads[i + 1], quads[i + 3], quads[i + 5], quads[i + 7]];
      rects.push([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
    }
    return rects;
  }
  const rect = lookupNormalRect(dict.getArray("Rect"), null);
  return rect === null ? rects : [rect];
}
async function linkOf(xref, catalog, dict) {
  const flags = dict.get("F");
  if (Number.isInteger(flags) && flags & 0x22) return undefined;
  const rects = rectsOfLink(dict), found = {};
  if (rects.length === 0) return undefined;
  Catalog.parseDestDictionary({ destDict: dict, resultObj: found });
  if (typeof found.url === "string") return found.url.length > ${longestUrl} ? undefined : { type: "link", rects, url: found.url };
  let dest = found.dest;
  if (typeof dest === "string") dest = catalog.getDestination(dest);
  const target = Array.isArray(dest) ? dest[0] : undefined;
  if (Number.isInteger(target) && target >= 0) return { type: "link", rects, page: target + 1 };
  const page = target instanceof Ref ? await pageNumberOf(xref, catalog, target) : undefined;
  return page === undefined ? undefined : { type: "link", rects, page };
}
`

export const linkPatches: ReadonlyArray<Patch> = [before("class StructTreePage {\n", links)]
