import { createRequire } from "node:module"
import { DatabaseSync } from "node:sqlite"

/** Undefined when the package is not installed, or has no binary for this system: there are no vectors then. */
const vectorsPath = (): string | undefined => {
  try {
    const loaded: unknown = createRequire(import.meta.url)("sqlite-vec")
    if (typeof loaded !== "object" || loaded === null || !("getLoadablePath" in loaded)) return undefined
    const { getLoadablePath } = loaded
    const path: unknown = typeof getLoadablePath === "function" ? getLoadablePath() : undefined
    return typeof path === "string" ? path : undefined
  } catch {
    return undefined
  }
}

export interface OpenDatabase {
  readonly database: DatabaseSync
  readonly hasVectors: boolean
}

/** Whether the connection has vectors. */
const prepare = (database: DatabaseSync, readOnly: boolean): boolean => {
  const path = vectorsPath()
  let hasVectors = false
  if (path !== undefined) {
    try {
      database.loadExtension(path)
      hasVectors = true
    } catch {
      hasVectors = false
    }
  }
  database.enableLoadExtension(false)
  database.exec("PRAGMA busy_timeout = 10000; PRAGMA cache_size = -32768; PRAGMA mmap_size = 268435456")
  // The index can be made again, so that a power cut may cost its last commits.
  if (!readOnly) database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON")
  return hasVectors
}

/** Opens the file, and makes it unless it is only read. */
export const openIndex = (filename: string, readOnly: boolean): OpenDatabase => {
  const database = new DatabaseSync(filename, { allowExtension: true, readOnly })
  try {
    return { database, hasVectors: prepare(database, readOnly) }
  } catch (error) {
    database.close()
    throw error
  }
}
