import { assert, describe, it } from "@effect/vitest"
import { Shares } from "../../../src/actors/scheduling/FairShares.ts"
import { learningMillis, silentMillis, TurnLedger } from "../../../src/actors/turns/TurnLedger.ts"
import { type News, TurnNumber, type TurnRequest } from "../../../src/actors/turns/TurnsProtocol.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { PoolName } from "../../../src/services/pools/Pools.ts"

const [one, two] = [PoolName.make("one"), PoolName.make("two")]
const start = 10_000
/** When a ledger that was made at `start` gives turns. */
const open = start + learningMillis
const turn = (number: number) => TurnNumber.make(number)

const request = (number: number, tenant: string, more: Partial<TurnRequest> = {}): TurnRequest => ({
  turn: turn(number),
  tenant: TenantId.make(tenant),
  weight: 1,
  priority: 0,
  estimatedMillis: 60,
  isNewcomer: false,
  pools: [],
  anywhere: true,
  ...more
})

const news = (runner: PoolName, number: number, more: Partial<News> = {}): News => ({
  runner,
  number,
  isComplete: number === 1,
  ready: 2,
  openWeight: 1,
  asked: [],
  held: [],
  ended: [],
  ...more
})

const makeLedger = () => {
  const shares = new Shares()
  return { shares, ledger: new TurnLedger(shares, start) }
}

/** What the runner is told when turns are given at this moment. */
const givenTo = (ledger: TurnLedger, runner: PoolName, now = open) => {
  ledger.give(now)
  return ledger.tell(runner).given.map(({ pool, turn }) => `${turn} in ${pool}`)
}

