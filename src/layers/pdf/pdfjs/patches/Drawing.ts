// What a page draws beside its text, noted while the text is read: the operators are parsed then anyhow, so this costs
// little, where a list of operators would cost half of the text again. After the page's own content, one more item:
//
// `{ type: "drawn", records, isCut, offPage }`: `offPage` is how many glyphs stand beside the page, which pdf.js leaves out, and
// `records` has eight numbers for each thing drawn, in the order of drawing and in user space:
// the kind, x0, y0, x1, y1, the width of the line, the tone (0 black to 1 white, -1 if unknown), how many pieces of text
// began before it. The kinds:
//   0 a straight line of a stroke, from (x0, y0) to (x1, y1)
//   1 a filled rectangle     2 another filled area, by its bounds
//   3 an image, by its bounds; its width is 1 if it hides what is under it     4 a stroke with curves, by its bounds
//
// A piece of text has `colour`, that of its letters, `mode`, its rendering mode, and `drawnBefore`, how many things were
// drawn before it, if that is known. A run ends where invisible or white text begins or ends.
import { after, before, type Patch } from "./Patch.ts"

/** Further things are not noted; a page with more is a drawing. */
const mostRecords = 20_000
/** A frame is filled as one rectangle with another in it; more in one path are not compared. */
const mostNested = 40
/** Straight lines of one path: a longer one is a curve made of lines. */
const mostLines = 400

