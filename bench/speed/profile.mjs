/**
 * Loaded into a service's main process: on `{"profile":"start"}` of its parent it begins to profile the processor, and on any other
 * message it answers with where the time went: functions with their own share of all samples that were not idle, greatest first.
 */
import { Session } from "node:inspector"

const session = new Session()
session.connect()

/** @param {string} method @returns {Promise<any>} */
const post = (method) =>
  new Promise((resolve, reject) => {
    session.post(method, (error, result) => (error === null ? resolve(result) : reject(error)))
  })

/** @param {string} url */
const short = (url) =>
  url.replace(/^file:\/\//, "").replace(/^.*\/(node_modules|src)\//, (_, folder) => (folder === "src" ? "src/" : ""))

const idle = new Set(["(idle)", "(root)"])
const most = 40

const stop = async () => {
  const { profile } = await post("Profiler.stop")
  const names = new Map(
    profile.nodes.map((/** @type {any} */ { callFrame, id }) => [
      id,
      `${callFrame.functionName || "(anonymous)"}${callFrame.url === "" ? "" : ` ${short(callFrame.url)}:${callFrame.lineNumber + 1}`}`
    ])
  )
  /** @type {Map<string, number>} */
  const micros = new Map()
  let all = 0
  profile.samples.forEach((/** @type {number} */ id, /** @type {number} */ index) => {
    const name = names.get(id) ?? ""
    if (idle.has(name)) return
    const took = profile.timeDeltas[index] ?? 0
    micros.set(name, (micros.get(name) ?? 0) + took)
    all += took
  })
  const costs = [...micros].sort((a, b) => b[1] - a[1]).slice(0, most)
  return costs.map(([name, took]) => ({ name, share: took / all }))
}

process.on("message", async (/** @type {{ profile?: string }} */ { profile }) => {
  if (profile === "start") {
    await post("Profiler.enable")
    await post("Profiler.start")
    process.send?.({ costs: [] })
  } else process.send?.({ costs: await stop() })
})
// Nothing of this keeps the process alive.
process.channel?.unref()
