/**
 * Loaded into a service's main process: answers every message of its parent with the delays of the event loop since the
 * one before, in milliseconds. As JavaScript, or Node would load what strips types, which the service need not have in memory.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"

const resolution = 10
const delays = monitorEventLoopDelay({ resolution })
delays.enable()

// The probe measures the whole time between two of its ticks, so an idle loop shows its resolution.
/** @param {number} nanos */
const millis = (nanos) => Math.max(0, nanos / 1e6 - resolution)

process.on("message", () => {
  process.send?.({ p50: millis(delays.percentile(50)), p99: millis(delays.percentile(99)), max: millis(delays.max) })
  delays.reset()
})
// Nothing of this keeps the process alive.
process.channel?.unref()
