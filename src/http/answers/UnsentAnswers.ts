// The bytes that each answer holds in memory: without effects, so that no step can be interrupted.
import { ServerResponse } from "node:http"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "effect/http"
import type { KeyedLimit } from "../../services/KeyedLimit.ts"
import { tenantOfRequest } from "../auth/RequestTenant.ts"

/** The key under which answers without a tenant are counted. */
const noTenant = ""

export const keyOf = (request: HttpServerRequest.HttpServerRequest): string => tenantOfRequest(request) ?? noTenant

/** One answer, from its first counted byte until its connection closes. Bytes counted after that would never be released. */
export class UnsentAnswer {
  readonly response: ServerResponse
  readonly #key: string
  readonly #unsent: KeyedLimit<string>
  #bytes = 0
  #isClosed = false

  constructor(response: ServerResponse, key: string, unsent: KeyedLimit<string>) {
    this.response = response
    this.#key = key
    this.#unsent = unsent
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Counts so many more bytes, unless that would exceed a limit: then answers with that limit. */
  grow(bytes: number): "key" | "total" | undefined {
    if (this.#isClosed) return undefined
    const limit = this.#unsent.take(this.#key, bytes)
    if (limit === undefined) this.#bytes += bytes
    return limit
  }

  /** Counts exactly so many bytes, without regard to the limits. */
  set(bytes: number): void {
    if (this.#isClosed) return
    this.#unsent.add(this.#key, bytes - this.#bytes)
    this.#bytes = bytes
  }

  close(): void {
    this.set(0)
    this.#isClosed = true
  }
}

export class UnsentAnswers {
  readonly #unsent: KeyedLimit<string>
  readonly #answers = new WeakMap<ServerResponse, UnsentAnswer>()

  constructor(unsent: KeyedLimit<string>) {
    this.#unsent = unsent
  }

  /** The count for the answer, released when its connection closes. None if no socket of this server sends the answer. */
  of(request: HttpServerRequest.HttpServerRequest): UnsentAnswer | undefined {
    const response: unknown = NodeHttpServerRequest.toServerResponse(request)
    if (!(response instanceof ServerResponse) || response.destroyed) return undefined
    const known = this.#answers.get(response)
    if (known !== undefined) return known
    const answer = new UnsentAnswer(response, keyOf(request), this.#unsent)
    this.#answers.set(response, answer)
    response.once("close", () => {
      answer.close()
      this.#answers.delete(response)
    })
    return answer
  }
}
