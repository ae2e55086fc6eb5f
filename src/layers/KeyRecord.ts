/** Which key a database was sealed with. No secret is stored: the check value says whether two keys are the same, and no more. */
import { type Effect, Redacted } from "effect"
import type { Secrets } from "../services/secrets/Secrets.ts"

/** Where a database keeps the check value of its key. */
export interface KeyRecord<E> {
  /** The check value; undefined before a server with a key has started on the database. */
  readonly known: Effect.Effect<string | undefined, E>
  /** Enters the check value, unless there is one. Answers which one is there. */
  readonly enter: (check: string) => Effect.Effect<string, E>
  /** Something that was sealed before there were check values, if there is anything. */
  readonly sample: Effect.Effect<string | undefined, E>
}

export const checkOf = (secrets: Secrets["Service"]): Effect.Effect<string> =>
  secrets.fingerprint(Redacted.make("sluice"), "check of the key")
