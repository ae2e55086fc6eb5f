// How long a process was ready to run and waited for a processor, as the system reports it.
import { closeSync, openSync, readSync } from "node:fs"

/** Of the first thread of a process, which is the one that reads pages: milliseconds since its start. */
export interface ProcessorUse {
  /** By the monotonic clock. */
  readonly at: number
  readonly usedMillis: number
  /** Spent ready to run; undefined where the system does not count it. */
  readonly delayedMillis: number | undefined
  /** It has work to do, and runs or waits for a processor just now. */
  readonly isRunnable: boolean
}

/** The unit in which Linux reports processor time. */
const tickMillis = 10
/** Where only used time is known, this share of the other time counts as waited. */
const doubtfulShare = 0.1

const buffer = Buffer.alloc(1024)

const readText = (descriptor: number): string | undefined => {
  try {
    return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0))
  } catch {
    // It has ended.
    return undefined
  }
}

const openOrNone = (path: string): number | undefined => {
  try {
    return openSync(path, "r")
  } catch {
    return undefined
  }
}

/** What stands behind the name in /proc/<pid>/stat; the name may have spaces and brackets of its own. */
const statFields = (stat: string): ReadonlyArray<string> => stat.slice(stat.lastIndexOf(")") + 2).split(" ")

export interface ProcessorMeter {
  /** Undefined where the system does not report it. */
  readonly read: () => ProcessorUse | undefined
  readonly close: () => void
}

/** Its files stay open: they are those of this process also when its id belongs to another. */
export const makeProcessorMeter = (pid: number): ProcessorMeter => {
  const schedstat = openOrNone(`/proc/${pid}/schedstat`)
  const stat = openOrNone(`/proc/${pid}/stat`)
  let closed = false
  return {
    read: () => {
      const line = closed || stat === undefined ? undefined : readText(stat)
      if (line === undefined) return undefined
      const fields = statFields(line)
      const isRunnable = fields[0] === "R"
      const [used, delayed] =
        schedstat === undefined
          ? []
          : (readText(schedstat)
              ?.split(" ", 2)
              .map((nanos) => Number(nanos) / 1e6) ?? [])
      const at = performance.now()
      return used === undefined || delayed === undefined
        ? {
            at,
            usedMillis: (Number(fields[11]) + Number(fields[12])) * tickMillis,
            delayedMillis: undefined,
            isRunnable
          }
        : { at, usedMillis: used, delayedMillis: delayed, isRunnable }
    },
    close: () => {
      if (closed) return
      closed = true
      for (const descriptor of [schedstat, stat]) if (descriptor !== undefined) closeSync(descriptor)
    }
  }
}

/**
 * Milliseconds between two measurements that were spent waiting for a processor. The system adds up a wait when it is over;
 * while the process is in one, all that it did not use counts as waited. Time asleep, blocked or stopped does not count.
 */
export const waitedBetween = (earlier: ProcessorUse, later: ProcessorUse): number => {
  const elapsed = later.at - earlier.at
  const unused = elapsed - (later.usedMillis - earlier.usedMillis)
  const waited = later.isRunnable
    ? unused
    : later.delayedMillis === undefined || earlier.delayedMillis === undefined
      ? unused * (1 - doubtfulShare)
      : later.delayedMillis - earlier.delayedMillis
  return Math.min(Math.max(0, waited), elapsed)
}

export interface ProcessorWaits {
  /** 0 until it is known. */
  readonly pid: () => number
  /** The wait from now on, in milliseconds; 0 where it is not known. */
  readonly fromNow: () => () => number
  readonly sinceStart: () => number
  readonly close: () => void
}

/** Of a process that was just started, whose id becomes known later. */
export const makeProcessorWaits = (onPid: (listener: (pid: number) => void) => void): ProcessorWaits => {
  const atStart: ProcessorUse = { at: performance.now(), usedMillis: 0, delayedMillis: 0, isRunnable: true }
  let pid = 0
  let meter: ProcessorMeter | undefined
  let closed = false
  onPid((known) => {
    pid = known
    if (!closed) meter = makeProcessorMeter(known)
  })
  const since = (earlier: ProcessorUse | undefined) => {
    let waited = 0
    return (): number => {
      const now = earlier && meter?.read()
      // Once the process has ended, the last value stays.
      if (earlier !== undefined && now !== undefined) waited = waitedBetween(earlier, now)
      return waited
    }
  }
  return {
    pid: () => pid,
    fromNow: () => since(meter?.read()),
    sinceStart: since(atStart),
    close: () => {
      closed = true
      meter?.close()
    }
  }
}
