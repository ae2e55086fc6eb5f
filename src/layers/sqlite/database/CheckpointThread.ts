// The thread that brings the write-ahead log into the database. It answers every request with how far it came, or with the
// reason why it did not, and holds nothing between two requests.
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"

const { filename }: { readonly filename: string } = workerData

const database = new DatabaseSync(filename)
// The syncs of a checkpoint are those of the connection that makes it.
database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0")

const checkpoint = (): unknown => {
  try {
    // Passive: it waits for no other connection, and no other waits for it.
    const { checkpointed, log } = database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() ?? {}
    return { pages: log, copied: checkpointed }
  } catch (error) {
    return String(error)
  }
}

parentPort?.on("message", (message) => {
  if (message === "checkpoint") {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    parentPort?.postMessage(checkpoint())
    return
  }
  database.close()
  parentPort?.close()
})