describe("the ledger of turns", () => {
  it("gives turns in the own pool first, then in that of others, and no more than there are workers", () => {
    const { ledger } = makeLedger()
    ledger.hear(news(one, 1, { asked: [1, 2, 3, 4, 5].map((each) => request(each, "a")) }), start)
    ledger.hear(news(two, 1), start)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in one", "2 in one", "3 in two", "4 in two"])
    ledger.hear(news(one, 2, { ended: [{ turn: turn(3), usedMillis: 50 }] }), open)
    assert.deepStrictEqual(givenTo(ledger, one), ["5 in two"])
  })

  it("gives a document that is not worth a further pool its turns where it is open", () => {
    const { ledger } = makeLedger()
    const only = { anywhere: false, pools: [two] }
    ledger.hear(news(two, 1, { ready: 1 }), start)
    ledger.hear(news(one, 1, { asked: [request(1, "a", only), request(2, "a", only)] }), start)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in two"])
    ledger.hear(news(one, 2, { asked: [request(3, "a", { anywhere: true, pools: [two] })] }), open)
    assert.deepStrictEqual(givenTo(ledger, one), ["3 in one"])
  })

  it("gives tenants of several runners turns by their weights", () => {
    const { ledger } = makeLedger()
    const used = new Map<string, number>()
    const homes = new Map([
      ["light", one],
      ["heavy", two]
    ])
    const numbers = new Map([
      [one, 1],
      [two, 1]
    ])
    let next = 1
    const tenants = new Map<number, string>()
    const ask = (tenant: string) => {
      tenants.set(next, tenant)
      return request(next++, tenant, { weight: tenant === "heavy" ? 3 : 1 })
    }
    const many = (tenant: string) => Array.from({ length: 6 }, () => ask(tenant))
    ledger.hear(news(one, 1, { asked: many("light") }), start)
    ledger.hear(news(two, 1, { asked: many("heavy") }), start)
    for (let now = open; now < open + 12_000; now += 60) {
      ledger.give(now)
      for (const [tenant, runner] of homes) {
        const { given } = ledger.tell(runner)
        const ended = given.map((each) => ({ turn: each.turn, usedMillis: tenant === "heavy" ? 80 : 40 }))
        for (const { usedMillis } of ended) used.set(tenant, (used.get(tenant) ?? 0) + usedMillis)
        const number = (numbers.get(runner) ?? 0) + 1
        numbers.set(runner, number)
        ledger.hear(news(runner, number, { ended, asked: given.map(() => ask(tenant)) }), now)
      }
    }
    assert.approximately((used.get("heavy") ?? 0) / (used.get("light") ?? 1), 3, 0.09)
  })

  it("does nothing twice when news are repeated", () => {
    const { ledger, shares } = makeLedger()
    const first = news(one, 1, { asked: [request(1, "a"), request(2, "a"), request(3, "a")] })
    for (let times = 0; times < 2; times++) assert.isTrue(ledger.hear(first, start))
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in one", "2 in one"])
    const ends = news(one, 2, { ended: [{ turn: turn(1), usedMillis: 100 }] })
    for (let times = 0; times < 2; times++) assert.isTrue(ledger.hear(ends, open))
    assert.strictEqual(shares.virtualTime(TenantId.make("a")), 160)
    assert.deepStrictEqual(givenTo(ledger, one), ["3 in one"])
    // Late: everything as it was at first.
    assert.isTrue(ledger.hear(first, open))
    assert.deepStrictEqual(givenTo(ledger, one), [])
  })

  it("asks for everything when news were lost, and then knows what is held, asked for and over", () => {
    const { ledger, shares } = makeLedger()
    ledger.hear(news(one, 1, { asked: [request(1, "a"), request(2, "a"), request(3, "a")] }), start)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in one", "2 in one"])
    // News 2 said that turn 1 has ended and that 4 is asked for.
    assert.isFalse(ledger.hear(news(one, 3, { ended: [{ turn: turn(3), usedMillis: 0 }] }), open))
    const everything = {
      isComplete: true,
      asked: [request(4, "a")],
      held: [{ request: request(2, "a"), pool: one }],
      ended: [
        { turn: turn(1), usedMillis: 100 },
        { turn: turn(3), usedMillis: 0 }
      ]
    }
    assert.isTrue(ledger.hear(news(one, 4, everything), open))
    assert.deepStrictEqual(givenTo(ledger, one), ["4 in one"])
    assert.strictEqual(shares.virtualTime(TenantId.make("a")), 220)
  })

  it("tells once more of a turn whose news got lost on the way back", () => {
    const { ledger } = makeLedger()
    const asked = [request(1, "a"), request(2, "a")]
    ledger.hear(news(one, 1, { asked, ready: 1 }), start)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in one"])
    ledger.hear(news(one, 2, { asked, isComplete: true, ready: 1 }), open)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in one"])
  })

  it("gives nothing at first when it is new, and then nothing that others hold", () => {
    const { ledger } = makeLedger()
    const held = [1, 2].map((each) => ({ request: request(each, "a"), pool: two }))
    assert.isFalse(ledger.hear(news(one, 7, { asked: [request(3, "a")] }), start))
    assert.isTrue(ledger.hear(news(one, 8, { isComplete: true, ready: 0, held, asked: [request(3, "a")] }), start))
    assert.deepStrictEqual(givenTo(ledger, one, open - 1), [])
    ledger.hear(news(two, 5, { isComplete: true }), open - 1)
    assert.deepStrictEqual(givenTo(ledger, one), [])
    ledger.hear(news(one, 9, { ready: 0, ended: [{ turn: turn(1), usedMillis: 60 }] }), open)
    assert.deepStrictEqual(givenTo(ledger, one), ["3 in two"])
  })

  it("ends the turns of a pool that has fallen silent, and charges nobody for them", () => {
    const { ledger, shares } = makeLedger()
    ledger.hear(news(one, 1, { ready: 0, asked: [request(1, "a"), request(2, "a")] }), start)
    ledger.hear(news(two, 1, { asked: [request(1, "b", { estimatedMillis: 10 })], ready: 3 }), start)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in two", "2 in two"])
    const later = open + silentMillis
    ledger.hear(news(one, 2, { ready: 0 }), later)
    ledger.tick(later)
    assert.deepStrictEqual(ledger.tell(one).lost, [turn(1), turn(2)])
    assert.strictEqual(shares.virtualTime(TenantId.make("a")), 0)
    // The one that held them says nothing new of them.
    ledger.hear(news(one, 3, { ready: 1, ended: [{ turn: turn(1), usedMillis: 60 }], asked: [request(3, "a")] }), later)
    assert.deepStrictEqual(givenTo(ledger, one, later), ["3 in one"])
    assert.strictEqual(shares.virtualTime(TenantId.make("a")), 60)
  })

  it("lets what waited for a lost pool go on where it is asked for", () => {
    const { ledger } = makeLedger()
    ledger.hear(news(two, 1, { ready: 0 }), start)
    ledger.hear(news(one, 1, { asked: [request(1, "a", { anywhere: false, pools: [two] })] }), start)
    assert.deepStrictEqual(givenTo(ledger, one), [])
    const later = open + silentMillis
    ledger.hear(news(one, 2), later)
    ledger.tick(later)
    assert.deepStrictEqual(givenTo(ledger, one, later), ["1 in one"])
  })

  it("gives a newcomer its turn before the others, whichever runner has it", () => {
    const { ledger } = makeLedger()
    ledger.hear(news(one, 1, { ready: 1, asked: [1, 2, 3].map((each) => request(each, "a")) }), start)
    assert.deepStrictEqual(givenTo(ledger, one), ["1 in one"])
    ledger.hear(news(two, 1, { ready: 0, asked: [request(1, "new", { isNewcomer: true })] }), open)
    ledger.hear(news(one, 2, { ready: 1, ended: [{ turn: turn(1), usedMillis: 60 }] }), open)
    assert.deepStrictEqual(givenTo(ledger, two), ["1 in one"])
    assert.deepStrictEqual(givenTo(ledger, one), [])
  })
})
