import * as CliOutput from "effect/cli/CliOutput"
import * as DateTime from "effect/DateTime"

/** Makes control characters visible: names and messages are untrusted and could otherwise control the terminal. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\u{fffd}")

/** Cuts the text to the width of a terminal, so that it takes one line. */
export const fitted = (text: string, columns: number): string => {
  if (CliOutput.displayWidth(text) <= columns) return text
  let shown = ""
  for (const character of text) {
    if (CliOutput.displayWidth(shown + character) >= columns) break
    shown += character
  }
  return `${shown}…`
}

/** Pads or cuts the text to that many columns. */
export const column = (text: string, columns: number): string => {
  const shown = fitted(text, columns)
  return shown + " ".repeat(Math.max(0, columns - CliOutput.displayWidth(shown)))
}

export const bar = (done: number, all: number, columns = 20): string => {
  const filled = all <= 0 ? 0 : Math.min(columns, Math.floor((done / all) * columns))
  return "█".repeat(filled) + "░".repeat(columns - filled)
}

/** Removes a full stop at the end, so that the sentence can be continued. */
export const unstopped = (text: string): string => text.trim().replace(/(?<!\.)\.$/, "")

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** The time of day in UTC, as the interface gives it. */
export const clock = (time: DateTime.Utc): string => DateTime.formatIso(time).slice(11, 19)

/** The same with its date, unless the date is `day`. */
export const moment = (time: DateTime.Utc, day: DateTime.Utc | undefined): string => {
  const date = DateTime.formatIsoDateUtc(time)
  return day !== undefined && date === DateTime.formatIsoDateUtc(day) ? clock(time) : `${date} ${clock(time)}`
}

/** `label   value`, with the values below one another. */
export const table = (
  rows: ReadonlyArray<readonly [label: string, value: string | undefined]>
): ReadonlyArray<string> => {
  const shown = rows.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const]))
  const width = Math.max(...shown.map(([label]) => label.length))
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${printable(value)}`)
}
