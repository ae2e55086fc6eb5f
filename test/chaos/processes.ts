// The process table of Linux: who is whose child, and whether a process is still the one that was meant.
import { readdirSync, readFileSync } from "node:fs"

export interface Process {
  readonly pid: number
  readonly parent: number
  /** In ticks since the machine started. A process id may be given again; together with this it may not. */
  readonly startedAt: string
}

const read = (pid: number): (Process & { readonly state: string }) | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name stands in parentheses and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { pid, state: fields[0] ?? "", parent: Number(fields[1]), startedAt: fields[19] ?? "" }
  } catch {
    return undefined
  }
}

export const childrenOf = (parent: number): ReadonlyArray<Process> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)) ?? [])
    .filter((found) => found.parent === parent)

/** A zombie only waits to be counted by its parent; it runs no more. */
export const isAlive = (known: Process): boolean => {
  const found = read(known.pid)
  return found !== undefined && found.startedAt === known.startedAt && found.state !== "Z"
}

/** Kills exactly this process, or nothing if it is gone. */
export const kill = (known: Process, signal: NodeJS.Signals): void => {
  try {
    if (isAlive(known)) process.kill(known.pid, signal)
  } catch {
    // It ended in between.
  }
}
