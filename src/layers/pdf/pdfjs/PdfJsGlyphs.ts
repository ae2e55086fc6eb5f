// pdf.js reports text in runs: what it took together, with spaces where it saw some, in the order that it found likely.
// It does not report where a glyph of a run stands, and it drops some characters. The changes to its source in this file
// make it report both. They add to a run and change nothing else of it.

// Joiners are of the category that pdf.js drops as invisible, and so are visible Arabic signs.
const dropped = "isInvisibleFormatMark: !!groups?.[3]"
const kept = "isInvisibleFormatMark: !!groups?.[3] && !/[\\u200c\\u200d\\u0600-\\u0605\\u06dd\\u08e2]/.test(char)"

const firstState = "totalWidth: 0,\n      totalHeight: 0,"
const moreState = `${firstState}\n      places: [],\n      placesLength: 0,\n      blank: false,\n      tracked: 0,`

// A blank glyph is not shown, and is forgotten once another blank has been noted for this gap.
const blank = 'saveLastChar(" ");\n          continue;'
const noted = `textContentItem.blank = true;\n          ${blank}`

const shown = "const glyphUnicode = glyph.unicode;"
const placed = `${shown}
        const step = textChunk.textAdvanceScale;
        const end = font.vertical ? textChunk.totalHeight + textChunk.height * step : textChunk.totalWidth + textChunk.width * step;
        textChunk.places[textChunk.placesLength++] = end - scaledDim * step;
        textChunk.places[textChunk.placesLength++] = end;
        textChunk.places[textChunk.placesLength++] = textChunk.blank ? -1 : textChunk.tracked * step;
        textChunk.blank = false;
        textChunk.tracked = baseCharSpacing * textState.textHScale;`

const reported = "hasEOL: textChunk.hasEOL\n      };"
const reportedWithGlyphs = `hasEOL: textChunk.hasEOL,
        glyphs: bidiResult.str === text && text.length === textChunk.str.length ? undefined : textChunk.str,
        places: textChunk.places.slice(0, textChunk.placesLength)
      };`

const emptied = "textContentItem.initialized = false;\n      textContentItem.str.length = 0;"
const replaced =
  "textContentItem.initialized = false;\n      textContentItem.str = [];\n      textContentItem.placesLength = 0;"

const changes = [
  [dropped, kept],
  [firstState, moreState],
  [blank, noted],
  [shown, placed],
  [reported, reportedWithGlyphs],
  [emptied, replaced]
] as const

/** Whether each place that `reportGlyphs` changes is in the source, once. */
export const canReportGlyphs = (source: string): boolean =>
  changes.every(([before]) => {
    const at = source.indexOf(before)
    return at >= 0 && source.indexOf(before, at + 1) < 0
  })

/**
 * The source of pdf.js's worker, changed so that a run has two more fields. `glyphs` are the characters of each glyph, in the
 * order of the file, with `" "` between where the run has a space; undefined if those are the letters of `str`. `places` has
 * three numbers for each glyph (not for the spaces): where it starts and ends, in user space along the baseline from the start
 * of the run, and the character spacing before it, or -1 if the file has a blank there. Unchanged if the places to change are
 * not found.
 */
export const reportGlyphs = (source: string): string =>
  canReportGlyphs(source)
    ? changes.reduce((text, [before, after]) => text.replace(before, () => after), source)
    : source
