/** Uploads small files of one tenant for some seconds, whatever the answers are, and tells its parent how that went. */
import { Agent, request } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { prosePdf } from "./material.ts"

const [url = "", tenant = "", connections = "1", seconds = "1", rest = "0"] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
const file = Buffer.from(prosePdf(1, 0))
const headers = { "content-type": "application/pdf", "x-tenant-id": tenant, "content-length": file.length + 64 }
// Bytes behind the end of a PDF are ignored, and make every file another one.
const distinct = () => Buffer.concat([file, Buffer.from(`\n% ${process.pid} ${count++} `.padEnd(64))])
const end = performance.now() + Number(seconds) * 1000
const latencies: Array<number> = []
const statuses: Record<string, number> = {}
let count = 0

const upload = () =>
  new Promise<void>((resolve, reject) => {
    const start = performance.now()
    const sent = request(`${url}/v1/documents`, { agent, method: "POST", headers }, (response) => {
      response.resume().on("end", () => {
        latencies.push(performance.now() - start)
        const status = String(response.statusCode)
        statuses[status] = (statuses[status] ?? 0) + 1
        resolve()
      })
    })
    sent.on("error", reject).end(distinct())
  })

const loop = async () => {
  while (performance.now() < end) {
    await upload()
    if (rest !== "0") await sleep(Number(rest))
  }
}

await Promise.all(Array.from({ length: Number(connections) }, loop))
latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN
process.send?.({ statuses, perSecond: latencies.length / Number(seconds), p50: at(0.5), p99: at(0.99) })
process.disconnect()
agent.destroy()
