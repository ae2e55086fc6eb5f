import { readdirSync, readFileSync } from "node:fs"
import { Effect } from "effect"

const ticksPerSecond = 100

/** Of one process: its parent, and the seconds used by it and by those of its children that have ended, and its own alone. */
const readProcess = (pid: string) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name before it, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const secondsOf = (from: number, to: number) =>
      fields.slice(from, to).reduce((sum, field) => sum + Number(field), 0) / ticksPerSecond
    return [{ pid: Number(pid), parent: Number(fields[1]), seconds: secondsOf(11, 15), own: secondsOf(11, 13) }]
  } catch {
    // It has just ended.
    return []
  }
}

/**
 * Seconds of processor time used so far by these processes and all below them. What others do on the machine hardly
 * changes it. Only Linux tells it this way; elsewhere it is not a number.
 */
export const processorSeconds = (roots: ReadonlyArray<number>) =>
  Effect.sync(() => {
    if (process.platform !== "linux") return Number.NaN
    const all = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap(readProcess)
    const below = new Set(roots)
    for (let size = 0; size !== below.size;) {
      size = below.size
      for (const { parent, pid } of all) if (below.has(parent)) below.add(pid)
    }
    return all.filter(({ pid }) => below.has(pid)).reduce((sum, { seconds }) => sum + seconds, 0)
  })

/** The same of one process alone. */
export const ownProcessorSeconds = (pid: number) =>
  Effect.sync(() => (process.platform === "linux" ? (readProcess(String(pid))[0]?.own ?? Number.NaN) : Number.NaN))
