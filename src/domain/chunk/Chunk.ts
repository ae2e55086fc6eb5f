import { Schema } from "effect"
import { Box } from "../document/PageLayout.ts"
import { PageNumber } from "../document/Page.ts"
import { examples } from "../Examples.ts"

/** What the chunk consists of: `text` may hold anything but tables and figures; `list` and `code` hold nothing else. */
export const ChunkKind = Schema.Literals(["text", "table", "list", "code", "figure"])
export type ChunkKind = typeof ChunkKind.Type

/** 32 hexadecimal digits; the same file, divided in the same way, has the same ones. */
export const ChunkId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{32}$/)).annotate({
  examples: ["0f5c9d2ab1e34c7788a1b2c3d4e5f607"]
})

export const ChunkPlace = Schema.Struct({ page: PageNumber, box: Box })
export type ChunkPlace = typeof ChunkPlace.Type

export const chunkExample = {
  id: "0f5c9d2ab1e34c7788a1b2c3d4e5f607",
  ordinal: 4,
  kind: "text",
  text: "2.1 Sales\n\nSales rose by seven percent.",
  context: "2 The year",
  headings: ["2 The year", "2.1 Sales"],
  pages: [3, 3],
  places: [{ page: 3, box: { x: 72, y: 110, width: 320, height: 48 } }],
  tokens: 19
} as const

/** A part of a document, of a size that models and searches work with. */
export const Chunk = Schema.Struct({
  id: ChunkId,
  ordinal: Schema.Natural.annotate({ description: "Its place among the chunks of the document, counted from 0." }),
  kind: ChunkKind,
  text: Schema.String.annotate({ description: "What it says. Tables are rows of pipes, as in Markdown." }),
  context: Schema.String.annotate({
    description:
      "The headings above it that are not in its text, joined by ` > `; empty when there are none. Embed `context`, a line feed, then `text`."
  }),
  headings: Schema.Array(Schema.String).annotate({
    description: "All headings above its first line, the highest first."
  }),
  pages: Schema.Tuple([PageNumber, PageNumber]).annotate({ description: "Its first and its last page." }),
  places: Schema.Array(ChunkPlace).annotate({
    description:
      "Where it stands, in order. PDF points; the origin is the top left corner of the page as displayed. Empty for pages without layout and size."
  }),
  tokens: Schema.Natural.annotate({ description: "Of what is embedded: context and text." }),
  part: Schema.optionalKey(
    Schema.Struct({ index: Schema.Natural, count: Schema.Natural }).annotate({
      description: "Of a table or code that was too large for one chunk: which of how many, counted from 0."
    })
  ),
  oversized: Schema.optionalKey(
    Schema.Literal(true).annotate({ description: "It is one row of a table that is larger than the limit by itself." })
  )
}).pipe(Schema.annotate({ identifier: "Chunk" }), examples(chunkExample))
export interface Chunk extends Schema.Schema.Type<typeof Chunk> {}

export const leastChunkTokens = 64
export const mostChunkTokens = 8_192
export const defaultChunkTokens = 512
