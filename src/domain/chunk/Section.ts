// The headings above what is being read.
import type { TokenCounter } from "./Tokens.ts"

/** Of a heading, in a path. */
const longestHeading = 200
export const pathSeparator = " > "

export interface OpenHeading {
  readonly level: number
  readonly text: string
}

/** The headings that stay open under a new one: those of higher levels. */
export const under = (path: ReadonlyArray<OpenHeading>, heading: OpenHeading): ReadonlyArray<OpenHeading> => [
  ...path.filter(({ level }) => level < heading.level),
  { level: heading.level, text: heading.text.slice(0, longestHeading) }
]

/** The path as one line of at most `limit` tokens: the highest headings are left out first. */
export const contextOf = (path: ReadonlyArray<OpenHeading>, limit: number, count: TokenCounter): string => {
  for (let from = 0; from < path.length; from++) {
    const context = path
      .slice(from)
      .map(({ text }) => text)
      .join(pathSeparator)
    if (count(context) <= limit) return context
  }
  return ""
}
