import { noLines } from "../../../domain/document/Page.ts"
import type { Warning } from "../../../domain/document/Warning.ts"
import type { PageReading } from "../../../services/pipelines/Stage.ts"
import { boundedText } from "../../pdf/worker/TextBounds.ts"

/** Line ends as one sign, no control characters, no half of a character, no blank lines at the ends. */
const cleaned = (text: string): string =>
  text
    .replaceAll(/\r\n?/g, "\n")
    // oxlint-disable-next-line no-control-regex -- a database takes no NUL, and no reader wants the others
    .replaceAll(/[\u0000-\u0008\u000b\u000e-\u001f\u007f]/g, "")
    .toWellFormed()
    .replaceAll(/[ \t]+$/gm, "")
    .replace(/^\n+/, "")
    .trimEnd()

/**
 * What a page shows, of a text alone: nobody has told where on the page it stands, so there are no lines with boxes and no
 * layout.
 */
export const readingOf = (
  text: string
): { readonly reading: PageReading; readonly warnings: ReadonlyArray<Warning> } => {
  const bounded = boundedText({ text: cleaned(text), lines: [] })
  return { reading: { text: bounded.text, lines: noLines }, warnings: bounded.warnings }
}
