import { assert, describe, it } from "@effect/vitest"
import { Deferred } from "effect"
import { type Lendable, Lending, type Waiter } from "../../../../src/layers/pdf/pool/Lending.ts"
import { EngineUnavailable } from "../../../../src/services/PdfEngine.ts"

/** A worker without a process. */
class FakeWorker implements Lendable {
  readonly name: string
  readonly documents: Set<string>
  used = 0
  pages = 0
  alive = true

  constructor(name: string, ...documents: ReadonlyArray<string>) {
    this.name = name
    this.documents = new Set(documents)
  }

  pid = () => 1
  rssBytes = () => 0
  memoryUsed = () => this.used
  pagesRead = () => this.pages
  heldCount = () => this.documents.size
  holds = (key: string) => this.documents.has(key)
  isAlive = () => this.alive
  close = (key: string) => this.documents.delete(key)
  kill = () => {
    this.alive = false
  }
}

const lendingOf = (workers: number, ...ready: ReadonlyArray<FakeWorker>) => {
  const lending = new Lending<FakeWorker>({ workers, recycleAfterPages: 100 })
  for (const worker of ready) lending.add(worker)
  return lending
}

const waiting = (lending: Lending<FakeWorker>, key = "any"): Waiter<FakeWorker> => {
  const waiter = lending.request(key)
  if (waiter instanceof EngineUnavailable) throw waiter
  return waiter
}

describe("lending of page workers", () => {
  it("serves the longest waiting caller first, and lends no more workers at once than it may", () => {
    const lending = lendingOf(1, new FakeWorker("a"), new FakeWorker("spare"))
    const [first, second, third] = [waiting(lending), waiting(lending), waiting(lending)]
    assert.deepStrictEqual([first.worker?.name, second.worker, third.worker], ["a", undefined, undefined])
    assert.strictEqual(lending.readyCount(), 1)
    if (first.worker !== undefined) lending.giveBack(first.worker)
    assert.deepStrictEqual([second.worker?.name, third.worker], ["a", undefined])
    assert.isTrue(Deferred.isDoneUnsafe(second.granted))
  })

  it("prefers a worker that holds the document, then one that has had a call, then one that holds little", () => {
    const [cold, full, empty] = [new FakeWorker("cold", "x"), new FakeWorker("full", "y", "z"), new FakeWorker("empty")]
    const lending = lendingOf(2, full, empty)
    for (const { worker } of [waiting(lending), waiting(lending)]) if (worker !== undefined) lending.giveBack(worker)
    lending.add(cold)
    const lent = (key: string) => {
      const { worker } = waiting(lending, key)
      if (worker !== undefined) lending.giveBack(worker)
      return worker?.name
    }
    assert.deepStrictEqual([lent("y"), lent("unknown"), lent("x")], ["full", "empty", "cold"])
  })

  it("lends a worker that is to stop only after it has stopped, and does not count it as ready", () => {
    const worker = new FakeWorker("a")
    const lending = lendingOf(1, worker)
    const first = waiting(lending)
    lending.stopping()
    const next = waiting(lending)
    assert.deepStrictEqual([first.worker, next.worker, lending.readyCount()], [worker, undefined, 0])
    lending.stopped(worker)
    assert.deepStrictEqual([next.worker, lending.readyCount()], [worker, 1])
  })

  it("serves no caller that has withdrawn, and returns the worker that it had got", () => {
    const worker = new FakeWorker("a")
    const lending = lendingOf(1)
    const [early, late] = [waiting(lending), waiting(lending)]
    assert.isUndefined(lending.withdraw(early))
    lending.add(worker)
    assert.isUndefined(early.worker)
    assert.strictEqual(lending.withdraw(late), worker)
  })

  it("replaces a worn worker when the spare can take over, and an exhausted one in any case", () => {
    const [worn, exhausted, spare] = [new FakeWorker("worn"), new FakeWorker("exhausted"), new FakeWorker("spare")]
    const lending = lendingOf(1, worn)
    worn.pages = 100
    const first = waiting(lending)
    lending.giveBack(worn)
    assert.isTrue(first.worker?.alive, "nothing can take over yet")
    lending.add(spare)
    assert.deepStrictEqual([worn.alive, spare.alive], [false, true])
    assert.isFalse(lending.died(worn), "its death was expected")
    lending.died(spare)
    exhausted.used = 0.8
    lending.add(exhausted)
    assert.isFalse(exhausted.alive)
    assert.strictEqual(lending.status().replaced, 2)
  })

  it("fails all callers while no worker can be had, until one is added", () => {
    const lending = lendingOf(2)
    const early = waiting(lending)
    lending.refuse(new EngineUnavailable({ detail: "no memory" }))
    assert.isTrue(Deferred.isDoneUnsafe(early.granted))
    assert.instanceOf(lending.request("any"), EngineUnavailable)
    assert.deepStrictEqual([lending.readyCount(), lending.status().unavailable], [2, "no memory"])
    lending.add(new FakeWorker("a"))
    assert.deepStrictEqual([waiting(lending).worker?.name, lending.status().unavailable], ["a", undefined])
  })

  it("calls its listeners when a worker becomes free, until they are removed", () => {
    const worker = new FakeWorker("a")
    const lending = lendingOf(1)
    let calls = 0
    const remove = lending.onReady(() => calls++)
    lending.add(worker)
    waiting(lending)
    lending.giveBack(worker)
    remove()
    lending.add(new FakeWorker("b"))
    assert.strictEqual(calls, 2)
  })

  it("kills every worker when it is closed", () => {
    const workers = [new FakeWorker("a"), new FakeWorker("b")]
    const lending = lendingOf(1, ...workers)
    lending.close()
    assert.isTrue(workers.every(({ alive }) => !alive))
    assert.instanceOf(lending.request("any"), EngineUnavailable)
  })
})
