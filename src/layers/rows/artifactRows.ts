/** Turns rows of artifacts into domain values. */
import { DateTime, Schema } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import { type Artifact, ArtifactStatus } from "../../domain/pipeline/Artifact.ts"
import { StageName, StageVersion } from "../../domain/pipeline/Pipeline.ts"
import type { ArtifactContent, NewArtifact, StageCounts } from "../../services/store/Artifacts.ts"
import { decodeFailure, encodeFailure, number, optionalText, type Row, text } from "./documentRows.ts"

const decodeArtifactStatus = Schema.decodeUnknownSync(ArtifactStatus)

/** The columns of an artifact without its content. Under the page 0 are those of the document as a whole. */
export const artifactColumns = "page, stage, version, status, media_type, size, error, elapsed_millis, created_at"

export const toArtifact = (row: Row): Artifact => {
  const page = number(row, "page")
  const error = optionalText(row, "error")
  return {
    ...(page === 0 ? {} : { page }),
    stage: StageName.make(text(row, "stage"), { disableChecks: true }),
    version: StageVersion.make(text(row, "version"), { disableChecks: true }),
    status: decodeArtifactStatus(row["status"]),
    mediaType: text(row, "media_type"),
    size: number(row, "size"),
    ...(error === undefined ? {} : { error: decodeFailure(error) }),
    elapsedMillis: number(row, "elapsed_millis"),
    createdAt: DateTime.makeUnsafe(number(row, "created_at"))
  }
}

/** Of a row that has the columns `blob` and `content`. */
export const toContent = (row: Row): ArtifactContent | undefined => {
  const blob = optionalText(row, "blob")
  if (blob !== undefined) return { _tag: "Blob", hash: BlobHash.make(blob) }
  const content = row["content"]
  return content instanceof Uint8Array ? { _tag: "Inline", bytes: content } : undefined
}

export const toStageCounts = (row: Row): StageCounts => ({
  stage: StageName.make(text(row, "stage"), { disableChecks: true }),
  version: StageVersion.make(text(row, "version"), { disableChecks: true }),
  done: number(row, "done"),
  skipped: number(row, "skipped"),
  failed: number(row, "failed")
})

/** What is written of an artifact besides its document and its moment. Only what is `done` has content. */
export const artifactValues = ({ content, error, page = 0, size, status, ...artifact }: NewArtifact) => {
  const kept = status === "done" ? content : undefined
  return {
    ...artifact,
    page,
    status,
    size: status === "done" ? size : 0,
    error: error === undefined ? undefined : encodeFailure(error),
    blob: kept?._tag === "Blob" ? kept.hash : undefined,
    content: kept?._tag === "Inline" ? kept.bytes : undefined
  }
}
