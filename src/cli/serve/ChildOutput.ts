/** Names the runner in each line that it logs: as a field of a JSON line, before any other. */
export const named = (runner: number, line: string): string =>
  line.startsWith("{") && line.endsWith("}") && line.length > 2
    ? `{"runner":${runner},${line.slice(1)}`
    : line.trim() === ""
      ? line
      : `[${runner}] ${line}`

/** A line longer than this is passed on in parts. */
const longest = 1024 * 1024

/** Hands on whole lines of what comes in pieces. */
export const makeLines = (each: (line: string) => void) => {
  let rest = ""
  return {
    push: (text: string) => {
      const lines = (rest + text).split("\n")
      rest = lines.pop() ?? ""
      lines.forEach(each)
      if (rest.length > longest) {
        each(rest)
        rest = ""
      }
    },
    end: () => {
      if (rest !== "") each(rest)
      rest = ""
    }
  }
}
