// What the codes of a font mean. pdf.js uses ToUnicode alone where there is one, and drops a font with a fault.
import { after, before, type Patch } from "./Patch.ts"

// The names that a font gives its glyphs, and its own table of characters, tell what ToUnicode leaves out.
const meanings: ReadonlyArray<Patch> = [
  before(
    "function adjustType1ToUnicode(properties, builtInEncoding) {",
    String.raw`
function meaningOfGlyphName(name, glyphsUnicodeMap) {
  if (typeof name !== "string" || name === "" || name === ".notdef") return undefined;
  const single = getUnicodeForGlyph(name, glyphsUnicodeMap);
  if (single !== -1) return String.fromCodePoint(single);
  const base = name.split(".", 1)[0];
  if (base === "" || (base === name && !name.includes("_"))) return undefined;
  let text = "";
  for (const part of base.split("_")) {
    const code = getUnicodeForGlyph(part, glyphsUnicodeMap);
    if (code === -1) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}
function addMeaning(properties, charCode, meaning) {
  if (meaning === undefined || properties.toUnicode.has(charCode)) return;
  const isNamed = properties.differences?.has(charCode) || properties.baseEncodingName;
  if (isNamed && properties.fallbackToUnicode?.has(charCode)) return;
  (properties.fallbackToUnicode ??= new CharCodeMap()).set(charCode, meaning);
}
function addMeaningsOfNames(properties, names) {
  const glyphsUnicodeMap = getGlyphsUnicode();
  for (const charCode in names) {
    addMeaning(properties, +charCode, meaningOfGlyphName(names[charCode], glyphsUnicodeMap));
  }
}
function addMeaningsOfGlyphs(properties, charCodeToGlyphId, nameOf, characterOf) {
  if (properties.isInternalFont) return;
  if (properties.composite && !properties.hasIncludedToUnicodeMap && properties.toUnicode instanceof IdentityToUnicodeMap) {
    const found = new CharCodeMap(), names = getGlyphsUnicode();
    for (const [charCode, glyphId] of charCodeToGlyphId) {
      const meaning = meaningOfGlyphName(nameOf(glyphId), names) ?? characterOf?.(glyphId);
      if (meaning !== undefined) found.set(charCode, meaning);
    }
    if (found.size > 0) properties.toUnicode = new ToUnicodeMap(found);
    return;
  }
  if (!properties.hasIncludedToUnicodeMap || properties.toUnicode instanceof IdentityToUnicodeMap) return;
  const names = getGlyphsUnicode();
  for (const [charCode, glyphId] of charCodeToGlyphId) {
    if (glyphId === 0 || properties.toUnicode.has(charCode)) continue;
    addMeaning(properties, charCode, meaningOfGlyphName(nameOf(glyphId), names) ?? characterOf?.(glyphId));
  }
}
`
  ),
  {
    find: String.raw`  if (properties.hasIncludedToUnicodeMap) {
    return;
  }
  if (builtInEncoding === properties.defaultEncoding) {`,
    replace: String.raw`  if (properties.hasIncludedToUnicodeMap) {
    if (!(properties.toUnicode instanceof IdentityToUnicodeMap)) addMeaningsOfNames(properties, builtInEncoding);
    return;
  }
  if (builtInEncoding === properties.defaultEncoding) {`
  },
  // Some files say of a glyph that they do not know what it means, and name it `two.oldstyle`.
  after(
    "        properties.fallbackToUnicode = this._simpleFontToUnicode(properties);\n",
    String.raw`        if (properties.toUnicode instanceof ToUnicodeMap) {
          const named = new CharCodeMap(), names = getGlyphsUnicode();
          for (const [charCode, name] of properties.differences ?? []) {
            const told = properties.toUnicode.get(charCode);
            const meaning = told === "\ufffd" || told === "\0" ? meaningOfGlyphName(name, names) : undefined;
            if (meaning !== undefined) named.set(charCode, meaning);
          }
          if (named.size > 0) properties.toUnicode.amend(named);
        }
`
  ),
  after(
    "    const mapping = font.getGlyphMapping(properties);\n",
    String.raw`    if (properties.composite && font instanceof CFFFont && !font.cff.isCIDFont) {
      const names = font.getCharset();
      addMeaningsOfGlyphs(properties, mapping, glyphId => names[glyphId]);
    }
`
  ),
  before(
    "    if (!charCodeToGlyphId.size) {\n      charCodeToGlyphId.set(0, 0);\n",
    String.raw`    if (properties.composite || properties.hasIncludedToUnicodeMap) {
      let characters;
      const characterOf = glyphId => {
        if (characters === undefined) {
          characters = new Map();
          const table = tables.cmap && !isOpenTypeFile(new Stream(font.bytes ?? new Uint8Array(4))) ? readCmapTable(tables.cmap, font, false, true, numGlyphs) : undefined;
          const isUnicode = table && (table.platformId === 0 || table.platformId === 3 && (table.encodingId === 1 || table.encodingId === 10));
          for (const { charCode, glyphId: id } of isUnicode ? table.mappings : []) {
            if (charCode >= 0x20 && charCode <= 0x10ffff && !characters.has(id)) characters.set(id, String.fromCodePoint(charCode));
          }
        }
        return characters.get(glyphId);
      };
      addMeaningsOfGlyphs(properties, charCodeToGlyphId, glyphId => properties.glyphNames?.[glyphId], characterOf);
    }
`
  ),
  {
    find: String.raw`      let code = 0;
      switch (glyphName[0]) {
        case "G":`,
    replace: String.raw`      if (glyphName.indexOf("_") > 0 || glyphName.indexOf(".") > 0) {
        const meaning = meaningOfGlyphName(glyphName, glyphsUnicodeMap);
        if (meaning !== undefined) {
          toUnicode.set(+charcode, meaning);
          continue;
        }
      }
      let code = 0;
      switch (glyphName[0]) {
        case "G":`
  },
  after(
    "    this.isMonospace = !!(properties.flags & FontFlags.FixedPitch);\n",
    "    this.hasIncludedToUnicodeMap = !!properties.hasIncludedToUnicodeMap;\n"
  ),
  {
    find: "      warn(e);\n      this.fallbackToSystemFont(properties);\n",
    replace: String.raw`      warn(e);
      if (!properties.hasIncludedToUnicodeMap && !properties.hasEncoding) {
        this.damage = String(e?.message ?? e);
      }
      this.fallbackToSystemFont(properties);
`
  }
]

