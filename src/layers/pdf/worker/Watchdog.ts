// A thread beside the reading thread of a page worker. The reading thread may spin for ever, so it cannot be trusted to
// notice that its engine is gone: this thread does, and ends the process, so that no orphan burns a processor. Where the
// system has no memory limit for the process, the resident size stands in for it.
import { writeSync } from "node:fs"
import { workerData } from "node:worker_threads"

const { parentPid, memoryBytes }: { readonly parentPid: number; readonly memoryBytes: number } = workerData

const parentIsGone = (): boolean => {
  if (process.ppid !== parentPid) return true
  if (process.platform !== "win32") return false
  // A process keeps the id of a dead parent there.
  try {
    process.kill(parentPid, 0)
    return false
  } catch {
    return true
  }
}

const check = (): void => {
  if (parentIsGone()) process.kill(process.pid, "SIGKILL")
  const rss = process.memoryUsage.rss()
  if (rss > memoryBytes) {
    writeSync(2, `out of memory: ${rss} bytes are resident and ${memoryBytes} are allowed\n`)
    process.kill(process.pid, "SIGKILL")
  }
}

check()
setInterval(check, 250)
