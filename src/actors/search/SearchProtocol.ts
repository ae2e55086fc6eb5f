import { Config, Context, Duration, Effect, Schema } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { SearchAnswer, SearchRequest } from "../../domain/search/Search.ts"
import { count, duration } from "../../services/config/ConfigValues.ts"
import { SearchUnavailable } from "../../services/search/SearchIndex.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"

/** Too many searches: one more would wait longer than searches may. */
export class SearchBusy extends Schema.TaggedError<SearchBusy>()("SearchBusy", { retryAfterSeconds: Schema.Natural }) {
  override get message() {
    return "too many searches are under way"
  }
}

/** There was no answer within the time that the caller gave. */
export class SearchTooLate extends Schema.TaggedError<SearchTooLate>()("SearchTooLate", { millis: Schema.Finite }) {
  override get message() {
    return `there was no answer within ${this.millis} ms`
  }
}

export type SearchError = SearchBusy | SearchTooLate | SearchUnavailable | StoreUnavailable

export interface SearchSettings {
  /** Searches at a time. */
  readonly places: number
  /** How long one may wait for its place. */
  readonly longestWait: Duration.Duration
  /** How long one may take, its wait included, unless the caller says less. */
  readonly longest: Duration.Duration
}

export const searchSettingsFromEnv = Config.all({
  places: count("SEARCH_CONCURRENCY", 1_024).pipe(Config.withDefault(8)),
  longestWait: duration("SEARCH_WAIT").pipe(Config.withDefault(Duration.millis(500))),
  longest: duration("SEARCH_DEADLINE").pipe(Config.withDefault(Duration.seconds(5)))
})

/** Searches in the documents of a tenant: the online class, which ingestion does not slow. */
export interface SearchShape {
  /** `deadline`: how long the caller waits, if less than the server's own limit. */
  readonly search: (
    tenant: TenantId,
    request: SearchRequest,
    deadline?: Duration.Duration
  ) => Effect.Effect<SearchAnswer, SearchError>
}

export const Search = Context.Reference<SearchShape>("sluice/actors/search/Search", {
  defaultValue: () => ({ search: () => Effect.fail(new SearchUnavailable({ detail: "there is none here" })) })
})
