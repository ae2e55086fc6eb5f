// How text is taken from a content stream. Beside pieces of text, a page's items now report what pdf.js would skip:
//
// - `{ type: "damage", kind, detail }`: something was lost or guessed (`content`, `font`, `glyphs`, `annotation`),
// - `{ type: "beginOptionalContent", group }` and `{ type: "endOptionalContent" }` around what a layer shows or hides.
import { after, type Patch } from "./Patch.ts"

const notes = String.raw`
    const noted = new Set();
    let unknownGlyphs = 0, unknownFont = "";
    function note(kind, detail) {
      const key = kind + detail;
      if (noted.has(key) || noted.size >= 20) return;
      noted.add(key);
      textContent.items.push({ type: "damage", kind, detail: String(detail) });
    }
    const optionalContents = [];
    function beginOptionalContent(isOptional, props) {
      let group = null;
      if (isOptional) {
        try {
          group = parseMarkedContentProps(xref, props, resources) ?? null;
        } catch (ex) {
          warn("beginOptionalContent: " + ex);
        }
      }
      if (group !== null) textContent.items.push({ type: "beginOptionalContent", group });
      optionalContents.push(group !== null);
    }
    function endOptionalContent() {
      if (optionalContents.pop()) textContent.items.push({ type: "endOptionalContent" });
    }
    function endOfContent() {
      flushTextContentItem();
      while (optionalContents.length > 0) endOptionalContent();
      if (unknownGlyphs > 0) note("glyphs", unknownGlyphs + " characters of the font " + unknownFont);
      const damage = stream.damageFound() ?? preprocessor.parser.lexer.damage;
      if (damage !== undefined) note("content", damage);
    }
`

const reading: ReadonlyArray<Patch> = [
  {
    find: String.raw`    intersector = null
  }) {
    if (stream.isAsync) {
      const bytes = await stream.asyncGetBytes();
      if (bytes) {
        stream = new Stream(bytes, 0, bytes.length, stream.dict);
      }
    }
    sink ??= textSinkWrapper(null);`,
    replace: String.raw`    intersector = null
  }) {
    if (stream.isAsync) {
      const bytes = await stream.asyncGetBytes();
      if (bytes) {
        stream = carryDamage(stream, new Stream(bytes, 0, bytes.length, stream.dict));
      }
    }
    sink ??= textSinkWrapper(null);`
  },
  after(
    "    const preprocessor = new EvaluatorPreprocessor(stream, xref, stateManager);\n    let textState, currentTextState;\n",
    notes
  ),
  {
    find: String.raw`      textState.loadedName = translated.loadedName;
      textState.font = translated.font;
      textState.fontMatrix = translated.font.fontMatrix || FONT_IDENTITY_MATRIX;`,
    replace: String.raw`      if (translated.font instanceof ErrorFont) {
        if (!self.options.ignoreErrors) {
          throw new FormatError("Font cannot be read: " + translated.font.error);
        }
        note("font", translated.font.error);
      } else if (translated.font.damage !== undefined) {
        note("font", translated.font.damage);
      }
      textState.loadedName = translated.loadedName;
      textState.font = translated.font;
      textState.fontMatrix = translated.font.fontMatrix || FONT_IDENTITY_MATRIX;`
  },
  // Invisible marks take the room that the font gives them.
  {
    find: String.raw`        if (category.isInvisibleFormatMark) {
          continue;
        }
        let charSpacing = baseCharSpacing + (i + 1 === ii ? extraSpacing : 0);`,
    replace: String.raw`        let charSpacing = baseCharSpacing + (i + 1 === ii ? extraSpacing : 0);
        if (category.isInvisibleFormatMark) {
          if (textContentItem.initialized && !font.vertical) {
            const advance = glyph.width * scale * textState.textHScale;
            if (advance) {
              textState.translateTextMatrix(advance, 0);
              textContentItem.width += advance;
              textContentItem.prevTransform = getCurrentTextTransform();
            }
          }
          continue;
        }
        if (glyph.isKnown === false) {
          unknownGlyphs++;
          unknownFont = font.name;
        }`
  },
  {
    find: String.raw`          case OPS.beginMarkedContent:
            flushTextContentItem();
            if (includeMarkedContent) {`,
    replace: String.raw`          case OPS.beginMarkedContent:
            flushTextContentItem();
            beginOptionalContent(false, null);
            if (includeMarkedContent) {`
  },
  {
    find: String.raw`          case OPS.beginMarkedContentProps:
            flushTextContentItem();
            if (includeMarkedContent) {`,
    replace: String.raw`          case OPS.beginMarkedContentProps:
            flushTextContentItem();
            beginOptionalContent(isName(args[0], "OC"), args[1]);
            if (includeMarkedContent) {`
  },
  {
    find: String.raw`          case OPS.endMarkedContent:
            flushTextContentItem();
            if (includeMarkedContent) {`,
    replace: String.raw`          case OPS.endMarkedContent:
            flushTextContentItem();
            endOptionalContent();
            if (includeMarkedContent) {`
  },
  {
    find: String.raw`              const localResources = dict.get("Resources");
              enqueueChunk();
              const sinkWrapper = textSinkWrapper(sink);`,
    replace: String.raw`              const localResources = dict.get("Resources");
              beginOptionalContent(dict.has("OC"), dict.get("OC"));
              enqueueChunk();
              const sinkWrapper = textSinkWrapper(sink);`
  },
  {
    find: String.raw`                prevRefs: seenRefs
              }).then(function () {
                if (!sinkWrapper.enqueueInvoked) {`,
    replace: String.raw`                prevRefs: seenRefs
              }).finally(endOptionalContent).then(function () {
                if (!sinkWrapper.enqueueInvoked) {`
  },
  {
    find: '                warn(`getTextContent - ignoring XObject: "${reason}".`);\n',
    replace:
      '                warn(`getTextContent - ignoring XObject: "${reason}".`);\n                note("content", reason?.message ?? reason);\n'
  },
  {
    find: '                warn(`getTextContent - ignoring ExtGState: "${reason}".`);\n',
    replace:
      '                warn(`getTextContent - ignoring ExtGState: "${reason}".`);\n                note("content", reason?.message ?? reason);\n'
  }
]

