/** The lines of a JSON text on which its names and items stand, by their paths; and names that an object has twice. */
export interface JsonPlaces {
  /** The line of the path, or of the longest part of it that is there; the first line has number 1. */
  readonly lineOf: (path: ReadonlyArray<PropertyKey>) => number
  readonly twice: ReadonlyArray<{ readonly path: string; readonly line: number }>
}

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

interface Level {
  readonly kind: "object" | "array"
  readonly names: Set<string>
  key: string | number
  awaitsName: boolean
}

const pathKey = (path: ReadonlyArray<PropertyKey>): string => path.map(String).join("\0")

/** Walks through the tokens of a text that is known to be JSON. */
export const jsonPlaces = (text: string): JsonPlaces => {
  const lines = new Map<string, number>()
  const twice: Array<{ readonly path: string; readonly line: number }> = []
  const levels: Array<Level> = []
  let line = 1
  let at = 0

  const note = () => lines.set(pathKey(levels.map(({ key }) => key)), line)

  for (const match of text.matchAll(token)) {
    for (; at < match.index; at++) if (text[at] === "\n") line++
    const [piece] = match
    const top = levels.at(-1)
    if (piece === "," && top !== undefined) {
      if (typeof top.key === "number") top.key++
      else top.awaitsName = true
    } else if (piece === "}" || piece === "]") levels.pop()
    else if (top?.kind === "object" && top.awaitsName && piece.startsWith('"')) {
      top.key = String(JSON.parse(piece))
      top.awaitsName = false
      const path = levels.map(({ key }) => key).join(".")
      if (top.names.has(top.key)) twice.push({ path, line })
      top.names.add(top.key)
      note()
    } else if (piece !== ":") {
      if (top?.kind === "array") note()
      if (piece === "{") levels.push({ kind: "object", names: new Set(), key: "", awaitsName: true })
      if (piece === "[") levels.push({ kind: "array", names: new Set(), key: 0, awaitsName: false })
    }
  }

  return {
    twice,
    lineOf: (path) => {
      for (let length = path.length; length > 0; length--) {
        const found = lines.get(pathKey(path.slice(0, length)))
        if (found !== undefined) return found
      }
      return 1
    }
  }
}
