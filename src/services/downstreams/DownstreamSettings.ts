import { Effect, Result, Schema, SchemaGetter } from "effect"
import { DownstreamName, OnExhausted } from "../../domain/downstream/Downstream.ts"
import { examples } from "../../domain/Examples.ts"
import { parseHttpUrl } from "../../domain/net/HttpUrl.ts"
import { parseDuration } from "../config/ConfigValues.ts"

// The settings of downstreams, as they are written in a file or as values of a program. Times are written as `30s`, `500 ms` or
// `5 minutes`, and are milliseconds when decoded.

/** Milliseconds, written as a text. */
export const Millis = Schema.String.check(
  Schema.makeFilter((text: string) => Result.match(parseDuration(text), { onFailure: String, onSuccess: () => true }))
).pipe(
  Schema.annotate({ description: "A duration such as `30s`, `500 ms` or `5 minutes`.", examples: ["30s"] }),
  Schema.decodeTo(Schema.Finite, {
    decode: SchemaGetter.transform((text: string) => Result.getOrElse(parseDuration(text), () => 0)),
    encode: SchemaGetter.transform((millis: number) => (millis % 1_000 === 0 ? `${millis / 1_000}s` : `${millis}ms`))
  })
)

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const positive = Schema.Finite.check(Schema.isGreaterThan(0))

const most = 10_000

const AdaptiveConcurrency = Schema.Struct({
  initial: whole(1, most).pipe(Schema.withDecodingDefaultKey(Effect.succeed(4))),
  min: whole(1, most).pipe(Schema.withDecodingDefaultKey(Effect.succeed(1))),
  max: whole(1, most).pipe(Schema.withDecodingDefaultKey(Effect.succeed(64)))
}).check(
  Schema.makeFilter(
    ({ initial, max, min }) => (min <= initial && initial <= max) || "`min`, `initial` and `max` in this order"
  )
)

export const Concurrency = Schema.Union([whole(1, most), AdaptiveConcurrency]).annotate({
  description:
    "Calls under way at once: a number, or `{ initial, min, max }`, which follows the far side's refusals (429 and 503). " +
    "It begins with `min` and doubles up to `initial`; beyond it grows slowly, until the far side refuses."
})
export type Concurrency = typeof Concurrency.Type

export const Rate = Schema.Struct({
  calls: positive,
  per: Millis,
  burst: Schema.optionalKey(whole(1, 1_000_000).annotate({ description: "Calls at once; 1 when absent." }))
}).annotate({ description: "Calls begun per period." })

export const PeriodBudget = Schema.Struct({ limit: positive, per: Millis }).annotate({
  description: "What may be used in each period; periods of a day begin at midnight UTC."
})
export interface PeriodBudget extends Schema.Schema.Type<typeof PeriodBudget> {}

const Monthly = Schema.Struct({
  calls: Schema.optionalKey(positive),
  tokens: Schema.optionalKey(positive),
  cost: Schema.optionalKey(positive)
}).annotate({ description: "What one tenant may use in a calendar month (UTC)." })

const TenantCaps = Schema.Struct({
  concurrency: Schema.optionalKey(whole(1, most).annotate({ description: "Calls of one tenant under way at once." })),
  monthly: Schema.optionalKey(Monthly)
})
export interface TenantCaps extends Schema.Schema.Type<typeof TenantCaps> {}

const seconds = (text: string) => Millis.pipe(Schema.withDecodingDefaultKey(Effect.succeed(text)))

const Timeouts = Schema.Struct({
  connect: seconds("5s").annotateKey({ description: "To connect; for calls over HTTP." }),
  firstByte: Schema.optionalKey(Millis).annotateKey({
    description: "From the begin of a try to the head of the answer; for calls over HTTP."
  }),
  whole: seconds("2m").annotateKey({ description: "One try, from its begin to the last byte." })
})

const Retry = Schema.Struct({
  times: whole(0, 100).pipe(Schema.withDecodingDefaultKey(Effect.succeed(6))),
  first: seconds("250ms").annotateKey({
    description: "The first delay; each later one is twice as long, with jitter."
  }),
  longest: seconds("30s"),
  within: seconds("2m").annotateKey({ description: "From the first failed try on; no try begins later." })
}).annotate({
  description:
    "Tries after refusals and lost connections. The far side's `Retry-After` is honoured, within these bounds."
})

const Breaker = Schema.Struct({
  failures: whole(1, 1_000).pipe(Schema.withDecodingDefaultKey(Effect.succeed(5))),
  open: seconds("10s")
}).annotate({
  description:
    "After so many failures in a row (no connection, 5xx, time-outs; not 429) nothing is sent for this time, then one call."
})

