// One Postgres for all test files of a run, in a folder that ends with the run. The first file that needs it starts it.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    readonly postgresFolder: string
    readonly runProcess: number
  }
}

export default (project: TestProject) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"))
  project.provide("postgresFolder", folder)
  project.provide("runProcess", process.pid)
  return () => (existsSync(join(folder, "begun")) ? stop(folder) : rmSync(folder, { recursive: true }))
}

/** Ends the server at once: nothing of it is kept. Its keeper then removes the folder. */
const stop = async (folder: string): Promise<void> => {
  try {
    process.kill(Number(readFileSync(join(folder, "data/postmaster.pid"), "utf8").split("\n")[0]), "SIGQUIT")
  } catch {
    // It is still starting, or did not start: the keeper ends it after this process.
    return
  }
  for (let looks = 0; looks < 500 && existsSync(folder); looks++) await setTimeout(20)
}
