// How a file is put together. pdf.js gives up a page tree at its first broken entry, and a file at a missing trailer.
import { after, before, type Patch } from "./Patch.ts"

/** A tree with more entries than this is not searched for lost pages. */
const mostEntries = 200_000

const countsOfTree = String.raw`
  async #kidOf(kid) {
    return kid instanceof Ref ? this.xref.fetchAsync(kid) : kid;
  }
  async #isNode(dict) {
    return dict instanceof Dict && dict.has("Kids") && !isName(await dict.getAsync("Type"), "Page");
  }
  /** Whether a node has as many pages as it claims, as far as that can be told without looking at every page. */
  async #isCountRight(node, visited) {
    const count = await node.getAsync("Count"), kids = await node.getAsync("Kids");
    if (!Number.isInteger(count) || !Array.isArray(kids) || kids.length > ${mostEntries}) return false;
    if (kids.length === count) {
      let areLeaves = true;
      for (const kid of count === 0 ? [] : [kids[0], kids.at(-1)]) {
        const dict = await this.#kidOf(kid);
        if (!(dict instanceof Dict)) return false;
        areLeaves &&= !(await this.#isNode(dict));
      }
      if (areLeaves) return true;
    }
    let sum = 0;
    for (const kid of kids) {
      const dict = await this.#kidOf(kid);
      if (!(dict instanceof Dict)) return false;
      if (!(await this.#isNode(dict))) {
        sum++;
        continue;
      }
      if (kid instanceof Ref) {
        if (visited.get(kid) === "open") return false;
        if (!visited.has(kid)) {
          visited.set(kid, "open");
          if (visited.size > ${mostEntries} || !(await this.#isCountRight(dict, visited))) return false;
          visited.set(kid, "right");
        }
      } else if (!(await this.#isCountRight(dict, visited))) {
        return false;
      }
      sum += await dict.getAsync("Count");
    }
    return sum === count;
  }
  async checkPageCounts(numPages) {
    const node = this.toplevelPagesDict;
    if (!(await this.#isNode(node)) && numPages === 1) return;
    if (await node.getAsync("Count") !== numPages || !(await this.#isCountRight(node, new Map()))) {
      throw new FormatError("The page tree has another number of pages than it claims.");
    }
  }
`

// Where an entry leads nowhere, pages that name its target as their parent take its place.
const pagesOfTree = String.raw`
  async #orphansOf(lost, seen) {
    const orphans = [];
    for (const ref of this.xref.refs()) {
      if (orphans.length >= 10_000) break;
      if (seen.has(ref)) continue;
      let dict;
      try {
        dict = await this.xref.fetchAsync(ref);
      } catch (ex) {
        if (isOutOfMemory(ex)) throw ex;
        continue;
      }
      if (!(dict instanceof Dict) || !(isDict(dict, "Page") || isDict(dict, "Pages"))) continue;
      const parent = dict.getRaw("Parent");
      if (parent instanceof Ref && isRefsEqual(parent, lost)) orphans.push(ref);
    }
    return orphans;
  }
  /** All pages in order; an error in place of a page that the tree names and does not have. */
  async pagesOfTree(recoveryMode) {
    const pages = new Map(), seen = new RefSet(), lost = new RefSet();
    let broken = 0, entries = 0, searches = 0;
    const add = (page, ref) => {
      if (ref instanceof Ref && !this.pageIndexCache.has(ref)) this.pageIndexCache.put(ref, pages.size);
      pages.set(pages.size, [page, ref instanceof Ref ? ref : null]);
    };
    const addLost = async (raw, error) => {
      broken++;
      if (raw instanceof Ref && !lost.has(raw) && !seen.has(raw) && searches++ < 20) {
        lost.put(raw);
        const orphans = await this.#orphansOf(raw, seen);
        if (orphans.length > 0) return orphans;
      }
      add(error, null);
      return [];
    };
    const stack = [];
    const root = this.#catDict.getRaw("Pages");
    if (root instanceof Ref) seen.put(root);
    stack.push(this.toplevelPagesDict);
    while (stack.length > 0) {
      if (++entries > ${mostEntries}) throw new FormatError("The page tree is too large.");
      const raw = stack.pop();
      let dict, orphans = [];
      try {
        dict = raw instanceof Ref ? await this.xref.fetchAsync(raw) : raw;
        if (!(dict instanceof Dict)) throw new FormatError("An entry of the page tree leads to no page.");
        if (await this.#isNode(dict)) {
          if (raw instanceof Ref && seen.has(raw)) {
            // Its pages have their places already.
            broken++;
            continue;
          }
          if (raw instanceof Ref) seen.put(raw);
          const kids = await dict.getAsync("Kids");
          if (!Array.isArray(kids)) throw new FormatError("A node of the page tree has no list of pages.");
          for (let i = kids.length - 1; i >= 0; i--) stack.push(kids[i]);
          continue;
        }
        if (!isPageLike(dict)) throw new FormatError("An entry of the page tree leads to no page.");
        if (raw instanceof Ref) seen.put(raw);
        add(dict, raw);
        continue;
      } catch (ex) {
        if (ex instanceof XRefEntryException && !recoveryMode || isOutOfMemory(ex)) throw ex;
        orphans = await addLost(raw, ex instanceof Error ? ex : new FormatError(String(ex)));
      }
      for (let i = orphans.length - 1; i >= 0; i--) stack.push(orphans[i]);
    }
    const isLost = [...pages.values()].every(([page]) => page instanceof Error);
    if (isLost) {
      pages.clear();
      for (const ref of this.xref.refs()) {
        let dict;
        try {
          dict = await this.xref.fetchAsync(ref);
        } catch (ex) {
          if (isOutOfMemory(ex)) throw ex;
          continue;
        }
        if (!isDict(dict, "Page") || pages.size >= ${mostEntries}) continue;
        add(dict, ref);
      }
    }
    if (isLost && pages.size === 0) add(new FormatError("The page tree has no pages."), null);
    this.brokenTree = { broken };
    return pages;
  }
`

