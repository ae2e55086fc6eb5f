// What all peers have in common: Fastify, an upload that is answered with 202 once it is durable, and a queue's status. The
// paths and answers are those of Sluice, so that one client measures all.
import fastify from "fastify"
import { openBlobs } from "./blobs.mjs"

const maxUploadBytes = 200 * 1024 * 1024

/**
 * Listens on a free loopback port and tells the parent process where, and ends when it is told to or when the parent is gone.
 *
 * @param {{
 *   folder: string
 *   submit: (document: { id: string, path: string, tenant: string, pagesPerJob: number }) => Promise<void>
 *   status: () => Promise<{ queue_size: number, total_processed: number, total_failed: number }>
 *   routes?: (app: import("fastify").FastifyInstance) => void
 *   close: () => Promise<unknown>
 * }} peer
 */
export const serve = async ({ close, folder, routes, status, submit }) => {
  const blobs = await openBlobs(folder)
  const app = fastify({ bodyLimit: maxUploadBytes })
  app.addContentTypeParser("application/pdf", { parseAs: "buffer" }, (_request, body, done) => done(null, body))

  app.post("/v1/documents", async (request, reply) => {
    const blob = await blobs.put(request.body)
    // Which of its ways a peer takes to read a document is for the bench to say.
    const pagesPerJob = Number(request.query.pagesPerJob) || 50
    await submit({ ...blob, tenant: String(request.headers["x-tenant-id"]), pagesPerJob })
    return reply.code(202).send({ documents: [{ id: blob.id, status: "queued" }] })
  })
  app.get("/queue/status", status)
  routes?.(app)

  const url = await app.listen({ host: "127.0.0.1", port: 0 })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), 8_000).unref()
    void app
      .close()
      .then(close)
      .finally(() => process.exit(0))
  }
  process.once("SIGTERM", stop)
  process.once("disconnect", stop)
  process.send?.({ url })
}