const pageDrawing = String.raw`
class PageDrawing {
  records = [];
  count = 0;
  texts = 0;
  isCut = false;
  offPage = 0;
  lines = [];
  x0 = Infinity; y0 = Infinity; x1 = -Infinity; y1 = -Infinity;
  x = 0; y = 0; startX = 0; startY = 0;
  hasCurves = false; isOpen = false; isClip = false; rectangles = 0; pieces = 0;
  note(kind, x0, y0, x1, y1, width, tone) {
    if (this.count >= ${mostRecords}) {
      this.isCut = true;
      return;
    }
    this.count++;
    this.records.push(kind, x0, y0, x1, y1, width, tone, this.texts);
  }
  reach(m, x, y) {
    const px = m[0] * x + m[2] * y + m[4], py = m[1] * x + m[3] * y + m[5];
    if (px < this.x0) this.x0 = px;
    if (px > this.x1) this.x1 = px;
    if (py < this.y0) this.y0 = py;
    if (py > this.y1) this.y1 = py;
    this.x = px;
    this.y = py;
  }
  moveTo(m, x, y) {
    this.reach(m, x, y);
    this.startX = this.x;
    this.startY = this.y;
    this.isOpen = true;
  }
  lineTo(m, x, y) {
    const fromX = this.x, fromY = this.y;
    this.reach(m, x, y);
    this.pieces++;
    this.line(fromX, fromY, this.x, this.y);
  }
  line(x0, y0, x1, y1) {
    if (this.lines.length < ${4 * mostLines}) this.lines.push(x0, y0, x1, y1);
    else this.hasCurves = true;
  }
  curveTo(m, args) {
    this.hasCurves = true;
    for (let i = 0; i + 1 < args.length; i += 2) this.reach(m, args[i], args[i + 1]);
  }
  close() {
    if (!this.isOpen) return;
    if (this.x !== this.startX || this.y !== this.startY) this.line(this.x, this.y, this.startX, this.startY);
    this.x = this.startX;
    this.y = this.startY;
  }
  rectangle(m, x, y, width, height) {
    this.moveTo(m, x, y);
    if (this.rectangles < ${mostLines}) {
      this.rectangles++;
      const pieces = this.pieces;
      this.lineTo(m, x + width, y);
      this.lineTo(m, x + width, y + height);
      this.lineTo(m, x, y + height);
      this.close();
      this.pieces = pieces;
    } else {
      this.reach(m, x + width, y + height);
      this.hasCurves = true;
    }
  }
  end() {
    this.lines.length = 0;
    this.x0 = this.y0 = Infinity;
    this.x1 = this.y1 = -Infinity;
    this.hasCurves = this.isOpen = false;
    this.rectangles = this.pieces = 0;
  }
  isNested() {
    const { lines } = this;
    if (this.rectangles < 2 || this.rectangles > ${mostNested}) return false;
    const boxes = [];
    for (let i = 0; i < lines.length; i += 16) {
      const ax = lines[i], ay = lines[i + 1], bx = lines[i + 6], by = lines[i + 7];
      boxes.push([Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]);
    }
    return boxes.some(one => boxes.some(two => two[0] > one[0] && two[1] > one[1] && two[2] < one[2] && two[3] < one[3]));
  }
  fill(tone, colour) {
    if (!(this.x0 <= this.x1)) return;
    const { lines } = this;
    let isEven = !this.hasCurves;
    for (let i = 0; isEven && i < lines.length; i += 4) {
      isEven = Math.abs(lines[i] - lines[i + 2]) < 0.1 || Math.abs(lines[i + 1] - lines[i + 3]) < 0.1;
    }
    if (isEven && this.pieces === 0 && lines.length === 16 * this.rectangles) {
      const kind = this.isNested() ? 2 : 1;
      for (let i = 0; i < lines.length; i += 16) {
        const ax = lines[i], ay = lines[i + 1], bx = lines[i + 6], by = lines[i + 7];
        this.note(kind, Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by), colour, tone);
      }
      return;
    }
    const isRectangle = isEven && this.pieces >= 3 && lines.length <= 20;
    this.note(isRectangle ? 1 : 2, this.x0, this.y0, this.x1, this.y1, colour, tone);
  }
  stroke(m, lineWidth) {
    if (!(this.x0 <= this.x1)) return;
    const width = lineWidth * Math.sqrt(Math.abs(m[0] * m[3] - m[1] * m[2]));
    if (this.hasCurves) {
      this.note(4, this.x0, this.y0, this.x1, this.y1, width, 0);
      return;
    }
    const { lines } = this;
    for (let i = 0; i < lines.length; i += 4) this.note(0, lines[i], lines[i + 1], lines[i + 2], lines[i + 3], width, 0);
  }
  clipTo(textState) {
    if (this.isClip && this.x0 <= this.x1) textState.clip = [this.x0, this.y0, this.x1, this.y1];
    this.isClip = false;
  }
  shading(area) {
    this.note(2, ...area, -1, -1);
  }
  form(m, [x0, y0, x1, y1]) {
    this.end();
    for (const [x, y] of [[x0, y0], [x0, y1], [x1, y0], [x1, y1]]) this.reach(m, x, y);
    this.note(2, this.x0, this.y0, this.x1, this.y1, -1, -1);
    this.end();
  }
  image(m, isOpaque) {
    const xs = [m[4], m[4] + m[0], m[4] + m[2], m[4] + m[0] + m[2]], ys = [m[5], m[5] + m[1], m[5] + m[3], m[5] + m[1] + m[3]];
    this.note(3, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), isOpaque ? 1 : 0, -1);
  }
  report() {
    return { type: "drawn", records: this.records, isCut: this.isCut, offPage: this.offPage };
  }
}
function setColour(textState, space, args) {
  const rgb = rgbOf(space, args);
  if (rgb === null) {
    textState.colour = textState.tone = -1;
    return;
  }
  const [r, g, b] = rgb.map(value => Math.round(255 * Math.min(1, Math.max(0, value))));
  textState.colour = r * 65536 + g * 256 + b;
  textState.tone = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2];
}
function rgbOf(space, args) {
  if (space === "" || args.length === 0 || args.some(value => typeof value !== "number")) return null;
  const [a, b, c, d] = args;
  if (space === "tint") return args.every(value => value <= 0.01) ? [1, 1, 1] : null;
  if (args.length === 4) return [(1 - a) * (1 - d), (1 - b) * (1 - d), (1 - c) * (1 - d)];
  if (args.length === 3) return [a, b, c];
  return args.length === 1 && space === "grey" ? [a, a, a] : null;
}
function kindOfSpace(name, resources) {
  if (!(name instanceof Name)) return "";
  let space = name;
  if (!/^(Device|Cal|G$|RGB$|CMYK$)/.test(name.name)) {
    const spaces = resources.get("ColorSpace");
    space = spaces instanceof Dict ? spaces.get(name.name) : undefined;
    if (Array.isArray(space)) {
      const first = space[0] instanceof Name ? space[0].name : "";
      if (first === "ICCBased") return "grey";
      if (first === "Separation" || first === "DeviceN") return "tint";
      space = space[0];
    }
  }
  const kind = space instanceof Name ? space.name : "";
  return kind === "DeviceGray" || kind === "CalGray" || kind === "G" ? "grey" : /RGB$|CMYK$/.test(kind) ? "many" : "";
}
function looksOf(textState) {
  return textState.mode === 3 ? 1 : textState.tone >= 0.98 ? 2 : 0;
}
`

