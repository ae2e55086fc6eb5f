import { Context } from "effect"

/** Limits of a JSON body, in addition to its schema; an annotation of endpoints. The default is enough for a few settings. */
export class JsonBody extends Context.Reference<{
  readonly bytes: number
  readonly depth: number
  readonly values: number
}>("sluice/http/api/schemas/JsonBody", { defaultValue: () => ({ bytes: 16 * 1024, depth: 8, values: 200 }) }) {}
