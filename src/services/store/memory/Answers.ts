/** The answers to requests with idempotency keys, of the document store in memory. */
import { type Context, Effect, Option } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import type { DocumentStore, KeptAnswer } from "../DocumentStore.ts"

type Answers = Pick<Context.Service.Shape<typeof DocumentStore>, "keepAnswer" | "findAnswer" | "forgetAnswers">

export const answersMemory = (): Answers => {
  // In the order of keeping. No tenant id contains a space.
  const answers = new Map<string, KeptAnswer>()
  const place = (tenant: TenantId, key: string) => `${tenant} ${key}`
  return {
    keepAnswer: Effect.fn("DocumentStore.keepAnswer")((tenant, key, answer) =>
      Effect.sync(() => {
        answers.delete(place(tenant, key))
        answers.set(place(tenant, key), answer)
      })
    ),
    findAnswer: Effect.fn("DocumentStore.findAnswer")((tenant, key) =>
      Effect.sync(() => Option.fromUndefinedOr(answers.get(place(tenant, key))))
    ),
    forgetAnswers: Effect.fn("DocumentStore.forgetAnswers")((keptBefore, limit) =>
      Effect.sync(() => {
        const old = Array.from(answers).filter(([, { keptAt }]) => keptAt < keptBefore)
        const forgotten = old.slice(0, limit)
        for (const [key] of forgotten) answers.delete(key)
        return forgotten.length
      })
    )
  }
}