const operators = String.raw`
          case OPS.setTextRenderingMode:
            textState.mode = args[0];
            break;
          case OPS.setFillGray:
            setColour(textState, "grey", args);
            break;
          case OPS.setFillRGBColor:
          case OPS.setFillCMYKColor:
            setColour(textState, "many", args);
            break;
          case OPS.setFillColorSpace:
            textState.space = kindOfSpace(args[0], resources);
            setColour(textState, textState.space === "grey" || textState.space === "many" ? "grey" : "", [0]);
            break;
          case OPS.setFillColor:
          case OPS.setFillColorN:
            setColour(textState, textState.space, args);
            break;
          case OPS.setLineWidth:
            textState.lineWidth = args[0];
            break;
          case OPS.moveTo:
            drawing?.moveTo(textState.ctm, args[0], args[1]);
            break;
          case OPS.lineTo:
            drawing?.lineTo(textState.ctm, args[0], args[1]);
            break;
          case OPS.curveTo:
          case OPS.curveTo2:
          case OPS.curveTo3:
            drawing?.curveTo(textState.ctm, args);
            break;
          case OPS.closePath:
            drawing?.close();
            break;
          case OPS.rectangle:
            drawing?.rectangle(textState.ctm, args[0], args[1], args[2], args[3]);
            break;
          case OPS.clip:
          case OPS.eoClip:
            if (drawing !== null) drawing.isClip = true;
            break;
          case OPS.shadingFill:
            drawing?.shading(textState.clip ?? viewBox);
            break;
          case OPS.endPath:
            drawing?.clipTo(textState);
            drawing?.end();
            break;
          case OPS.fill:
          case OPS.eoFill:
            drawing?.fill(textState.tone, textState.colour);
            drawing?.end();
            break;
          case OPS.closeStroke:
          case OPS.closeFillStroke:
          case OPS.closeEOFillStroke:
            drawing?.close();
          case OPS.stroke:
          case OPS.fillStroke:
          case OPS.eoFillStroke:
            if (fn !== OPS.stroke && fn !== OPS.closeStroke) drawing?.fill(textState.tone, textState.colour);
            drawing?.stroke(textState.ctm, textState.lineWidth);
            drawing?.end();
            break;
          case OPS.endInlineImage:
            drawing?.image(textState.ctm, false);
            break;
`

