import { Console, Duration, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { SearchAnswer, type SearchHit } from "../../../domain/search/Search.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { Json, printJson } from "../../Json.ts"
import { printable } from "../../Text.ts"

const entities: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&"
}

/** The snippet without its HTML. */
const plain = (snippet: string): string =>
  snippet.replaceAll(/<\/?mark>/g, "").replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity)

const linesOf = ({ chunk, document, page, snippet }: SearchHit): string =>
  [
    `${printable(document.name)}, page ${page}  ${document.id}`,
    ...(chunk.headings.length === 0 ? [] : [`  ${printable(chunk.headings.join(" > "))}`]),
    `  ${printable(plain(snippet))}`
  ].join("\n")

export const search = Command.make(
  "search",
  {
    query: Argument.String("query").pipe(Argument.withDescription("What is looked for")),
    limit: Flag.Int("limit").pipe(Flag.withAlias("n"), Flag.withDescription("The most hits"), Flag.withDefault(10)),
    keyword: Flag.Boolean("keyword").pipe(
      Flag.withDescription("By words only, without the model"),
      Flag.withDefault(false)
    ),
    deadline: Flag.Int("deadline").pipe(
      Flag.withDescription("Milliseconds to wait: what takes longer is left out"),
      Flag.optional
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ deadline, keyword, limit, query }) {
      const sluice = yield* SluiceClient
      const answer = yield* sluice.search(query, {
        limit,
        ...(keyword ? { mode: "keyword" as const } : {}),
        deadline: Option.getOrUndefined(Option.map(deadline, Duration.millis))
      })
      if (yield* Json) return yield* printJson(SearchAnswer, answer)
      for (const hit of answer.hits) yield* Console.log(linesOf(hit))
      if (answer.hits.length === 0) yield* Console.error("nothing was found")
      for (const { detail, part } of answer.degraded) yield* Console.error(`without ${part}: ${printable(detail)}`)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Searches in the documents of the tenant that went through a pipeline with the stage index, such as rag."
  ),
  Command.withExamples([{ command: 'sluice search "How did sales develop?" --limit 3' }])
)
