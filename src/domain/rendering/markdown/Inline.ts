import type { LayoutLine } from "../../document/PageLayout.ts"
import type { Compounds, RenderOptions } from "../RenderOptions.ts"
import { safeLink } from "../SafeLink.ts"
import { runsOf, type TextRun, textOfRuns } from "../TextRuns.ts"
import { escapedPositions, type Place } from "./Escape.ts"

const markerOf = ({ bold, italic }: TextRun): string => `${bold ? "**" : ""}${italic ? "*" : ""}`

const isWordEdge = (character: string | undefined): boolean =>
  character === undefined || /[\s\p{P}\p{S}]/u.test(character)

/** Whether markers around the inside are read as markers: CommonMark looks at the characters on both sides of each. */
const isReadAsMarker = (before: string | undefined, inside: string, after: string | undefined): boolean => {
  const isMark = (character: string | undefined) => character !== undefined && /[\p{P}\p{S}]/u.test(character)
  return (isWordEdge(before) || !isMark(inside[0])) && (isWordEdge(after) || !isMark(inside.at(-1)))
}

const targetOf = ({ link, text }: TextRun): string | undefined => {
  const target = link === undefined ? undefined : safeLink(link)
  // A text that is its own address is a link already.
  return target === undefined || target === text.trim() || target === `${text.trim()}/` ? undefined : target
}

const edges = /^(\s*)(.*?)(\s*)$/s

/** The lines as one line of Markdown. Blanks at the edges of emphasis and links are outside of their marks. */
export const inlineMarkdown = (
  lines: ReadonlyArray<LayoutLine>,
  place: Place,
  compounds: Compounds,
  { emphasis }: Pick<RenderOptions, "emphasis">
): string => {
  const runs = runsOf(lines, compounds)
  const text = textOfRuns(runs)
  const shown = runs.map((run) => ({ run, marker: emphasis ? markerOf(run) : "", target: targetOf(run) }))
  const hasMarkers = shown.some(({ marker, target }) => marker !== "" || target !== undefined)
  const positions = escapedPositions(text, place, hasMarkers)
  let at = 0
  let out = ""
  for (const { marker, run, target } of shown) {
    let inside = ""
    for (let index = 0; index < run.text.length; index++) {
      const character = run.text.charAt(index)
      const isBracket = target !== undefined && (character === "[" || character === "]")
      inside += isBracket || positions.has(at + index) ? `\\${character}` : character
    }
    const [, left = "", middle = "", right = ""] = edges.exec(inside) ?? []
    const before = left === "" ? text[at - 1] : " "
    at += run.text.length
    const marks = middle !== "" && isReadAsMarker(before, middle, right === "" ? text[at] : " ") ? marker : ""
    const marked = `${marks}${middle}${marks}`
    if (target === undefined || middle === "") out += `${left}${marked}${right}`
    // `![` would be an image.
    else out = `${out.replace(/!$/, left === "" ? "\\!" : "!")}${left}[${marked}](${target})${right}`
  }
  return out
}
