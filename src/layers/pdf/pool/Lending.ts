// The workers of a pool and the callers that wait for one: without effects, so that no step can be interrupted.
import { Deferred, Effect } from "effect"
import type { EngineStatus } from "../../../services/PdfEngine.ts"
import { EngineUnavailable } from "../../../services/PdfEngine.ts"
import { wearOf } from "./Wear.ts"
import type { WorkerProcess } from "./WorkerProcess.ts"

export interface LendingOptions {
  /** Calls worked on at once. One more child is kept warm beside them. */
  readonly workers: number
  readonly recycleAfterPages: number
}

/** What lending uses of a worker. */
export type Lendable = Pick<
  WorkerProcess,
  "close" | "heldCount" | "holds" | "isAlive" | "kill" | "memoryUsed" | "pagesRead" | "pid" | "rssBytes"
>

/** A caller that waits for a worker, or has just got one. */
export interface Waiter<Worker> {
  readonly key: string
  readonly granted: Deferred.Deferred<Worker, EngineUnavailable>
  worker: Worker | undefined
}

/**
 * A worker is added when it is warm; then it is free, lent, free again, and so on, until it is removed: it died, or it was worn
 * out and is killed. The longest waiting caller is served first. No more than `workers` are lent at once.
 */
export class Lending<Worker extends Lendable> {
  readonly #options: LendingOptions
  /** Alive, warm, and not to be replaced. */
  readonly #ready = new Set<Worker>()
  readonly #lent = new Set<Worker>()
  /** Workers that have had a call. The others were spares, have cold caches, and are lent last. */
  readonly #usedBefore = new WeakSet<Worker>()
  readonly #waiters = new Set<Waiter<Worker>>()
  readonly #listeners = new Set<() => void>()
  /** Lent workers whose call was interrupted, and that have not stopped yet. */
  #stopping = 0
  #replaced = 0
  /** Why no worker is available. */
  #unavailable: EngineUnavailable | undefined

  constructor(options: LendingOptions) {
    this.#options = options
  }

  /** A new worker is warm. */
  add(worker: Worker): void {
    this.#unavailable = undefined
    this.#ready.add(worker)
    this.#next()
  }

  /** Queues a caller, which may get its worker at once. */
  request(key: string): Waiter<Worker> | EngineUnavailable {
    if (this.#unavailable !== undefined) return this.#unavailable
    const waiter: Waiter<Worker> = { key, granted: Deferred.makeUnsafe(), worker: undefined }
    this.#waiters.add(waiter)
    this.#lend()
    return waiter
  }

  /** The caller does not wait any more. Returns the worker that it has got meanwhile, which has to be given back. */
  withdraw(waiter: Waiter<Worker>): Worker | undefined {
    this.#waiters.delete(waiter)
    return waiter.worker
  }

  /** The caller is gone, and its worker has been told to stop. */
  stopping(): void {
    this.#stopping++
  }

  /** The worker has stopped, or it is gone. */
  stopped(worker: Worker): void {
    this.#stopping--
    this.giveBack(worker)
  }

  giveBack(worker: Worker): void {
    this.#lent.delete(worker)
    this.#next()
  }

  /** Kills a worker and lends it no more. */
  condemn(worker: Worker): void {
    this.#ready.delete(worker)
    worker.kill()
  }

  /** The worker has died. Returns whether that was unexpected. */
  died(worker: Worker): boolean {
    this.#replaced++
    return this.#ready.delete(worker)
  }

  /** Callers fail, those that wait and those to come, until a worker is added. */
  refuse(reason: EngineUnavailable): void {
    this.#unavailable = reason
    for (const waiter of this.#waiters) Deferred.doneUnsafe(waiter.granted, Effect.fail(reason))
    this.#waiters.clear()
    this.#announce()
  }

  /** Callers fail from now on, and all workers are killed. */
  close(): void {
    this.refuse(new EngineUnavailable({ detail: "they are being stopped" }))
    for (const worker of this.#ready) worker.kill()
  }

  /** No worker holds the document any more. */
  closeDocument(key: string): void {
    for (const worker of this.#ready) worker.close(key)
  }

  /** Calls the listener when more workers may be ready. Returns how to end that. */
  onReady(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get hasReady(): boolean {
    return this.#ready.size > 0
  }

  /** Workers that are lent, and those that could be lent at once. */
  readyCount(): number {
    const { workers } = this.#options
    if (this.#unavailable !== undefined) return workers
    let free = 0
    for (const worker of this.#ready) if (this.#isFree(worker)) free++
    return this.#lent.size - this.#stopping + Math.min(free, workers - this.#lent.size)
  }

  status(): EngineStatus {
    return {
      workers: Array.from(this.#ready, (worker) => ({
        pid: worker.pid(),
        busy: this.#lent.has(worker),
        rssBytes: worker.rssBytes(),
        pagesRead: worker.pagesRead()
      })),
      ...(this.#unavailable !== undefined && { unavailable: this.#unavailable.detail }),
      replaced: this.#replaced
    }
  }

  #next(): void {
    this.#condemnWorn()
    this.#lend()
    this.#announce()
  }

  /** A worn worker is replaced only while a spare can take over. */
  #condemnWorn(): void {
    for (const worker of this.#ready) {
      if (this.#lent.has(worker)) continue
      const wear = wearOf(worker, this.#options.recycleAfterPages)
      if (wear === "exhausted" || (wear === "worn" && this.#ready.size > this.#options.workers)) this.condemn(worker)
    }
  }

  #lend(): void {
    for (const waiter of this.#waiters) {
      const worker = this.#lent.size < this.#options.workers ? this.#choose(waiter.key) : undefined
      if (worker === undefined) return
      this.#waiters.delete(waiter)
      this.#lent.add(worker)
      this.#usedBefore.add(worker)
      waiter.worker = worker
      Deferred.doneUnsafe(waiter.granted, Effect.succeed(worker))
    }
  }

  #choose(key: string): Worker | undefined {
    let best: Worker | undefined
    for (const worker of this.#ready) {
      if (!this.#isFree(worker)) continue
      if (best === undefined || this.#cost(worker, key) < this.#cost(best, key)) best = worker
    }
    return best
  }

  #isFree(worker: Worker): boolean {
    return !this.#lent.has(worker) && worker.isAlive()
  }

  #cost(worker: Worker, key: string): number {
    return (worker.holds(key) ? -2_000 : 0) + (this.#usedBefore.has(worker) ? -1_000 : 0) + worker.heldCount()
  }

  #announce(): void {
    for (const listener of this.#listeners) listener()
  }
}
