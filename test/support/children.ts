import { execFileSync } from "node:child_process"

interface Running {
  readonly pid: number
  readonly parent: number
  readonly title: string
}

const running = (): ReadonlyArray<Running> =>
  execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => {
      const [pid, parent, title = ""] = line.trim().split(/\s+/)
      return { pid: Number(pid), parent: Number(parent), title }
    })

/** The processes with this title that this process started, itself or through others. */
export const childrenTitled = (title: string): ReadonlyArray<number> => {
  const all = new Map(running().map((process) => [process.pid, process]))
  const isOurs = (pid: number, depth = 0): boolean => {
    const parent = all.get(pid)?.parent
    return parent === process.pid || (parent !== undefined && parent > 1 && depth < 8 && isOurs(parent, depth + 1))
  }
  return Array.from(all.values()).flatMap((child) => (child.title === title && isOurs(child.pid) ? [child.pid] : []))
}
