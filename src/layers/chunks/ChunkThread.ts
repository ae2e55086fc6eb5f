// The thread that divides documents. It holds the open jobs: each until its end, or until it is forgotten.
import { workerData } from "node:worker_threads"
import type { TokenCounter } from "../../domain/chunk/Tokens.ts"
import { bytesCounter } from "../../domain/chunk/Tokens.ts"
import { ChunkWork } from "../../services/chunks/ChunkWork.ts"
import { serveCalls } from "../threads/ThreadSide.ts"
import type { ChunkCall, ChunkThreadData } from "./ChunkMessages.ts"

const { tokenizer }: ChunkThreadData = workerData

const countWith = async (): Promise<TokenCounter> => {
  if (tokenizer === "bytes") return bytesCounter
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base").catch(() => {
    throw new Error("the package gpt-tokenizer is not installed: install it, or set CHUNK_TOKENIZER=bytes")
  })
  // What looks like a special token in a text is text.
  const options = { disallowedSpecial: new Set<string>() }
  return (text) => countTokens(text, options)
}

let counter: Promise<TokenCounter> | undefined
const jobs = new Map<number, ChunkWork>()

const jobOf = (job: number): ChunkWork => {
  const work = jobs.get(job)
  if (work === undefined) throw new Error("the thread was started anew meanwhile")
  return work
}

serveCalls(async (call: ChunkCall) => {
  switch (call._tag) {
    case "open":
      counter ??= countWith()
      jobs.set(call.job, new ChunkWork(call.options, await counter))
      return undefined
    case "see":
      return jobOf(call.job).see(call.pages)
    case "seen":
      return jobOf(call.job).seen(call.outline)
    case "divide":
      return jobOf(call.job).divide(call.pages)
    case "end":
      return jobOf(call.job).end()
    case "forget":
      jobs.delete(call.job)
      return undefined
  }
})
