import { Context } from "effect"

/** What a JSON body may be, beside its schema; an annotation of endpoints. The default is enough for a handful of settings. */
export class JsonBody extends Context.Reference<{
  readonly bytes: number
  readonly depth: number
  readonly values: number
}>("sluice/http/api/schemas/JsonBody", { defaultValue: () => ({ bytes: 16 * 1024, depth: 8, values: 200 }) }) {}
