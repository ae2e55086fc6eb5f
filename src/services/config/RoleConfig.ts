import { Config } from "effect"

export const roles = ["all", "api", "runner"] as const
export type Role = (typeof roles)[number]

/** What this process does: serves the interface (`api`), runs documents (`runner`), or both. */
export const RoleConfig = Config.Literals(roles, "ROLE").pipe(Config.withDefault("all"))
