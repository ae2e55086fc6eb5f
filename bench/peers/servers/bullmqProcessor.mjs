// A sandboxed processor: it runs in a child process of its own, and reads PDFs with the very modules of Sluice's page
// workers, so that the pages are the same. What those make quicker in pdf.js itself may be left out (libraryPdfJs.mjs). Results go straight to Redis, all pages of a job in one durable command.
import { FlowProducer } from "bullmq"
import { Effect } from "effect"
import { Redis } from "ioredis"
import { makeDocumentCache } from "../../../src/layers/pdf/worker/DocumentCache.ts"
import { warmUp } from "../../../src/layers/pdf/worker/WarmUp.ts"
import { documentKey, pagesKey, processedKey, queueName } from "./keys.mjs"

/** Pages that pdf.js reads side by side in one process. */
const concurrency = 3

const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT) }
const redis = new Redis(connection)
const flows = new FlowProducer({ connection })

// As many and as much as a page worker of Sluice holds open.
const held = makeDocumentCache(8, 125 * 1024 * 1024)

/** @param {{ id: string, path: string }} document */
const open = ({ id, path }) =>
  held.get({ _tag: "Open", key: id, password: undefined }, { _tag: "File", path, hash: /** @type {any} */ (undefined) })

/** @param {number} first @param {number} last */
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

/**
 * @param {import("../../../src/layers/pdf/worker/Reader.ts").PdfReader} reader
 * @param {ReadonlyArray<number>} numbers
 */
const readPages = async (reader, numbers) => {
  const results = await Effect.runPromise(Effect.forEach(numbers, reader.readPage, { concurrency }))
  return results.flatMap((result) => [String(result.number), JSON.stringify(result)])
}

/**
 * A document of more pages than a job should have becomes a flow: jobs of a range of pages each, and one for its end.
 *
 * @param {{ id: string, path: string, pagesPerJob: number }} document
 */
const readDocument = async (document) => {
  const { id, pagesPerJob, path } = document
  const reader = await Effect.runPromise(open(document))
  const { pageCount, ...description } = await Effect.runPromise(reader.describe)
  const fields = ["pages", pageCount, "description", JSON.stringify(description)]

  if (pageCount <= pagesPerJob) {
    const pages = await readPages(reader, range(1, pageCount))
    await redis
      .multi()
      .hset(pagesKey(id), ...pages)
      .hset(documentKey(id), "status", "completed", ...fields)
      .incr(processedKey)
      .exec()
    await Effect.runPromise(held.forget(id))
    return
  }

  await redis.hset(documentKey(id), "status", "running", ...fields)
  // One level only, so the parent is the first to wait and the last to run.
  const starts = range(0, Math.ceil(pageCount / pagesPerJob) - 1).map((index) => index * pagesPerJob + 1)
  const options = { attempts: 3, removeOnComplete: true, removeOnFail: 1000 }
  await flows.add({
    name: "end",
    queueName,
    data: { id },
    opts: options,
    children: starts.map((first) => ({
      name: "pages",
      queueName,
      data: { id, path, first, last: Math.min(first + pagesPerJob - 1, pageCount) },
      opts: { ...options, failParentOnFailure: true }
    }))
  })
}

/** @param {{ id: string, path: string, first: number, last: number }} part */
const readPart = async (part) => {
  const reader = await Effect.runPromise(open(part))
  await redis.hset(pagesKey(part.id), ...(await readPages(reader, range(part.first, part.last))))
}

/** @param {{ id: string }} document */
const endDocument = async ({ id }) => {
  await redis.multi().hset(documentKey(id), "status", "completed").incr(processedKey).exec()
}

await Effect.runPromise(warmUp)

/** @param {import("bullmq").SandboxedJob} job */
const processJob = async (job) => {
  if (job.name === "document") await readDocument(job.data)
  else if (job.name === "pages") await readPart(job.data)
  else await endDocument(job.data)
}

export default processJob
