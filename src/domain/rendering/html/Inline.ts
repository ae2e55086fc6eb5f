import type { LayoutLine } from "../../document/PageLayout.ts"
import type { Compounds, RenderOptions } from "../RenderOptions.ts"
import { safeLink } from "../SafeLink.ts"
import { runsOf, type TextRun } from "../TextRuns.ts"
import { escapeHtml } from "./Escape.ts"

const wrap = (tag: string, isWanted: boolean, html: string): string => (isWanted ? `<${tag}>${html}</${tag}>` : html)

interface Shown extends Pick<RenderOptions, "emphasis"> {
  /** Whether raised signs and letters of one width are marked, as they are unless this is false. */
  readonly signs?: boolean
}

const htmlRun = ({ bold, italic, link, mono, raised, text }: TextRun, { emphasis, signs = true }: Shown): string => {
  const styled = wrap(
    "strong",
    emphasis && bold,
    wrap("em", emphasis && italic, wrap("code", signs && mono, wrap("sup", signs && raised, escapeHtml(text))))
  )
  const target = link === undefined ? undefined : safeLink(link)
  return target === undefined ? styled : `<a href="${escapeHtml(target)}" rel="nofollow noopener">${styled}</a>`
}

/** The lines as one text, escaped, with links, raised signs and, if wanted, emphasis. */
export const inlineHtml = (lines: ReadonlyArray<LayoutLine>, compounds: Compounds, shown: Shown): string =>
  runsOf(lines, compounds)
    .map((run) => htmlRun(run, shown))
    .join("")
