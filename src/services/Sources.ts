import type { Effect, Stream } from "effect"
import { Context, Schema } from "effect"
import { Failure } from "../domain/Failure.ts"
import type { BlobHash, TenantId } from "../domain/Ids.ts"

/** The source will never be read: not allowed, or not of a known kind. */
export class SourceRefused extends Schema.TaggedError<SourceRefused>()("SourceRefused", { failure: Failure }) {
  override get message() {
    return this.failure.message
  }
}

/** The source could not be read this time. */
export class SourceUnavailable extends Schema.TaggedError<SourceUnavailable>()("SourceUnavailable", {
  failure: Failure,
  /** Whether trying again later may help. */
  retryable: Schema.Boolean
}) {
  override get message() {
    return this.failure.message
  }
}

/** What a caller's string names. */
export type ResolvedSource =
  | { readonly _tag: "Blob"; readonly hash: BlobHash }
  /** A file below the inbox folder, by its real path. */
  | { readonly _tag: "File"; readonly path: string; readonly name: string }
  | { readonly _tag: "Url"; readonly url: string; readonly name: string }

/** PDFs outside the engine: behind URLs, in buckets, or in the inbox folder. */
export class Sources extends Context.Service<
  Sources,
  {
    /**
     * Says what the string names, and refuses what the tenant may not read. Touches no network; a path is resolved to a real
     * file below the inbox folder.
     */
    readonly resolve: (
      source: string,
      tenant: TenantId
    ) => Effect.Effect<ResolvedSource, SourceRefused | SourceUnavailable>
    readonly readFile: (path: string) => Stream.Stream<Uint8Array, SourceUnavailable>
    /**
     * Refuses addresses that are not public, at the moment of dialling and after every redirect, and objects in buckets that
     * the tenant may not read. Bounded by a deadline.
     */
    readonly fetch: (url: string, tenant: TenantId) => Stream.Stream<Uint8Array, SourceRefused | SourceUnavailable>
  }
>()("sluice/services/Sources") {}