// In a lenient reading, an operator that fails is skipped alone, and not everything after it. A page whose operators all fail
// is given up.
const goingOn: ReadonlyArray<Patch> = [
  {
    find: String.raw`    return new Promise(function promiseBody(resolve, reject) {
      const next = function (promise) {
        enqueueChunk(true);
        Promise.all([promise, sink.ready]).then(function () {
          try {
            promiseBody(resolve, reject);
          } catch (ex) {
            reject(ex);
          }
        }, reject);
      };`,
    replace: String.raw`    let faults = 0;
    return new Promise(function start(resolve, reject) {
      const goOn = function () {
        try {
          promiseBody(resolve, reject);
        } catch (ex) {
          pass(ex);
        }
      };
      const pass = function (ex) {
        if (!self.options.ignoreErrors || ex instanceof AbortException || task.terminated || isOutOfMemory(ex) || ++faults > 1000) {
          reject(ex);
          return;
        }
        note("content", ex?.message ?? ex);
        Promise.resolve(sink.ready).then(goOn, reject);
      };
      function promiseBody(resolve, reject) {
      const next = function (promise) {
        enqueueChunk(true);
        Promise.all([promise, sink.ready]).then(goOn, pass);
      };`
  },
  {
    find: String.raw`      flushTextContentItem();
      closePendingMarkedContentItems();
      enqueueChunk();
      resolve();
    }).catch(reason => {`,
    replace: String.raw`      endOfContent();
      closePendingMarkedContentItems();
      enqueueChunk();
      resolve();
      }
      goOn();
    }).catch(reason => {`
  },
  {
    find: String.raw`        flushTextContentItem();
        closePendingMarkedContentItems();
        enqueueChunk();
        return;
      }
      throw reason;
    });
  }
  async extractDataStructures(dict, properties) {`,
    replace: String.raw`        if (isOutOfMemory(reason)) throw reason;
        note("content", reason?.message ?? reason);
        endOfContent();
        closePendingMarkedContentItems();
        enqueueChunk();
        return;
      }
      throw reason;
    });
  }
  async extractDataStructures(dict, properties) {`
  },
  {
    find: String.raw`        if (args.length > 33) {
          throw new FormatError("Too many arguments");
        }`,
    replace: String.raw`        if (args.length > 33) {
          this.parser.lexer.damage ??= "it is no sequence of operators";
          args.shift();
        }`
  },
  {
    find: "class EvaluatorPreprocessor {\n",
    replace: String.raw`
function isOutOfMemory(reason) {
  return reason instanceof RangeError && /allocation failed|invalid (typed )?array (buffer )?length|invalid string length|out of memory/i.test(reason.message);
}
class EvaluatorPreprocessor {
`
  }
]

export const textPatches: ReadonlyArray<Patch> = [...reading, ...goingOn]