// A soft hyphen that is drawn is a hyphen: one that is meant to be invisible would not have been set.
const glyphs: ReadonlyArray<Patch> = [
  {
    find: String.raw`    let isInFont = this.toFontChar.has(charcode);
`,
    replace: String.raw`    let isInFont = this.toFontChar.has(charcode);
    if (unicode === "\xad" && width !== 0) {
      unicode = "-";
    }
    let isKnown = this.toUnicode.has(charcode);
    if (this.missingFile && isInFont && !isKnown && this.toFontChar.get(charcode) >= 0x20) {
      unicode = String.fromCodePoint(this.toFontChar.get(charcode));
      isKnown = true;
    }
    if (isKnown && this.composite && !this.hasIncludedToUnicodeMap && !this.missingFile && this.toUnicode instanceof IdentityToUnicodeMap) {
      isKnown = false;
    }
    if (!isKnown && !this.composite) {
      const name = this.isType3Font ? this.toFontChar.get(charcode) : undefined;
      isKnown = charcode === 0x20 || !(this.isType3Font ? name && name !== ".notdef" && name !== "space" : isInFont && charcode > 0x0d);
    }
    if (unicode === "\ufffd" || unicode === "\0") {
      isKnown = width === 0;
    }
`
  },
  after("    this.#glyphCache.set(charcode, glyph);\n", "    glyph.isKnown = isKnown;\n")
]

// A font that lacks a key, or has one of a wrong type, is read without it.
const repairs: ReadonlyArray<Patch> = [
  before(
    "class TranslatedFont {",
    String.raw`
async function repairedFont(evaluator, font, reason) {
  const xref = evaluator.xref;
  const isComposite = isName(font.get("Subtype"), "Type0");
  const name = font.get("BaseFont") instanceof Name ? font.get("BaseFont") : Name.get("Helvetica");
  const kept = ["ToUnicode", "FirstChar", "LastChar", "Widths", "Encoding", "FontDescriptor"];
  for (const keys of isComposite ? [["ToUnicode", "Encoding"], ["ToUnicode"]] : [kept, kept.slice(0, 5), kept.slice(0, 4), []]) {
    const dict = new Dict(xref);
    dict.loadedName = font.loadedName;
    dict.set("Type", Name.get("Font"));
    dict.set("Subtype", Name.get(isComposite ? "Type0" : isName(font.get("Subtype"), "TrueType") ? "TrueType" : "Type1"));
    dict.set("BaseFont", name);
    for (const key of keys) {
      if (font.has(key)) dict.set(key, font.getRaw(key));
    }
    if (isComposite) {
      if (!keys.includes("Encoding")) dict.set("Encoding", Name.get("Identity-H"));
      const descendant = new Dict(xref);
      descendant.set("Type", Name.get("Font"));
      descendant.set("Subtype", Name.get("CIDFontType2"));
      descendant.set("BaseFont", name);
      dict.set("DescendantFonts", [descendant]);
    }
    try {
      const repaired = await evaluator.translateFont(evaluator.preEvaluateFont(dict));
      repaired.damage = String(reason?.message ?? reason);
      return repaired;
    } catch (ex) {
      warn("repairedFont: " + ex);
    }
  }
  return null;
}
`
  ),
  {
    find:
      String.raw`      warn(` +
      '`loadFont - preEvaluateFont failed: "${reason}".`' +
      String.raw`);
      return errorFont();`,
    replace: String.raw`      warn("loadFont - preEvaluateFont failed: " + reason);
      if (!this.options.ignoreErrors) {
        return errorFont();
      }
      font.loadedName ??= this.idFactory.getDocId() + "_" + this.idFactory.createFontId();
      return font.repairing ??= repairedFont(this, font, reason).then(repaired => new TranslatedFont({
        loadedName: font.loadedName,
        font: repaired ?? new ErrorFont(reason?.message),
        dict: font
      }));`
  },
  {
    find:
      String.raw`    }).catch(reason => {
      warn(` +
      '`loadFont - translateFont failed: "${reason}".`' +
      String.raw`);
      resolve(new TranslatedFont({
        loadedName: font.loadedName,
        font: new ErrorFont(reason?.message),`,
    replace: String.raw`    }).catch(async reason => {
      warn("loadFont - translateFont failed: " + reason);
      const repaired = this.options.ignoreErrors ? await repairedFont(this, font, reason) : null;
      resolve(new TranslatedFont({
        loadedName: font.loadedName,
        font: repaired ?? new ErrorFont(reason?.message),`
  }
]

export const fontPatches: ReadonlyArray<Patch> = [...meanings, ...glyphs, ...repairs]