const HeaderValue = Schema.Union([
  Schema.String,
  Schema.Struct({
    env: Schema.NonEmptyString.annotate({ description: "The environment variable that holds the secret." }),
    prefix: Schema.optionalKey(Schema.String.annotate({ description: "Put before the secret, such as `Bearer `." }))
  })
])

const HttpUrl = Schema.String.check(
  Schema.makeFilter((text: string) => Result.match(parseHttpUrl(text), { onFailure: String, onSuccess: () => true }))
)

const described = <S extends Schema.Top>(schema: S, description: string) => schema.annotate({ description })

export const DownstreamSettings = Schema.Struct({
  url: Schema.optionalKey(described(HttpUrl, "Where calls over HTTP go; their paths are added.")),
  headers: Schema.optionalKey(
    Schema.Record(Schema.String, HeaderValue).annotate({
      description: "Headers of calls over HTTP. A secret is named by the environment variable that holds it."
    })
  ),
  network: Schema.Literals(["any", "public"])
    .annotate({ description: "`any`: the host of `url` may be private. `public`: only public addresses are dialled." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("any" as const))),
  maxAnswerBytes: whole(1, 2 ** 30)
    .annotate({ description: "The largest answer over HTTP." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(32 * 1024 * 1024))),
  concurrency: Concurrency.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  reserve: whole(0, most)
    .annotate({ description: "Permits that only `online` calls may have; at least one is left to the others." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  perTenant: Schema.optionalKey(described(TenantCaps, "Caps of every tenant.")),
  tenants: Schema.optionalKey(
    described(Schema.Record(Schema.String, TenantCaps), "Caps of single tenants by id, in place of `perTenant`.")
  ),
  rate: Schema.optionalKey(Rate),
  tokens: Schema.optionalKey(PeriodBudget),
  cost: Schema.optionalKey(PeriodBudget),
  timeout: Timeouts.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  maxWait: seconds("5m").annotateKey({ description: "How long a call waits for its place before it fails." }),
  queue: whole(1, 1_000_000)
    .annotate({ description: "Calls that may wait; beyond that they fail at once." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(1_000))),
  retry: Retry.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  breaker: Schema.Union([Breaker, Schema.Literal(false)]).pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  onExhausted: OnExhausted.annotate({
    description:
      "While a budget is used up or the breaker is open: `wait` (calls wait, up to `maxWait`), `skip` (the page goes on without " +
      "the stage), `fail`, or `use:<stage>`."
  }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("wait")))
})
  .check(
    Schema.makeFilter(({ concurrency, reserve }) => {
      const most = typeof concurrency === "number" ? concurrency : concurrency.max
      return reserve < most || { path: ["reserve"], issue: `less than the most calls at once, ${most}` }
    })
  )
  .annotate({ identifier: "Downstream" })
export interface DownstreamSettings extends Schema.Schema.Type<typeof DownstreamSettings> {}

/** Downstreams by name, as they are written. */
export const DownstreamsRecord = Schema.Record(DownstreamName, DownstreamSettings)
export type DownstreamsRecord = typeof DownstreamsRecord.Type
export type DownstreamsWritten = Readonly<Record<string, typeof DownstreamSettings.Encoded>>

/** A change at run time. `null` takes a limit away; an absent field stays as it is. */
export const DownstreamChange = Schema.Struct({
  paused: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "`true`: nothing more is sent; calls wait, as long as they may." })
  ),
  concurrency: Schema.optionalKey(Concurrency),
  reserve: Schema.optionalKey(whole(0, most)),
  rate: Schema.optionalKey(Schema.NullOr(Rate)),
  tokens: Schema.optionalKey(Schema.NullOr(PeriodBudget)),
  cost: Schema.optionalKey(Schema.NullOr(PeriodBudget)),
  maxWait: Schema.optionalKey(Millis),
  queue: Schema.optionalKey(whole(1, 1_000_000)),
  onExhausted: Schema.optionalKey(OnExhausted)
}).pipe(
  Schema.annotate({ identifier: "DownstreamChange" }),
  examples({ concurrency: 8, maxWait: "60s" }, { paused: true, tokens: null })
)
export interface DownstreamChange extends Schema.Schema.Type<typeof DownstreamChange> {}

const decode = Schema.decodeUnknownEffect(DownstreamsRecord, { onExcessProperty: "error", errors: "all" })

/** Decodes what a program gives; unknown names and wrong values are refused. */
export const decodeDownstreams = (written: DownstreamsWritten) => decode(written)
