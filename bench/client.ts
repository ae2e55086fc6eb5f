/** Uploads small files over a number of connections for some seconds, and tells its parent how that went. */
import { Agent, request } from "node:http"
import { prosePdf } from "./material.ts"

const [url = "", connections = "1", seconds = "1"] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
const file = Buffer.from(prosePdf(1, 0))
// Bytes behind the end of a PDF are ignored, and make every file another one.
const distinct = () => Buffer.concat([file, Buffer.from(`\n% ${process.pid} ${count++}\n`)])
const end = performance.now() + Number(seconds) * 1000
const latencies: Array<number> = []
let count = 0

const upload = (tenant: string) =>
  new Promise<void>((resolve, reject) => {
    const start = performance.now()
    const headers = { "content-type": "application/pdf", "x-tenant-id": tenant }
    const sent = request(`${url}/v1/documents`, { agent, method: "POST", headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 202) latencies.push(performance.now() - start)
        resolve()
      })
    })
    sent.on("error", reject).end(distinct())
  })

const loop = async (connection: number) => {
  while (performance.now() < end) await upload(`tenant-${connection % 20}`)
}

await Promise.all(Array.from({ length: Number(connections) }, (_, connection) => loop(connection)))
latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN
process.send?.({ perSecond: latencies.length / Number(seconds), p50: at(0.5), p99: at(0.99) })
process.disconnect()
agent.destroy()
