// pdf.js has no interface to change how it reads, and silently leaves out what it cannot read. So its worker's source is
// changed as it is loaded: each patch replaces some lines of the one version that this package depends on.

export interface Patch {
  /** Lines that stand in the source exactly once. */
  readonly find: string
  readonly replace: string
}

/** The same lines, with others before or after them. */
export const before = (find: string, added: string): Patch => ({ find, replace: added + find })
export const after = (find: string, added: string): Patch => ({ find, replace: find + added })

/** Throws when a patch does not fit: then the source is another version's, and text would be lost silently. */
export const applyPatches = (source: string, patches: ReadonlyArray<Patch>): string => {
  const places = patches.map(({ find, replace }) => {
    const start = source.indexOf(find)
    if (start < 0) throw new Error(`This version of pdf.js has other lines than: ${find.slice(0, 200)}`)
    return { start, end: start + find.length, replace }
  })
  places.sort((one, other) => one.start - other.start)
  const parts: Array<string> = []
  let done = 0
  for (const { start, end, replace } of places) {
    if (start < done) throw new Error("Two patches of pdf.js change the same lines.")
    parts.push(source.slice(done, start), replace)
    done = end
  }
  parts.push(source.slice(done))
  return parts.join("")
}
