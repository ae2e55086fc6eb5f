// Uploaded files on disk, durable before anybody is told so: the bytes are synced, then the name.
import { randomUUID } from "node:crypto"
import { constants } from "node:fs"
import { mkdir, open } from "node:fs/promises"
import { join } from "node:path"

/** @param {string} folder */
export const openBlobs = async (folder) => {
  await mkdir(folder, { recursive: true })
  const directory = await open(folder, constants.O_RDONLY)

  return {
    /** @param {Uint8Array} bytes */
    put: async (bytes) => {
      const id = randomUUID()
      const path = join(folder, id)
      const file = await open(path, "wx", 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await directory.sync()
      return { id, path }
    }
  }
}
