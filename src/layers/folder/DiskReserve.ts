/**
 * Disk space reserved for operations that free space.
 *
 * With less than `MIN_FREE_BYTES` of free space nothing more is accepted and no document is begun. Other programs may fill the
 * disk all the same; so a file (`reserve`) holds some more space, which is given up when a removal, a cancellation or a start
 * would fail without it, and taken again as soon as it fits.
 */
import { open, rm, stat, statfs, type Stats, type StatsFs, write } from "node:fs"
import { join } from "node:path"
import { ByteSize, Clock, Config, Effect, Schedule } from "effect"
import { byteSize } from "../../services/config/ConfigValues.ts"
import { call, closeFile, fileMode, syncFile } from "../blobs/Files.ts"

/** `MIN_FREE_BYTES`. */
export const MinFreeBytes = byteSize("MIN_FREE_BYTES").pipe(Config.withDefault(ByteSize.mebibytes(128)))

const mib = 1024 * 1024
/** Size of the file: an eighth of what is to stay free, from 1 to 16 MiB. */
const reserveSize = (least: number) => Math.min(16 * mib, Math.max(mib, Math.floor(least / 8)))

/** Bytes that stay free when the reserve is taken, so that the reserve does not fill the disk itself. */
const leastLeft = 256 * 1024

/** How old a measurement may be. */
const measureMillis = 250
const takeEvery = "5 seconds"

export const freeAt = (directory: string) =>
  Effect.map(
    call<StatsFs>((done) => statfs(directory, done)),
    ({ bavail, bsize }) => bavail * bsize
  )

const removeFile = (path: string) => call((done) => rm(path, { force: true }, (error) => done(error)))

/** Writes real bytes: a hole in a file reserves nothing. */
const fill = (path: string, size: number) =>
  Effect.acquireUseRelease(
    call<number>((done) => open(path, "w", fileMode, done)),
    Effect.fnUntraced(function* (descriptor) {
      const chunk = new Uint8Array(mib)
      for (let at = 0; at < size; at += chunk.length) {
        yield* call<number>((done) => write(descriptor, chunk, 0, Math.min(chunk.length, size - at), at, done))
      }
      yield* syncFile(descriptor)
    }),
    closeFile
  ).pipe(
    // Half a reserve would take space that other programs need.
    Effect.onError(() => Effect.ignore(removeFile(path)))
  )

export interface Space {
  readonly free: number
  readonly least: number
}

export interface DiskReserve {
  /** Free bytes, and how many have to stay free. Undefined where the system does not report them. */
  readonly space: Effect.Effect<Space | undefined>
  /** Runs the effect. If it fails while the disk is full, gives up the reserve and runs it once more. */
  readonly makingRoom: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Keeps the reserve as long as the scope lives; the file stays beyond it. */
export const make = Effect.fnUntraced(function* (directory: string, minFree: ByteSize.ByteSize) {
  const least = ByteSize.toNumberUnsafe(minFree)
  const size = reserveSize(least)
  const path = join(directory, "reserve")
  let held = false
  let given = false
  let measured: { readonly at: number; readonly free: number } | undefined

  const measure = Effect.map(Effect.all([Clock.currentTimeMillis, freeAt(directory)]), ([at, free]) => {
    measured = { at, free }
    return free
  })
  const measuredSpace = measure.pipe(
    Effect.map((free): Space | undefined => ({ free, least })),
    Effect.orElseSucceed(() => undefined)
  )
  // Every submission asks, most of them within the age of a measurement.
  const space = Effect.clockWith((clock): Effect.Effect<Space | undefined> => {
    const age = measured === undefined ? undefined : Math.abs(clock.currentTimeMillisUnsafe() - measured.at)
    return measured === undefined || age === undefined || age >= measureMillis
      ? measuredSpace
      : Effect.succeed({ free: measured.free, least })
  })

  const give = Effect.suspend(() => {
    held = false
    given = true
    measured = undefined
    return Effect.ignore(removeFile(path))
  })

  /** A reserve that is there from before is not written anew at every start. */
  const isThere = call<Stats>((done) => stat(path, done)).pipe(
    Effect.map((stats) => stats.size === size),
    Effect.orElseSucceed(() => false)
  )

  const take = Effect.gen(function* () {
    if (held) return
    if (!(yield* isThere)) {
      if ((yield* measure) < size + leastLeft) return
      yield* fill(path, size)
    }
    held = true
  }).pipe(Effect.ignore)

  // A start writes before it checks the space: that has to fit, too.
  const atStart = yield* space
  if (atStart !== undefined && atStart.free < size) {
    yield* give
    yield* Effect.logWarning("the disk of the data folder is full: only removals and cancellations work").pipe(
      Effect.annotateLogs({ directory, freeBytes: atStart.free })
    )
  }
  // Reserves what removals have freed, for the next start.
  yield* Effect.addFinalizer(() => (given ? take : Effect.void))
  // Nothing waits for the reserve: as long as there is room, it is not needed.
  yield* take.pipe(Effect.repeat(Schedule.spaced(takeEvery)), Effect.forkScoped)

  const reserve: DiskReserve = {
    space,
    makingRoom: (effect) =>
      Effect.catch(effect, (error) =>
        Effect.flatMap(
          Effect.orElseSucceed(measure, () => Number.POSITIVE_INFINITY),
          (free) => (free < size ? Effect.andThen(give, effect) : Effect.fail(error))
        )
      )
  }
  return reserve
})