const pageTree: ReadonlyArray<Patch> = [
  before(
    "class StructTreeRoot {",
    String.raw`
function isPageLike(dict) {
  const type = dict.get("Type");
  return !(type instanceof Name) || type.name === "Page" || dict.has("Contents") || dict.has("MediaBox") || dict.has("Resources");
}
`
  ),
  {
    find: String.raw`            if (currentPageIndex === pageIndex) {
              return [obj, currentNode];`,
    replace: String.raw`            if (currentPageIndex === pageIndex) {
              if (!isPageLike(obj)) {
                throw new FormatError("An entry of the page tree leads to no page.");
              }
              return [obj, currentNode];`
  },
  before("  async getPageDict(pageIndex) {\n", countsOfTree + pagesOfTree),
  {
    find: String.raw`      } else if (numPages <= 1) {
        return;
      }
      await this.getPage(numPages - 1);`,
    replace: String.raw`      }
      if (numPages > 1) {
        await this.getPage(numPages - 1);
      }
      await catalog.checkPageCounts(numPages);`
  },
  {
    find: "      this.#pagePromises.delete(numPages - 1);\n      await this.cleanup();\n",
    replace: String.raw`      if (isOutOfMemory(reason)) {
        throw reason;
      }
      this.#pagePromises.delete(numPages - 1);
      await this.cleanup();
`
  },
  after(
    "      } catch (reasonAll) {\n",
    "        if (isOutOfMemory(reasonAll)) {\n          throw reasonAll;\n        }\n"
  ),
  {
    find: "        pagesTree = await catalog.getAllPageDicts(recoveryMode);",
    replace: "        pagesTree = await catalog.pagesOfTree(recoveryMode);"
  },
  // A broken entry stands for one page: those behind it keep their numbers.
  {
    find: String.raw`      if (!(currentNode instanceof Dict)) {
        throw new FormatError("Page dictionary kid reference points to wrong type of object.");
      }
      const {
        objId
      } = currentNode;`,
    replace: String.raw`      if (!(currentNode instanceof Dict)) {
        if (currentPageIndex++ !== pageIndex) {
          continue;
        }
        throw new FormatError("An entry of the page tree leads to no page.");
      }
      const {
        objId
      } = currentNode;`
  },
  after(
    String.raw`      const [numPages, fingerprints] = await Promise.all([pdfManager.ensureDoc("numPages"), pdfManager.ensureDoc("fingerprints")]);
`,
    String.raw`      const { catalog } = pdfManager.pdfDocument;
      const condition = {
        repaired: recoveryMode,
        tree: catalog.brokenTree ?? null,
        claimed: catalog.toplevelPagesDict.get("Count")
      };
`
  ),
  {
    find: String.raw`        numPages,
        fingerprints,
        htmlForXfa
      };`,
    replace: String.raw`        numPages,
        fingerprints,
        htmlForXfa,
        condition
      };`
  }
]

