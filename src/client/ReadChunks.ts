import { Effect, Schema, Stream } from "effect"
import { HttpClientRequest, HttpClientResponse } from "effect/http"
import { Chunk } from "../domain/chunk/Chunk.ts"
import type { Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Chunk))

export const chunksWith =
  ({ ask, http, urlOf }: Connection): Interface["chunks"] =>
  (id, query = {}) => {
    const urlParams = Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
    )
    const request = HttpClientRequest.get(urlOf(`/v1/documents/${id}/chunks.ndjson`), { urlParams })
    const answered = ask(Effect.flatMap(http.execute(request), HttpClientResponse.filterStatusOk))
    return Stream.unwrap(
      Effect.map(answered, ({ stream }) =>
        stream.pipe(
          Stream.decodeText,
          Stream.splitLines,
          Stream.filter((line) => line !== ""),
          Stream.mapEffect((line) => decode(line)),
          Stream.catch((error) => Stream.fromEffect(ask(Effect.fail(error))))
        )
      )
    )
  }
