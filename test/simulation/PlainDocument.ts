import type { TenantId } from "../../src/domain/Ids.ts"
import type { DocumentPlan } from "./Scenario.ts"

/** A document of one quick page with which nothing goes wrong. */
export const plainDocument = (index: number, tenant: TenantId): DocumentPlan => ({
  index,
  content: index,
  tenant,
  name: `document-${index}.pdf`,
  priority: undefined,
  notBefore: undefined,
  opening: "opens",
  openMillis: 1,
  pages: 1,
  pageMillis: () => 1,
  trouble: new Map(),
  followed: false,
  force: true,
  source: undefined
})
