import { Effect, Layer, Redacted, References, Stream } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { layer, type PdfEngineOptions } from "../../../src/layers/pdf/PdfEngine.ts"
import type { BlobLocation } from "../../../src/services/BlobStore.ts"
import type { EngineStatus, PdfRef } from "../../../src/services/PdfEngine.ts"
import { PdfEngine } from "../../../src/services/PdfEngine.ts"

/** Deaths are what these tests are about, so their warnings stay out of the report. */
export const engineWith = (options: Partial<PdfEngineOptions>) =>
  Layer.provide(layer(options), Layer.succeed(References.MinimumLogLevel, "None"))

export const twoWorkers = engineWith({ workers: 2 })

export const inMemory = (bytes: Uint8Array): BlobLocation => ({ _tag: "Bytes", bytes })

export const pdfOf = (key: string, location: BlobLocation, password?: string): PdfRef => ({
  key,
  location,
  password: password === undefined ? undefined : Redacted.make(password)
})

export const read = (pdf: PdfRef, pages: ReadonlyArray<number>, concurrency = 3) =>
  PdfEngine.use((engine) => Stream.runCollect(engine.read(pdf, pages, concurrency))).pipe(
    Effect.map((results) => results.toSorted((a, b) => a.number - b.number))
  )

/** Looks again until it holds. There is no event for what happens outside this process; the test's time limit bounds it. */
export const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.sync(holds).pipe(Effect.delay("10 millis"), Effect.repeat({ until: (held) => held }), Effect.asVoid)

export const statusWhen = (holds: (status: EngineStatus) => boolean) =>
  PdfEngine.use((engine) => Effect.delay(engine.status, "10 millis").pipe(Effect.repeat({ until: holds })))

/** Alive, and not only waiting for its parent to look at how it ended. */
export const isRunning = (pid: number): boolean => {
  if (existsSync("/proc/self/stat")) {
    return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(statOf(pid))
  }
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const statOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
  } catch {
    return ") X "
  }
}
