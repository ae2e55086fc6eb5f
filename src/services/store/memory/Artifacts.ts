/** `Artifacts` of the store in memory, and what its other contracts do with artifacts. */
import { DateTime, Effect, Option } from "effect"
import type { Artifact } from "../../../domain/pipeline/Artifact.ts"
import type { StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import { type ArtifactContent, Artifacts, type NewArtifact, type StageCounts } from "../Artifacts.ts"
import { BlobReferenceExpired } from "../BlobReferences.ts"
import { compare, keyOf, type StoredArtifact } from "./ArtifactRows.ts"
import type { Records, Stored } from "./Records.ts"
import { located } from "./Steps.ts"

/** Ends the references, or none and answers with the error if one has run out. */
export const endReferences = (
  records: Records,
  artifacts: ReadonlyArray<NewArtifact>,
  now: number
): BlobReferenceExpired | undefined => {
  const given = artifacts.flatMap(({ reference }) => reference ?? [])
  const lost = given.find((reference) => !records.references.isValid(reference, now))
  if (lost !== undefined) return new BlobReferenceExpired({ hash: lost.hash })
  for (const reference of given) records.references.release(reference)
  return undefined
}

export const addArtifacts = (
  records: Records,
  stored: Stored,
  artifacts: ReadonlyArray<NewArtifact>,
  now: number
): void => {
  for (const { content, reference: _, size, ...artifact } of artifacts) {
    const key = keyOf(artifact)
    if (stored.artifacts.has(key)) continue
    const isDone = artifact.status === "done"
    const createdAt = DateTime.makeUnsafe(now)
    const kept = { ...artifact, size: isDone ? size : 0, createdAt }
    stored.artifacts.set(key, { artifact: kept, content: isDone ? copied(content) : undefined })
    records.setBytes(stored, { artifacts: stored.bytes.artifacts + kept.size })
  }
}

/** Bytes as they come may share their memory with a message. */
const copied = (content: ArtifactContent | undefined): ArtifactContent | undefined =>
  content?._tag === "Inline" ? { ...content, bytes: new Uint8Array(content.bytes) } : content

/** Removes those artifacts, and answers with them. */
export const removeArtifacts = (
  records: Records,
  stored: Stored,
  isMeant: (artifact: Artifact) => boolean
): ReadonlyArray<StoredArtifact> => {
  const removed = Array.from(stored.artifacts.values()).filter(({ artifact }) => isMeant(artifact))
  for (const { artifact } of removed) stored.artifacts.delete(keyOf(artifact))
  const bytes = removed.reduce((sum, { artifact }) => sum + artifact.size, 0)
  records.setBytes(stored, { artifacts: stored.bytes.artifacts - bytes })
  return removed
}

export const countsOf = (stored: Stored): ReadonlyArray<StageCounts> => {
  const all = Array.from(stored.artifacts.values(), ({ artifact }) => artifact)
  const counted = Array.from(Map.groupBy(all, ({ stage, version }) => `${stage}/${version}`).values())
  return counted
    .flatMap((own) => {
      const count = (status: Artifact["status"]) => own.filter((each) => each.status === status).length
      return own.slice(0, 1).map(({ stage, version }) => ({
        stage,
        version,
        done: count("done"),
        skipped: count("skipped"),
        failed: count("failed")
      }))
    })
    .toSorted(compare)
}

const last = (stored: Stored, page: number, stage: StageName, version: StageVersion | undefined) =>
  Array.from(stored.artifacts.values()).findLast(
    ({ artifact }) =>
      (artifact.page ?? 0) === page &&
      artifact.stage === stage &&
      (version === undefined || artifact.version === version)
  )

export const artifactsMemory = (records: Records) =>
  Artifacts.of({
    list: Effect.fn("Artifacts.list")((tenant, id, { after, limit, page, stage }) =>
      located(records, tenant, id, (stored): ReadonlyArray<Artifact> =>
        Array.from(stored.artifacts.values(), ({ artifact }) => artifact)
          .filter(
            (each) =>
              (page === undefined || (each.page ?? 0) === page) &&
              (stage === undefined || each.stage === stage) &&
              (after === undefined || compare(each, after) > 0)
          )
          .toSorted(compare)
          .slice(0, limit)
      ).pipe(Effect.catchTag("DocumentNotFound", () => Effect.succeed([])))
    ),
    find: Effect.fn("Artifacts.find")((tenant, id, { page = 0, stage, version }) =>
      located(records, tenant, id, (stored) => Option.fromUndefinedOr(last(stored, page, stage, version))).pipe(
        Effect.catchTag("DocumentNotFound", () => Effect.succeedNone)
      )
    ),
    counts: Effect.fn("Artifacts.counts")((tenant, id) =>
      located(records, tenant, id, countsOf).pipe(Effect.catchTag("DocumentNotFound", () => Effect.succeed([])))
    )
  })
