// Fastify, pg-boss and Postgres, as far as accepting goes. The job is the record: one statement, one transaction.
//
//     pgBoss.mjs <Postgres port> <folder> <connections>
import { PgBoss } from "pg-boss"
import { serve } from "./http.mjs"

const [port = "", folder = "", connections = "10"] = process.argv.slice(2)
const boss = new PgBoss({
  host: "127.0.0.1",
  port: Number(port),
  user: "postgres",
  database: "postgres",
  max: Number(connections)
})
boss.on("error", (error) => console.error(error))
await boss.start()
await boss.createQueue("documents")

await serve({
  folder,
  submit: async (document) => {
    await boss.send("documents", document, { retryLimit: 3 })
  },
  status: async () => {
    const { rows } = await boss
      .getDb()
      .executeSql("select count(*)::int as waiting from pgboss.job where name = 'documents'")
    return { queue_size: rows[0].waiting, total_processed: 0, total_failed: 0 }
  },
  close: () => boss.stop({ graceful: false })
})
