// Stages over fakes: production downstreams and exchanges, and the inputs that the engine would give.
import { ConfigProvider, Effect, Layer, Option, type Redacted, Schema } from "effect"
import * as DownstreamHttp from "../../src/layers/net/DownstreamHttp.ts"
import { noLines, type PageResult } from "../../src/domain/document/Page.ts"
import { encodeLayout } from "../../src/domain/document/LayoutBytes.ts"
import type { PageLayout } from "../../src/domain/document/PageLayout.ts"
import { DocumentId } from "../../src/domain/Ids.ts"
import { StageName } from "../../src/domain/pipeline/Pipeline.ts"
import type { BlobLocation } from "../../src/services/BlobStore.ts"
import type { Downstreams } from "../../src/services/downstreams/Downstreams.ts"
import { DownstreamsConfig } from "../../src/services/downstreams/DownstreamsConfig.ts"
import {
  decodeDownstreams,
  DownstreamSettings,
  type DownstreamsRecord,
  type DownstreamsWritten
} from "../../src/services/downstreams/DownstreamSettings.ts"
import { withOwnDownstreams } from "../../src/services/pipelines/settings/StageDownstreams.ts"
import { StagesRecord, type StagesWritten } from "../../src/services/pipelines/settings/StageSettings.ts"
import type {
  DocumentInput,
  PageInput,
  PageOutput,
  SourceInput,
  Stage,
  StageContent,
  StageFailure
} from "../../src/services/pipelines/Stage.ts"
import { acme, downstreamsLayer } from "./downstreams.ts"

export const stage = (name: string) => StageName.make(name)
export const documentId = DocumentId.make("01900000-0000-7000-8000-000000000001")

export const stagesOf = Schema.decodeUnknownSync(StagesRecord, { onExcessProperty: "error" })

/** Downstreams as the file of these settings has them, and exchanges with them. */
export const layerOf = (
  stages: StagesWritten,
  downstreams: DownstreamsWritten = {},
  env: Record<string, string> = {}
) => {
  const all: DownstreamsRecord = withOwnDownstreams(stagesOf(stages), Effect.runSync(decodeDownstreams(downstreams)))
  const written = Object.fromEntries(
    Object.entries(all).map(([name, settings]) => [name, Schema.encodeSync(DownstreamSettings)(settings)])
  )
  return Layer.merge(
    downstreamsLayer(written),
    DownstreamHttp.layer.pipe(
      Layer.provide(Layer.succeed(DownstreamsConfig, all)),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    )
  )
}

const subject = { tenant: acme, document: documentId, name: "report.pdf", priority: 0 }

export const pageOf = (number: number, text: string, layout?: PageLayout): PageResult => ({
  number,
  status: text === "" ? "scanned" : "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text,
  lines: noLines,
  ...(layout === undefined ? {} : { layout: encodeLayout(layout).bytes }),
  error: undefined,
  elapsedMillis: 1
})

const bytesLocation = (text: string | Uint8Array): BlobLocation => ({
  _tag: "Bytes",
  bytes: typeof text === "string" ? new TextEncoder().encode(text) : text
})

export const textOf = ({ bytes }: StageContent): string => new TextDecoder().decode(bytes)

interface Given {
  readonly name?: string
  readonly file?: string | Uint8Array
  readonly earlier?: Readonly<Record<string, StageContent>>
}

const common = ({ earlier = {}, file = "%PDF-1.7 the file", name = subject.name }: Given) => ({
  ...subject,
  name,
  pdf: { key: "pdf", location: bytesLocation(file), password: undefined satisfies Redacted.Redacted | undefined },
  earlier: (wanted: StageName) => Effect.succeed(Option.fromUndefinedOr(earlier[wanted]))
})

export const pageInput = (page: PageResult, given: Given = {}): PageInput => ({ ...common(given), page })

export const documentInput = (pages: ReadonlyArray<PageResult>, given: Given = {}): DocumentInput => ({
  ...common(given),
  pageCount: pages.length,
  pages: (from) => Effect.succeed(pages.filter(({ number }) => number >= from).slice(0, 2)),
  earlierOfPage: () => Effect.succeed(Option.none())
})

export const sourceInput = (name: string, file: string | Uint8Array): SourceInput => ({
  ...subject,
  name,
  location: bytesLocation(file)
})

/** Runs the page stage on the page, or the document stage on the document of this page. */
export const runStage = (
  made: Stage,
  page: PageResult,
  given: Given = {}
): Effect.Effect<PageOutput, StageFailure, Downstreams> => {
  if (made.kind === "page") return made.run(pageInput(page, given))
  if (made.kind === "document") return made.run(documentInput([page], given))
  return Effect.die("a source stage")
}

/** Draws nothing: bytes that say what was asked for. */
export const drawPage = (
  { page }: { readonly page: number },
  { dpi, format }: { readonly dpi: number; readonly format: "png" | "webp" }
) =>
  Effect.succeed<StageContent>({
    mediaType: `image/${format}`,
    bytes: new TextEncoder().encode(`page ${page} at ${dpi}`)
  })