// Without a trailer the catalogue is searched for among all objects, also in those that are compressed; without a page tree,
// the pages are the objects that are marked as pages.
const recovery: ReadonlyArray<Patch> = [
  before(
    "  indexObjects() {\n    const TAB = 0x9,\n",
    String.raw`
  *refs() {
    for (const num in this.#entries) {
      const entry = this.#entries[num];
      if (entry && !entry.free) yield Ref.get(+num, entry.uncompressed ? entry.gen : 0);
    }
  }
  #fetchOrNull(ref) {
    try {
      return this.fetch(ref);
    } catch (ex) {
      if (isOutOfMemory(ex)) throw ex;
      return null;
    }
  }
  #indexObjectStreams() {
    for (const ref of [...this.refs()]) {
      const stream = this.#fetchOrNull(ref);
      if (!(stream instanceof BaseStream) || !isName(stream.dict?.get("Type"), "ObjStm")) continue;
      const n = stream.dict.get("N");
      const parser = new Parser({ lexer: new Lexer(stream), xref: this });
      for (let i = 0; Number.isInteger(n) && i < n && i < 100_000; i++) {
        const num = parser.getObj(), offset = parser.getObj();
        if (!Number.isInteger(num) || !Number.isInteger(offset) || num <= 0 || num > 10_000_000) break;
        this.#entries[num] ??= { offset: ref.num, gen: i, free: false, uncompressed: false };
      }
    }
  }
  #trailerOfObjects() {
    this.#indexObjectStreams();
    let root, pages;
    for (const ref of this.refs()) {
      const dict = this.#fetchOrNull(ref);
      if (!(dict instanceof Dict)) continue;
      if (isDict(dict, "Catalog")) root = ref;
      if (isDict(dict, "Pages") && !dict.has("Parent")) pages = ref;
    }
    if (root === undefined && pages === undefined) return undefined;
    const trailer = new Dict(this);
    if (root !== undefined) {
      trailer.set("Root", root);
    } else {
      const catalog = new Dict(this);
      catalog.set("Type", Name.get("Catalog"));
      catalog.set("Pages", pages);
      trailer.set("Root", catalog);
    }
    return trailer;
  }
  #repairedRoot(root) {
    const kids = [];
    let top;
    for (const ref of this.refs()) {
      const dict = this.#fetchOrNull(ref);
      if (isDict(dict, "Page")) kids.push(ref);
      if (isDict(dict, "Pages") && !dict.has("Parent")) top ??= ref;
    }
    if (top === undefined && kids.length === 0) return undefined;
    const repaired = root instanceof Dict ? root : new Dict(this);
    if (top === undefined) {
      const pages = new Dict(this);
      pages.set("Type", Name.get("Pages"));
      pages.set("Kids", kids);
      pages.set("Count", kids.length);
      repaired.set("Pages", pages);
    } else {
      repaired.set("Pages", top);
    }
    return repaired;
  }
`
  ),
  {
    find: '    throw new InvalidPDFException("Invalid PDF structure.");\n  }\n  readXRef(',
    replace: String.raw`    const found = this.#trailerOfObjects();
    if (found) {
      return found;
    }
    throw new InvalidPDFException("Invalid PDF structure.");
  }
  readXRef(`
  },
  {
    find: '    throw new InvalidPDFException("Invalid Root reference.");\n',
    replace: String.raw`    this.#indexObjectStreams();
    root = this.#repairedRoot(root);
    if (root) {
      this.root = root;
      return;
    }
    throw new InvalidPDFException("Invalid Root reference.");
`
  }
]

export const structurePatches: ReadonlyArray<Patch> = [...pageTree, ...recovery]
