// One Postgres for all test files of a run, in a folder that ends with the run. The first file that needs it starts it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
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
  return () => {
    stop(folder)
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** Ends the server at once: nothing of it is kept. Its keeper ends with it. */
const stop = (folder: string): void => {
  try {
    process.kill(Number(readFileSync(join(folder, "data/postmaster.pid"), "utf8").split("\n")[0]), "SIGQUIT")
  } catch {
    // None was started.
  }
}
