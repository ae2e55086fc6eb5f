import { type FileSystem, Stream } from "effect"
import type { Input, Sending } from "./Target.ts"

/** A file's bytes; reports progress while they are sent. Each new run of the stream counts from zero. */
export const bytesOf = (files: FileSystem.FileSystem, { path, spool }: Input, sending: Sending) =>
  Stream.suspend(() => {
    let sent = 0
    return files.stream(spool ?? path).pipe(
      Stream.tap((chunk) => {
        sent += chunk.length
        return sending.sent(sent)
      })
    )
  })
