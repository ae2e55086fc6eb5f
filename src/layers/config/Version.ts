import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"

const decodeManifest = Schema.decodeSync(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

/** The version of this package. The relative path to package.json is the same from the sources and from the build. */
export const version = (): string =>
  decodeManifest(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")).version
