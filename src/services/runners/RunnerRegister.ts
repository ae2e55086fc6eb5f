import { Context, Effect } from "effect"
import type { RunnerId } from "../../domain/Ids.ts"
import type { Role } from "../config/RoleConfig.ts"
import type { StoreUnavailable } from "../store/StoreErrors.ts"

/** What a process says of itself. */
export interface RunnerState {
  readonly id: RunnerId
  /** Milliseconds since the epoch, by the clock of its machine. */
  readonly startedAt: number
  /** Tenants whose actor it has. */
  readonly tenants: number
  /** Documents that it runs, and the most that it may. */
  readonly documents: number
  readonly permits: number
  /** Page workers that are alive, and how many read at the same time. */
  readonly workers: number
  readonly capacity: number
}

export interface RunnerEntry extends RunnerState {
  /** Where other runners reach it. */
  readonly name: string
  readonly role: Role
  /** Of its release; absent outside a cluster. */
  readonly version?: string
  /** Parts of all tenants that it has; absent outside a cluster. */
  readonly shards?: number
}

interface RunnerRegisterShape {
  readonly role: Role
  /** Enters the state of this process, and answers with those of all processes that are alive, this one among them. */
  readonly exchange: (own: RunnerState) => Effect.Effect<ReadonlyArray<RunnerEntry>, StoreUnavailable>
  /** What all processes had together at the last exchange; undefined while this one is alone, or knows of no others yet. */
  readonly totals: () => Pick<RunnerState, "permits" | "capacity"> | undefined
}

/** Who belongs to the engine. Unless it is a cluster, this process is alone. */
export const RunnerRegister = Context.Reference<RunnerRegisterShape>("sluice/services/RunnerRegister", {
  defaultValue: () => ({
    role: "all",
    totals: () => undefined,
    exchange: (own) => Effect.succeed([{ ...own, name: "local", role: "all" }])
  })
})
