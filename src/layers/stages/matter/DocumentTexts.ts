// A document as a text, from the pages that a document stage is given: first all are seen, then they are rendered one by one.
import { Effect, Option, Stream } from "effect"
import { renderedPage } from "../../../actors/renderings/DocumentPages.ts"
import { jsonEnd, jsonHead, pageJson } from "../../../actors/renderings/RenderDocument.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import { Renderer, type RenderFormat } from "../../../domain/rendering/Renderer.ts"
import { renderDefaults } from "../../../domain/rendering/RenderOptions.ts"
import { type DocumentStructure, StructureCollector } from "../../../domain/rendering/structure/DocumentStructure.ts"
import type { DocumentInput } from "../../../services/pipelines/Stage.ts"
import type { StoreUnavailable } from "../../../services/store/StoreErrors.ts"

export type DocumentFormat = RenderFormat | "json"

/** Whether gaps are marked in the text. */
const marks = true

const pagesOf = ({ pages }: DocumentInput): Stream.Stream<PageResult, StoreUnavailable> =>
  Stream.paginate(1, (from: number) =>
    Effect.map(pages(from), (found) => {
      const last = found.at(-1)
      return [found, last === undefined ? Option.none<number>() : Option.some(last.number + 1)] as const
    })
  )

const structureOf = Effect.fnUntraced(function* (input: DocumentInput) {
  const collector = new StructureCollector()
  yield* Stream.runForEach(pagesOf(input), (page) => Effect.sync(() => collector.add(renderedPage(page, false))))
  return collector.structure(input.outline)
})

const jsonParts = (input: DocumentInput, structure: DocumentStructure) =>
  Stream.make(jsonHead(structure)).pipe(
    Stream.concat(
      Stream.intersperse(
        Stream.map(pagesOf(input), (page) => pageJson(page, structure)),
        ",\n"
      )
    ),
    Stream.concat(Stream.make(jsonEnd))
  )

const textParts = (input: DocumentInput, structure: DocumentStructure, format: RenderFormat) =>
  Stream.suspend(() => {
    const renderer = new Renderer(format, structure, renderDefaults, input.name)
    return Stream.make(renderer.head).pipe(
      Stream.concat(Stream.map(pagesOf(input), (page) => renderer.page(renderedPage(page, marks)))),
      Stream.concat(Stream.sync(() => renderer.end())),
      Stream.filter((part) => part !== "")
    )
  })

/** The parts of the text. They are made while they are taken, of one portion of pages at a time. */
export const documentText = (input: DocumentInput, format: DocumentFormat): Stream.Stream<string, StoreUnavailable> =>
  Stream.unwrap(
    Effect.map(structureOf(input), (structure) =>
      format === "json" ? jsonParts(input, structure) : textParts(input, structure, format)
    )
  )

/** One page as Markdown, as it shows itself alone. */
export const pageMarkdown = (page: PageResult, name: string): string => {
  const collector = new StructureCollector()
  const rendered = renderedPage(page, false)
  collector.add(rendered)
  const renderer = new Renderer("markdown", collector.structure(), renderDefaults, name)
  return renderer.head + renderer.page(rendered) + renderer.end()
}

/** One page with its layout, as JSON. */
export const pageLayout = (page: PageResult): string => {
  const collector = new StructureCollector()
  collector.add(renderedPage(page, false))
  return pageJson(page, collector.structure())
}
