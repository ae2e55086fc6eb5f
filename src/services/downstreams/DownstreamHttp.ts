import { Context, type Effect, Schema } from "effect"
import type { FarSideRefused, FarSideTimeout, FarSideUnavailable } from "./Downstreams.ts"

/** One request to a downstream whose settings have a `url`. */
export interface DownstreamRequest {
  /** `POST` when absent. */
  readonly method?: "GET" | "POST"
  /** Added to the path of `url`, with its query: `/v1/convert/source?priority=low`. */
  readonly path?: string
  /** Go before those of the settings. */
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it is; set `content-type` for what it is. */
  readonly body?: string | Uint8Array
}

export interface DownstreamAnswer {
  readonly status: number
  /** By lower-case names; of several values the first. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** It answered with a status other than 2xx that says something of what was sent: the page's own failure. */
export class DownstreamRejected extends Schema.TaggedError<DownstreamRejected>()("DownstreamRejected", {
  downstream: Schema.String,
  status: Schema.Int,
  /** The begin of its answer, up to 1,000 characters. */
  excerpt: Schema.String
}) {
  override get message() {
    return `the downstream ${this.downstream} answered with status ${this.status}`
  }
}

/**
 * One exchange over HTTP with a downstream, to be run in its place:
 *
 * ```ts
 * downstreams.call("ocr", { tenant })(http.send("ocr", { path: "/read", body: png, headers: { "content-type": "image/png" } }))
 * ```
 *
 * The URL, secrets, time-outs and the largest answer are those of the downstream's settings; redirects are not followed.
 * 429 and 503 are refusals, with their `Retry-After`; no connection, other 5xx and 408 mean that it is unavailable.
 */
export class DownstreamHttp extends Context.Service<
  DownstreamHttp,
  {
    readonly send: (
      name: string,
      request: DownstreamRequest
    ) => Effect.Effect<DownstreamAnswer, DownstreamRejected | FarSideRefused | FarSideUnavailable | FarSideTimeout>
  }
>()("sluice/services/downstreams/DownstreamHttp") {}
