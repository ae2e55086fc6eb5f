// Stages for tests: each asks a far side that counts its calls, does what a script says, and takes its time.
import { type Duration, Effect } from "effect"
import { noLines } from "../../src/domain/document/Page.ts"
import { StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import { Downstreams, type FarSideError } from "../../src/services/downstreams/Downstreams.ts"
import { type ScriptedDocument } from "../../src/services/PdfEngineScripted.ts"
import type {
  DocumentStage,
  PageOutput,
  PageStage,
  SourceStage,
  StageContent,
  StageError
} from "../../src/services/pipelines/Stage.ts"

export const contentOf = (text: string): StageContent => ({
  mediaType: "text/plain",
  bytes: new TextEncoder().encode(text)
})
export const textOf = ({ bytes }: { readonly bytes: Uint8Array }) => new TextDecoder().decode(bytes)

export const named = (name: string, version = "1", needs: ReadonlyArray<string> = []) => ({
  name: StageName.make(name),
  version: StageVersion.make(version),
  needs: needs.map((need) => StageName.make(need))
})

/** What one call does, by the number of earlier calls for the same thing. */
export type Script = (what: string, before: number) => Effect.Effect<void, FarSideError | StageError>

/** Outlives engines, as what is outside of them does. */
export class FarSide {
  /** What was asked for, in order; `answered` has what was answered. */
  readonly asked: Array<string> = []
  readonly answered: Array<string> = []
  inUse = 0
  most = 0
  takes: Duration.Input
  script: Script

  constructor(takes: Duration.Input = "100 millis", script: Script = () => Effect.void) {
    this.takes = takes
    this.script = script
  }

  ask(what: string): Effect.Effect<void, FarSideError | StageError> {
    return Effect.suspend(() => {
      const before = this.asked.filter((asked) => asked === what).length
      this.asked.push(what)
      this.inUse++
      this.most = Math.max(this.most, this.inUse)
      return Effect.sleep(this.takes).pipe(
        Effect.andThen(Effect.suspend(() => this.script(what, before))),
        Effect.tap(() =>
          Effect.sync(() => {
            this.answered.push(what)
          })
        ),
        Effect.ensuring(Effect.sync(() => void this.inUse--))
      )
    })
  }

  /** What was asked for more than once. */
  get twice(): ReadonlyArray<string> {
    return this.asked.filter((what, index) => this.asked.indexOf(what) !== index)
  }
}

/** A page stage that asks the far side through the downstream of this name. */
export const pageStage = (
  name: string,
  far: FarSide,
  options: {
    readonly downstream?: string
    readonly version?: string
    readonly needs?: ReadonlyArray<string>
    readonly output?: (page: number) => PageOutput
    readonly provides?: "text" | "artifact"
  } = {}
): PageStage => ({
  ...named(name, options.version, options.needs),
  kind: "page",
  provides: options.provides ?? "artifact",
  run: ({ page, tenant }) =>
    Effect.flatMap(Downstreams, ({ call }) =>
      Effect.as(
        call(options.downstream ?? "far", { tenant })(far.ask(`${name} ${page.number}`)),
        options.output?.(page.number) ?? { content: contentOf(`${name} of page ${page.number}`) }
      )
    )
})

/** The same stage with other work. */
export const running = (stage: PageStage, run: PageStage["run"]): PageStage => ({ ...stage, run })

/** A page stage that gives pages their text. */
export const readingStage = (name: string, far: FarSide, options: Parameters<typeof pageStage>[2] = {}): PageStage =>
  pageStage(name, far, {
    provides: "text",
    output: (page) => ({
      content: contentOf(`${name} of page ${page}`),
      reading: { text: `${name} read page ${page}`, lines: noLines }
    }),
    ...options
  })

export const documentStage = (
  name: string,
  far: FarSide,
  content: DocumentStage["run"] = ({ pageCount }) =>
    Effect.succeed({ content: contentOf(`${name} of ${pageCount} pages`) })
): DocumentStage => ({
  ...named(name),
  kind: "document",
  run: (input) =>
    Effect.flatMap(Downstreams, ({ call }) =>
      Effect.andThen(call("far", { tenant: input.tenant })(far.ask(name)), content(input))
    )
})

export const sourceStage = (name: string, far: FarSide, pdf: Uint8Array): SourceStage => ({
  ...named(name),
  kind: "source",
  accepts: (head, file) => file.endsWith(".txt") && head.length > 0,
  run: ({ tenant }) =>
    Effect.flatMap(Downstreams, ({ call }) => Effect.as(call("far", { tenant })(far.ask(name)), { pdf }))
})

/** A document of images without text. */
export const scannedDocument = (pageCount: number, takes: Duration.Input = 0): ScriptedDocument => ({
  open: () => ({ _tag: "Opens", pageCount, takes }),
  page: () => ({ _tag: "Page", takes, result: { status: "scanned", text: "" } })
})
