// Fastify, BullMQ and Redis. PDFs are read in BullMQ's sandboxed processors: child processes, as many as there are workers.
//
//     bullmq.mjs <Redis port> <folder> <workers> [<module>]      without workers it only accepts
//
// The module is loaded into each processor before its own.
import { Queue, Worker } from "bullmq"
import { Redis } from "ioredis"
import { serve } from "./http.mjs"
import { documentKey, failedKey, pagesKey, processedKey, queueName } from "./keys.mjs"

const [port = "", folder = "", workers = "0", preload] = process.argv.slice(2)
const connection = { host: "127.0.0.1", port: Number(port) }

const redis = new Redis(connection)
const queue = new Queue(queueName, {
  connection,
  defaultJobOptions: {
    attempts: 3,
    backoff: { type: "exponential", delay: 1000 },
    // What is to be known of a document is kept apart from its job.
    removeOnComplete: true,
    removeOnFail: 1000
  }
})

const worker =
  Number(workers) === 0
    ? undefined
    : new Worker(queueName, new URL("./bullmqProcessor.mjs", import.meta.url), {
        connection,
        concurrency: Number(workers),
        workerForkOptions: {
          execArgv: ["--no-warnings", ...(preload === undefined ? [] : ["--import", preload])],
          env: { ...process.env, REDIS_PORT: port }
        }
      })
worker?.on("failed", (job, error) => {
  if (job !== undefined && job.attemptsMade >= (job.opts.attempts ?? 1)) {
    console.error(`${job.name} ${job.id}: ${error.message}`)
    void redis.multi().hset(documentKey(job.data.id), "status", "failed").incr(processedKey).incr(failedKey).exec()
  }
})
worker?.on("error", (error) => console.error(error))

await serve({
  folder,
  submit: async (document) => {
    await queue.add("document", document, { jobId: document.id })
  },
  status: async () => {
    const [processed, failed] = await redis.mget(processedKey, failedKey)
    return {
      queue_size: await queue.getWaitingCount(),
      total_processed: Number(processed ?? 0),
      total_failed: Number(failed ?? 0)
    }
  },
  routes: (app) => {
    app.get("/v1/documents/:id", async ({ params: { id } }, reply) => {
      const found = await redis.hgetall(documentKey(id))
      if (found.status !== undefined) return { id, status: found.status, progress: { pages: Number(found.pages) } }
      return (await queue.getJob(id)) === undefined ? reply.code(404).send() : { id, status: "queued", progress: {} }
    })
    app.get("/v1/documents/:id/pages", async ({ params: { id }, query: { from = "1", limit = "50" } }) => {
      const numbers = Array.from({ length: Number(limit) }, (_, index) => String(Number(from) + index))
      const found = await redis.hmget(pagesKey(id), ...numbers)
      return { pages: found.flatMap((page) => (page === null ? [] : [JSON.parse(page)])) }
    })
  },
  close: async () => {
    await worker?.close()
    await queue.close()
    redis.disconnect()
  }
})
