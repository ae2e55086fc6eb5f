import { assert } from "@effect/vitest"
import { Context, Duration, Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { RunnerId } from "../../../src/domain/Ids.ts"
import { PipelineName, StageName, StageVersion } from "../../../src/domain/pipeline/Pipeline.ts"
import { BlobReferences } from "../../../src/services/store/BlobReferences.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import { acme, blobHash, documentId } from "../storeFixtures.ts"
import { accept, type Instance, type Test, untilDone } from "./fixtures.ts"

/** The only one of a list. */
const onlyOne = <A>([first, ...others]: ReadonlyArray<A>) =>
  others.length === 0 ? Effect.fromNullishOr(first) : Effect.die("there are several")

const references = (instance: Instance) => Context.get(instance, BlobReferences)
const hash = blobHash(1)
const source = { _tag: "Blob", hash, size: 100 } as const

export const blobs = (test: Test) => {
  test("do not remove the bytes that the other is about to accept", (one, other) =>
    Effect.gen(function* () {
      yield* accept(other, 1, { source })
      const reference = yield* references(one).reserve(hash, "1 minute")
      const removed = yield* Context.get(other, Documents).remove(acme, documentId(1))
      assert.deepStrictEqual(removed, [])
      assert.isTrue(Option.isNone(yield* references(other).claimRemoval(hash)))
      yield* accept(one, 2, { source, reference })
      assert.isTrue(yield* references(other).refersTo(hash))
      assert.lengthOf(yield* Context.get(other, Documents).remove(acme, documentId(2)), 1)
    }))

  test("do not remove the bytes that a stage of the other has made, nor those that it is about to keep", (one, other) =>
    Effect.gen(function* () {
      const made = { stage: StageName.make("ocr"), version: StageVersion.make("1"), mediaType: "text/plain" } as const
      yield* accept(one, 2, { pipeline: PipelineName.make("ocr") })
      const queue = Context.get(one, DocumentQueue)
      const { fence } = yield* Effect.fromOption(
        yield* queue.claim(acme, { runner: RunnerId.make("one"), lease: Duration.minutes(1) })
      )
      const reference = yield* references(one).reserve(hash, "1 minute")
      assert.isTrue(Option.isNone(yield* references(other).claimRemoval(hash)))
      const content = { _tag: "Blob", hash } as const
      yield* queue.saveArtifacts(fence, [{ ...made, status: "done", elapsedMillis: 1, size: 9, content, reference }])
      assert.isTrue(Option.isNone(yield* references(other).claimRemoval(hash)))
      const removed = yield* Context.get(other, Documents).remove(acme, documentId(2))
      assert.deepStrictEqual(removed.map((each) => each.hash).toSorted(), [hash, blobHash(2)])
      assert.isTrue(Option.isNone(yield* references(one).claimRemoval(hash)))
    }))

  test("wait with an upload until the other has removed the same bytes", (one, other) =>
    Effect.gen(function* () {
      yield* accept(other, 1, { source })
      const removal = yield* onlyOne(yield* Context.get(other, Documents).remove(acme, documentId(1)))
      assert.strictEqual(removal.hash, hash)
      assert.isTrue(Option.isNone(yield* references(one).claimRemoval(hash)))
      const reserving = yield* Effect.forkChild(references(one).reserve(hash, "1 minute"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(reserving.pollUnsafe())
      yield* references(other).endRemoval(removal)
      yield* untilDone(reserving)
      assert.strictEqual((yield* Fiber.join(reserving)).hash, hash)
    }))

  test("go on without a process that died while it removed or uploaded bytes", (one, other) =>
    Effect.gen(function* () {
      const removal = yield* references(one).claimRemoval(hash)
      assert.isTrue(Option.isSome(removal))
      const reserving = yield* Effect.forkChild(references(other).reserve(hash, "1 minute"))
      yield* untilDone(reserving)
      const reference = yield* Fiber.join(reserving)
      assert.isTrue(Option.isNone(yield* references(one).claimRemoval(hash)))
      // What is left of the first claim ends no other one.
      yield* Option.match(removal, { onNone: () => Effect.void, onSome: references(one).endRemoval })
      yield* TestClock.adjust("2 minutes")
      assert.isTrue(Option.isSome(yield* references(one).claimRemoval(hash)))
      const refused = yield* Effect.flip(accept(other, 2, { source, reference }))
      assert.strictEqual(refused._tag, "BlobReferenceExpired")
    }))

  test("free bytes when an upload is given up", (one, other) =>
    Effect.gen(function* () {
      const [first, second] = yield* Effect.all([
        references(one).reserve(hash, "1 minute"),
        references(other).reserve(hash, "1 minute")
      ])
      yield* references(one).release(first)
      assert.isTrue(Option.isNone(yield* references(one).claimRemoval(hash)))
      yield* references(other).release(second)
      assert.isTrue(Option.isSome(yield* references(one).claimRemoval(hash)))
    }))
}
