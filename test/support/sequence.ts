// The order in which test files begin: those that take long come first, so that at the end none is left that all others wait for.
import type { TestSpecification } from "vitest/node"
import { BaseSequencer } from "vitest/node"

/** Folders whose files start servers, browsers and databases, or go through thousands of histories. */
const longFolders = ["browser", "chaos", "simulation", "e2e", "cli", "telemetry", "whatif"]

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = longFolders.findIndex((folder) => moduleId.includes(`/test/${folder}/`))
  return place < 0 ? longFolders.length : place
}

/** Within a folder the order is that of Vitest: by what an earlier run took, or by size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}