export const drawingPatches: ReadonlyArray<Patch> = [
  before("class StateManager {\n  constructor(initialState = new EvalState()) {", pageDrawing),
  {
    find: "  textHScale = 1;\n  textRise = 0;\n  setTextMatrix(",
    replace:
      '  textHScale = 1;\n  textRise = 0;\n  mode = 0;\n  tone = 0;\n  colour = 0;\n  clip = null;\n  space = "grey";\n  lineWidth = 1;\n  setTextMatrix('
  },
  after("    keepWhiteSpace = false,\n    prevRefs = null,\n", "    drawing = null,\n"),
  after(
    "                viewBox,\n                lang,\n                disableNormalization,\n                keepWhiteSpace,\n",
    "                drawing,\n"
  ),
  // After the operators of text, which are compared first and are the most.
  before("        }\n        if (textContent.items.length >= sink.desiredSize) {\n", operators.slice(1)),
  after(
    "      prevTextRise: 0,\n",
    "      looks: 0,\n      colour: 0,\n      mode: 0,\n      drawnBefore: undefined,\n"
  ),
  {
    find: "            textState.translateTextMatrix(0, scaledDim);\n          }\n          continue;",
    replace:
      "            textState.translateTextMatrix(0, scaledDim);\n          }\n          if (drawing !== null) drawing.offPage++;\n          continue;"
  },
  // The images of a page are told from its forms only where one is first met.
  {
    find: "            if (isValidName && emptyXObjectCache.getByName(name)) {\n              break;",
    replace:
      "            if (isValidName && emptyXObjectCache.getByName(name)) {\n              if (imageNames.has(name)) drawing?.image(textState.ctm, imageNames.get(name));\n              else if (formBoxes.has(name)) drawing?.form(textState.ctm, formBoxes.get(name));\n              break;"
  },
  {
    find: '              if (type.name !== "Form") {\n                emptyXObjectCache.set(name, dict.objId, true);',
    replace:
      '              if (type.name !== "Form") {\n                if (type.name === "Image") {\n                  imageNames.set(name, !dict.has("SMask") && !dict.has("Mask") && dict.get("ImageMask") !== true);\n                  drawing?.image(textState.ctm, imageNames.get(name));\n                }\n                emptyXObjectCache.set(name, dict.objId, true);'
  },
  // A form without text is skipped when it is met again; what it draws then is not known, but where.
  after(
    "              const currentState = stateManager.state.clone();\n",
    '              const formBox = lookupRect(dict.getArray("BBox"), null);\n              if (isValidName && formBox !== null && !dict.has("Matrix")) formBoxes.set(name, formBox);\n'
  ),
  after("    const showSpacedTextBuffer = [];\n", "    const imageNames = new Map(), formBoxes = new Map();\n"),
  after(
    "    function buildTextContentItem({\n      chars,\n      extraSpacing\n    }) {\n",
    "      if (textContentItem.initialized && textContentItem.looks !== looksOf(textState)) flushTextContentItem();\n"
  ),
  after(
    "      textContentItem.fontName = loadedName;\n",
    String.raw`      textContentItem.looks = looksOf(textState);
      textContentItem.colour = textState.colour;
      textContentItem.mode = textState.mode;
      textContentItem.drawnBefore = drawing === null ? undefined : drawing.count;
      if (drawing !== null) drawing.texts++;
`
  ),
  after(
    "        fontName: textChunk.fontName,\n",
    "        colour: textChunk.colour,\n        mode: textChunk.mode,\n        drawnBefore: textChunk.drawnBefore,\n"
  ),
  // What a font is called and how it looks, beside what pdf.js reports of it.
  after(
    "          fontFamily: font.fallbackName,\n",
    "          name: font.name,\n          flags: font.descriptorFlags,\n          weight: font.descriptorWeight,\n          italicAngle: font.italicAngle,\n"
  ),
  after(
    "    this.isSymbolicFont = !!(properties.flags & FontFlags.Symbolic);\n",
    "    this.descriptorFlags = properties.flags | 0;\n    this.descriptorWeight = properties.fontWeight;\n    this.italicAngle = properties.italicAngle;\n"
  ),
  after("      italicAngle,\n      isType3Font,\n", '      fontWeight: descriptor.get("FontWeight"),\n')
]
