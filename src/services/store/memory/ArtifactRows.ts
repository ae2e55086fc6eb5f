/** The rows of artifacts in memory. */
import type { BlobHash } from "../../../domain/Ids.ts"
import type { Artifact } from "../../../domain/pipeline/Artifact.ts"
import type { ArtifactContent } from "../Artifacts.ts"

export interface StoredArtifact {
  readonly artifact: Artifact
  readonly content: ArtifactContent | undefined
}

type Key = Pick<Artifact, "page" | "stage" | "version">

/** Page, stage and version. An artifact of the document as a whole has the page 0. */
const placeOf = ({ page = 0, stage, version }: Key) => [page, stage, version] as const

/** By page, stage and version. */
export const compare = (a: Key, b: Key): number => {
  const [place, other] = [placeOf(a), placeOf(b)]
  const at = place.findIndex((part, index) => part !== other[index])
  return at < 0 ? 0 : (place[at] ?? 0) < (other[at] ?? 0) ? -1 : 1
}

export const keyOf = (key: Key): string => placeOf(key).join("/")

/** The blobs of these artifacts, each once. */
export const blobsOf = (artifacts: Iterable<StoredArtifact>): ReadonlyArray<BlobHash> =>
  Array.from(new Set(Array.from(artifacts).flatMap(({ content }) => (content?._tag === "Blob" ? [content.hash] : []))))
