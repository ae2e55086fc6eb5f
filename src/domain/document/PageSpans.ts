/** Pages from one number to another, both included. */
export type PageSpan = readonly [from: number, to: number]

/** Adds pages after all others; spans that touch become one. */
export const addSpan = (spans: Array<PageSpan>, from: number, to: number): void => {
  if (from > to) return
  const before = spans.at(-1)
  if (before?.[1] === from - 1) spans[spans.length - 1] = [before[0], to]
  else spans.push([from, to])
}

const longestList = 1_000

/** `3,7-9`; it ends with `,...` where it would be longer than a header may be. */
export const spansText = (spans: ReadonlyArray<PageSpan>): string => {
  let text = ""
  for (const [from, to] of spans) {
    const next = `${text === "" ? "" : ","}${from === to ? from : `${from}-${to}`}`
    if (text.length + next.length > longestList) return `${text},...`
    text += next
  }
  return text
}
