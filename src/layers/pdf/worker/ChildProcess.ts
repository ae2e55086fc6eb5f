// What a child process of the engine does to stay within its walls, and not to outlive the engine.
import { flushCompileCache, getCompileCacheDir } from "node:module"
import { Worker } from "node:worker_threads"
import { moduleBeside } from "../pool/Protocol.ts"

/** Not by a signal: the first process of a namespace cannot kill itself. */
export const endAtOnce = (): void => process.exit(1)

/** For systems where nothing outside of this process notices that its engine is gone; `parentPid` is 0 on others. */
export const watchEngine = (parentPid: number, memoryBytes: number): void => {
  if (parentPid === 0) return
  const watchdog = new Worker(moduleBeside(import.meta.url, "Watchdog"), {
    workerData: { parentPid, memoryBytes },
    // Without a limit of its own it reserves another 512 MiB for machine code.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, codeRangeSizeMb: 4 }
  })
  watchdog.on("exit", endAtOnce)
  watchdog.unref()
}

/**
 * Keeps what was compiled by now for later processes. From here on this process may write nothing, start no thread and load no
 * native code: the next bytes that it reads are not trusted.
 */
export const giveUpPermissions = (): void => {
  const compiled = getCompileCacheDir()
  if (compiled !== undefined) flushCompileCache()
  // Only there where the permission model is on.
  const { permission } = process
  if (permission === undefined || !("drop" in permission) || typeof permission.drop !== "function") return
  permission.drop("fs.write")
  permission.drop("worker")
  permission.drop("addon")
  if (compiled !== undefined) permission.drop("fs.read", compiled)
}
