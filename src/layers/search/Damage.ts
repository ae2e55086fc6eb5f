// What is done about a file that is damaged. It holds nothing that cannot be made again.
import { rmSync } from "node:fs"
import { damaged } from "./IndexMessages.ts"

const corrupt = 11
const notADatabase = 26
/** The other bits of a code say more of the same error. */
const primary = 0xff

const isDamage = (error: unknown): error is Error =>
  error instanceof Error &&
  "errcode" in error &&
  typeof error.errcode === "number" &&
  [corrupt, notADatabase].includes(error.errcode & primary)

/** Fails with a message that names the damage, if that is why the work fails. */
export const tellingDamage = <A>(work: () => A): A => {
  try {
    return work()
  } catch (error) {
    throw isDamage(error) ? new Error(`${damaged}: ${error.message}`, { cause: error }) : error
  }
}

/** Removes the file. It is not kept: what is removed later would stay readable in it. */
export const discard = (filename: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${filename}${suffix}`, { force: true })
}
