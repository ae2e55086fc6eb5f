// Text of annotations as they are shown. It follows the text of the page's own content, in the same form, between
// `{ type: "beginAnnotation", id }` and `{ type: "endAnnotation" }`; of free text that has no appearance its
// `{ type: "freeText", text, rect }`.
import { mostLinks } from "./Links.ts"
import { after, before, type Patch } from "./Patch.ts"

/** Further annotations of a page are left out, and a warning says so. */
const mostAnnotations = 5_000

const annotationText = String.raw`
  async annotationText(evaluator, task, disableNormalization, sink) {
    const annotations = this.annotations;
    this.linksTold = 0;
    const emit = item => sink.enqueue({ items: [item], styles: Object.create(null), lang: null }, 1);
    for (let i = 0; i < annotations.length; i++) {
      await sink.ready;
      task.ensureNotTerminated();
      try {
        if (i >= ${mostAnnotations}) throw new FormatError("there are too many annotations");
        await this.#textOfAnnotation(annotations[i], evaluator, task, disableNormalization, sink, emit);
      } catch (reason) {
        if (reason instanceof AbortException || task.terminated || !evaluator.options.ignoreErrors || isOutOfMemory(reason)) throw reason;
        emit({ type: "damage", kind: "annotation", detail: String(reason?.message ?? reason) });
      }
      if (i >= ${mostAnnotations}) return;
    }
  }
  linksTold = 0;
  async #reportLink(dict, emit) {
    if (this.linksTold >= ${mostLinks}) return;
    this.linksTold++;
    try {
      const link = await linkOf(this.xref, this.pdfManager.pdfDocument.catalog, dict);
      if (link !== undefined) emit(link);
    } catch (reason) {
      if (isOutOfMemory(reason)) throw reason;
      warn("reportLink: " + reason);
    }
  }
  async #textOfAnnotation(raw, evaluator, task, disableNormalization, sink, emit) {
    const xref = this.xref;
    const dict = raw instanceof Ref ? await xref.fetchAsync(raw) : raw;
    if (!(dict instanceof Dict)) return;
    const subtype = dict.get("Subtype");
    const kind = subtype instanceof Name ? subtype.name : "";
    if (kind === "Link") await this.#reportLink(dict, emit);
    if (kind === "Popup" || kind === "Link" && !dict.has("AP")) return;
    const id = raw instanceof Ref ? raw.toString() : null;
    const flags = dict.get("F");
    if (Number.isInteger(flags) && flags & 0x22) {
      emit({ type: "hiddenAnnotation", id });
      return;
    }
    const rect = lookupNormalRect(dict.getArray("Rect"), null);
    if (rect === null) return;
    const acroForm = this.pdfManager.pdfDocument.catalog.acroForm;
    if (kind === "Widget") {
      const type = getInheritableProperty({ dict, key: "FT" }), fieldFlags = getInheritableProperty({ dict, key: "Ff" }) | 0;
      if (isName(type, "Btn") && !(fieldFlags & 0x10000) || isName(type, "Tx") && fieldFlags & 0x2000) return;
      if (acroForm?.get("NeedAppearances") === true && (isName(type, "Tx") || isName(type, "Ch"))) return;
    }
    let normal = dict.get("AP");
    normal = normal instanceof Dict ? normal.get("N") : null;
    if (normal instanceof Dict) {
      const state = dict.get("AS");
      normal = state instanceof Name ? normal.get(state.name) : null;
    }
    const isLayer = dict.has("OC");
    if (isLayer) {
      let group = null;
      try {
        group = parseMarkedContentProps(xref, dict.get("OC"), Dict.empty) ?? null;
      } catch (ex) {
        warn("textOfAnnotation: " + ex);
      }
      emit({ type: "beginOptionalContent", group });
    }
    try {
      if (normal instanceof BaseStream) {
        emit({ type: "beginAnnotation", id });
        await this.#textOfAppearance(normal, rect, kind === "Widget" ? acroForm?.get("DR") : null, evaluator, task, disableNormalization, sink);
        emit({ type: "endAnnotation" });
      } else if (kind === "FreeText") {
        const text = dict.get("Contents");
        if (typeof text === "string") emit({ type: "freeText", text: stringToPDFString(text.slice(0, 65_536)), rect });
      }
    } finally {
      if (isLayer) emit({ type: "endOptionalContent" });
    }
  }
  async #textOfAppearance(stream, rect, defaults, evaluator, task, disableNormalization, sink) {
    const bbox = lookupRect(stream.dict.getArray("BBox"), [0, 0, 1, 1]);
    const matrix = lookupMatrix(stream.dict.getArray("Matrix"), IDENTITY_MATRIX);
    const stateManager = new StateManager(new TextState());
    stateManager.transform(getTransformMatrix(rect, bbox, matrix));
    stateManager.transform(matrix);
    const own = stream.dict.get("Resources");
    const known = [own, defaults, own instanceof Dict ? null : this.resources].filter(resources => resources instanceof Dict);
    const resources = known.length > 1 ? Dict.merge({ xref: this.xref, dictArray: known, mergeSubDicts: true }) : known[0] ?? Dict.empty;
    stream.reset();
    await evaluator.getTextContent({
      stream,
      task,
      resources,
      stateManager,
      disableNormalization,
      sink: textSinkWrapper(sink),
      viewBox: [rect[0] - 1, rect[1] - 1, rect[2] + 1, rect[3] + 1]
    });
  }
`

export const annotationPatches: ReadonlyArray<Patch> = [
  // A tree that cannot be read is undefined; null is only for a file that has none.
  {
    find: '      warn(`getStructTree: "${ex}".`);\n      return null;',
    replace: '      warn(`getStructTree: "${ex}".`);\n      return undefined;'
  },
  before("  async getStructTree() {\n    const structTreeRoot = await this.pdfManager.ensureCatalog(", annotationText),
  {
    find: "    return partialEvaluator.getTextContent({\n      stream: contentStream,\n",
    replace: String.raw`    const drawing = intersector ? null : new PageDrawing();
    await partialEvaluator.getTextContent({
      stream: contentStream,
      drawing,
`
  },
  after(
    "      viewBox: this.view,\n      lang,\n      intersector\n    });\n",
    String.raw`    if (drawing !== null && drawing.count + drawing.offPage > 0) {
      sink.enqueue({ items: [drawing.report()], styles: Object.create(null), lang: null }, 1);
    }
    if (!intersector && this.annotations.length > 0) {
      await this.annotationText(partialEvaluator, task, disableNormalization, sink);
    }
`
  ),
  // A list may have several values.
  after("      numItems: this.data.fieldValue.length,\n", "      values: this.data.fieldValue,\n")
]
