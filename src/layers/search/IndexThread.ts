// A thread with a connection of its own to the index.
import { workerData } from "node:worker_threads"
import { serveCalls } from "../threads/ThreadSide.ts"
import type { IndexCall, IndexThreadData } from "./IndexMessages.ts"
import { discard, tellingDamage } from "./Damage.ts"
import { IndexReader } from "./IndexReader.ts"
import { IndexWriter } from "./IndexWriter.ts"

const { filename, kind }: IndexThreadData = workerData

const writing = (): void => {
  let opened: IndexWriter | undefined
  const answer = (call: IndexCall) => {
    if (call._tag === "renew") {
      opened?.letGo()
      opened = undefined
      discard(filename)
    }
    const writer = (opened ??= new IndexWriter(filename))
    switch (call._tag) {
      case "begin":
        return writer.begin(call.put)
      case "add":
        return writer.add(call.row, call.entries, call.model)
      case "commit":
        return writer.commit(call.row, call.key)
      case "remove":
        return writer.remove(call.key)
      case "purge":
        return writer.purge()
      default:
        return undefined
    }
  }
  serveCalls(
    (call: IndexCall) => tellingDamage(() => answer(call)),
    () => opened?.close()
  )
}

const reading = (): void => {
  let opened: IndexReader | undefined
  const answer = (call: IndexCall) => {
    if (call._tag === "renew") {
      opened?.close()
      opened = undefined
      return undefined
    }
    const reader = (opened ??= new IndexReader(filename))
    switch (call._tag) {
      case "search":
        return reader.search(call.tenant, call.query)
      case "documents":
        return reader.documents(call.after, call.limit)
      case "figures":
        return reader.figures(call.tenant)
      default:
        return undefined
    }
  }
  serveCalls(
    (call: IndexCall) => tellingDamage(() => answer(call)),
    () => opened?.close()
  )
}

if (kind === "writer") writing()
else reading()
