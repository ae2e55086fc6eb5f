// Fastify, graphile-worker and Postgres, as far as accepting goes. The job is the record: one statement, one transaction.
//
//     graphileWorker.mjs <Postgres port> <folder> <connections>
import { makeWorkerUtils } from "graphile-worker"
import { Pool } from "pg"
import { serve } from "./http.mjs"

const [port = "", folder = "", connections = "10"] = process.argv.slice(2)
const pgPool = new Pool({
  host: "127.0.0.1",
  port: Number(port),
  user: "postgres",
  database: "postgres",
  max: Number(connections)
})
pgPool.on("error", (error) => console.error(error))
pgPool.on("connect", (client) => client.on("error", (error) => console.error(error)))
const utils = await makeWorkerUtils({ pgPool })
await utils.migrate()

await serve({
  folder,
  submit: async (document) => {
    await utils.addJob("document", document, { maxAttempts: 3 })
  },
  status: async () => {
    const { rows } = await pgPool.query("select count(*)::int as waiting from graphile_worker.jobs")
    return { queue_size: rows[0].waiting, total_processed: 0, total_failed: 0 }
  },
  close: async () => {
    await utils.release()
    await pgPool.end()
  }
})
