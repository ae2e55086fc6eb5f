import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Result } from "effect"
import { parseChange } from "../../src/cli/commands/tenants.ts"
import { alter, change, idOf } from "../http/fakes.ts"
import { postPdf, testServer } from "../http/client.ts"
import { sluice, sluiceHere } from "./harness.ts"

const id = idOf(1)

const includes = (text: string, ...parts: ReadonlyArray<string>) => {
  for (const part of parts) assert.include(text, part)
}

describe("The command line", () => {
  it.effect("tells its version, its commands, and what shells can complete", () =>
    Effect.gen(function* () {
      assert.match((yield* sluice(["--version"])).out, /^sluice v\d+\.\d+\.\d+$/)
      const help = yield* sluice(["--help"])
      assert.strictEqual(help.code, 0)
      const commands = ["serve", "ingest", "status", "cancel", "retry", "tenants", "keys", "watch", "doctor", "storage"]
      includes(help.out, ...commands, "Exit codes")
      for (const shell of ["bash", "zsh", "fish", "powershell"]) {
        includes((yield* sluice(["--completions", shell])).out, ...commands, "format")
      }
    })
  )

  it.effect("has a help of its own for each command that the help names", () =>
    Effect.gen(function* () {
      const list = (yield* sluice(["--help"])).out.split("SUBCOMMANDS")[1] ?? ""
      const names = Array.from(list.matchAll(/^ {2}(\w+) +\S/gm), ([, name = ""]) => name)
      assert.strictEqual(names.length, 28)
      for (const name of names) includes((yield* sluice([name, "--help"])).out, "DESCRIPTION", `sluice ${name}`)
    })
  )

  it.effect("ends with 2 for what it does not understand", () =>
    Effect.gen(function* () {
      for (const args of [
        ["bogus"],
        ["status", "--bogus"],
        ["status", "no-id"],
        ["status", "--url", "ftp://example.org"],
        ["cancel"],
        ["ingest"],
        ["ingest", "--local", "a.pdf"],
        ["ingest", "no-such-file.pdf"],
        ["tenants", "acme", "--set", "wait=1"],
        ["tenants", "--set", "weight=2"],
        ["keys", "list"],
        ["keys", "create", "--tenant", "acme"],
        ["keys", "create", "a\nb", "--tenant", "acme"],
        ["keys", "revoke", "no-id", "--tenant", "acme"],
        ["watch", "--count", "0"]
      ]) {
        const { code, err, out } = yield* sluice(args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.strictEqual(out, "", args.join(" "))
        assert.match(err, /^sluice: USAGE: [^\n]+\nusage: sluice [^\n]+\nsee sluice [^\n]*--help$/, args.join(" "))
        const json = yield* sluice([...args, "--json"])
        assert.strictEqual(json.code, 2, args.join(" "))
        assert.strictEqual(json.out, "", args.join(" "))
        const { error } = JSON.parse(json.err)
        assert.strictEqual(error.code, "USAGE")
        assert.strictEqual(err, `sluice: USAGE: ${error.detail}\n${String(error.advice).replace("; see", "\nsee")}`)
      }
    })
  )

  it.effect("says in its own words what is wrong, and shows the usage of the command that was meant", () =>
    Effect.gen(function* () {
      for (const [args, words, usage] of [
        ["stauts", 'there is no command "stauts"; did you mean status?', "sluice <subcommand> [flags]"],
        ["keys lst", 'there is no command "lst"; did you mean list?', "sluice keys <subcommand> [flags]"],
        ["status --tennant a", "there is no flag --tennant; did you mean --tenant?", "sluice status [flags] [<id>]"],
        ["status no-id", '<id> cannot be "no-id": expected a UUID', "sluice status [flags] [<id>]"],
        ["cancel", "<id> is missing", "sluice cancel [flags] <id>"],
        ["watch --count 0", '--count cannot be "0": expected at least 1', "sluice watch [flags] [<tenants...>]"],
        [
          "ingest a.pdf --format",
          "--format has no value: expected text | ndjson | md | html | json",
          "sluice ingest [flags] <files...>"
        ],
        ["keys list", "--tenant says whose keys are meant", "sluice keys list [flags]"],
        [
          "storage dicsard",
          'there is no command "dicsard"; did you mean discard?',
          "sluice storage <subcommand> [flags]"
        ],
        ["storage discard", "originals that no document refers to", "sluice storage discard [flags]"]
      ] as const) {
        const { err } = yield* sluice(args.split(" "))
        assert.include(err, `sluice: USAGE: ${words}`)
        assert.include(err, `\nusage: ${usage}`)
      }
      for (const [name, first, ...others] of [
        ["keys", "create", "list", "revoke"],
        ["storage", "adopt", "discard"]
      ] as const) {
        const asked = yield* sluice([name])
        assert.deepStrictEqual([asked.code, asked.err], [0, ""])
        includes(asked.out, first, ...others)
        const unsaid = yield* sluice([name, "--json"])
        assert.deepStrictEqual([unsaid.code, unsaid.out], [2, ""])
        const all = [first, ...others.slice(0, -1)].join(", ")
        assert.include(JSON.parse(unsaid.err).error.detail, `${name} needs one of ${all} and ${others.at(-1)}`)
      }
    })
  )

  it.effect("takes no credentials in the URL, and does not tell them", () =>
    Effect.gen(function* () {
      const url = "http://someone:s3cret@127.0.0.1:1"
      for (const text of [url, "http://s3cret@127.0.0.1:1", "ftp://a:s3cret@127.0.0.1", "http://a:s3cret@ho st"]) {
        for (const more of [[], ["--json"]]) {
          for (const { code, err, out } of [
            yield* sluice(["status", "--url", text, ...more]),
            yield* sluice(["status", ...more], { SLUICE_URL: text })
          ]) {
            assert.strictEqual(code, 2)
            includes(err, "USAGE", "--url or SLUICE_URL")
            assert.notInclude(err + out, "s3cret")
          }
        }
      }
    })
  )

  it.effect("says in one line that nobody listens", () =>
    Effect.gen(function* () {
      const { code, err } = yield* sluice(["status", "--url", "http://127.0.0.1:1"])
      assert.strictEqual(code, 1)
      assert.match(err, /^sluice: UNREACHABLE: http:\/\/127\.0\.0\.1:1 cannot be reached: [^\n]*$/)
      const json = yield* sluice(["status", "--url", "http://127.0.0.1:1", "--json"])
      assert.strictEqual(JSON.parse(json.err).error.code, "UNREACHABLE")
    })
  )

  it.effect("says a problem's code and detail in one line", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* sluiceHere(["status", idOf(9)])
      assert.deepStrictEqual([code, err, out], [1, `sluice: DOCUMENT_NOT_FOUND: there is no document ${idOf(9)}`, ""])
      yield* change({ storeWorks: false })
      const away = yield* sluiceHere(["status"])
      assert.match(away.err, /^sluice: STORE_UNAVAILABLE: [^\n]* — Try again soon\.$/)
    }).pipe(Effect.provide(testServer))
  )
})

describe("status", () => {
  it.effect("shows the queue of the tenant or of all", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents", { "x-tenant-id": "acme" })
      includes((yield* sluiceHere(["status", "--tenant", "acme"])).out, "waiting     1 (highest 7)", "in about 12.5 s")
      includes((yield* sluiceHere(["status"])).out, "waiting     0")
      assert.strictEqual(JSON.parse((yield* sluiceHere(["status", "--all", "--json"])).out).queue_size, 1)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("shows one document, and steers no terminal with its name", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents?name=a%1B%5B31mred.pdf")
      yield* alter(id, {
        status: "running",
        progress: { pages: 12, done: 6, failed: 1 },
        waiting: { gate: "page", position: 3, pagesAhead: 240 }
      })
      const { code, out } = yield* sluiceHere(["status", id])
      assert.strictEqual(code, 0)
      includes(out, id, "running", "6 of 12 pages, 1 failed", "page, number 3, 240 pages ahead")
      assert.notInclude(out, "\u001b")
      const shown = JSON.parse((yield* sluiceHere(["status", id, "--json"])).out)
      assert.deepInclude(shown, { id, status: "running" })
    }).pipe(Effect.provide(testServer))
  )
})

describe("cancel and retry", () => {
  it.effect("cancels a document, and says when there is nothing to cancel", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const first = yield* sluiceHere(["cancel", id])
      assert.strictEqual(first.code, 0, first.err)
      includes(first.out, "cancelled")
      yield* alter(id, { status: "completed" })
      const late = yield* sluiceHere(["cancel", id])
      assert.strictEqual(late.code, 1)
      includes(late.err, "NOT_CANCELLABLE: the document is completed already")
      includes((yield* sluiceHere(["status", id])).out, "completed")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("retries a document, with the password of the environment", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const { code, out } = yield* sluiceHere(["retry", id], { SLUICE_PDF_PASSWORD: "secret" })
      assert.strictEqual(code, 0)
      includes(out, id)
    }).pipe(Effect.provide(testServer))
  )
})

describe("tenants", () => {
  it.effect("shows a tenant, and changes it", () =>
    Effect.gen(function* () {
      includes((yield* sluiceHere(["tenants", "--tenant", "acme"])).out, "tenant         acme")
      const { code, out } = yield* sluiceHere(["tenants", "globex", "--set", "weight=2, rate=default,paused=true"])
      assert.strictEqual(code, 0)
      includes(out, "globex", "no limit")
    }).pipe(Effect.provide(testServer))
  )

  it("takes numbers, default and yes or no", () => {
    assert.deepStrictEqual(Result.getOrThrow(parseChange("weight=2.5,rate=default,burst=null,paused=false")), {
      weight: 2.5,
      rate: null,
      burst: null,
      paused: false
    })
    for (const wrong of ["weight", "weight=a", "weight=0", "documents=1.5", "=1", "", "paused=maybe"]) {
      assert.isTrue(Result.isFailure(parseChange(wrong)), wrong)
    }
  })
})

describe("keys", () => {
  const adminKey = "only-for-these-tests"
  const guarded = testServer.pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ADMIN_KEY: adminKey } })))
  )
  const keys = (args: ReadonlyArray<string>) =>
    sluiceHere(["keys", ...args, "--tenant", "acme"], { SLUICE_API_KEY: adminKey })

  it.effect("makes a key that works, lists it without the key, and revokes it", () =>
    Effect.gen(function* () {
      const made = yield* keys(["create", "nightly import"])
      assert.strictEqual(made.code, 0, made.err)
      const [key = "", id = ""] = /sluice_([0-9a-f]{16})_[0-9a-f]{64}/.exec(made.out) ?? []
      includes(made.out, "nightly import", "acme")
      const status = sluiceHere(["status"], { SLUICE_API_KEY: key })
      assert.strictEqual((yield* status).code, 0)
      const listed = yield* keys(["list"])
      includes(listed.out, id, "nightly import")
      assert.notInclude(listed.out, key)
      assert.strictEqual(JSON.parse((yield* keys(["list", "--json"])).out).keys[0].id, id)
      assert.strictEqual((yield* keys(["revoke", id])).code, 0)
      assert.strictEqual((yield* keys(["list"])).out, "acme has no keys")
      includes((yield* status).err, "sluice: KEY_UNKNOWN: ")
      includes((yield* keys(["revoke", id])).err, "sluice: KEY_NOT_FOUND: ")
    }).pipe(Effect.provide(guarded))
  )

  it.effect("says what a server wants that asks for keys", () =>
    Effect.gen(function* () {
      const { code, err } = yield* sluiceHere(["status"])
      assert.strictEqual(code, 1)
      includes(err, "sluice: AUTH_REQUIRED: ")
    }).pipe(Effect.provide(guarded))
  )
})

describe("watch", () => {
  it.effect("prints a line per look without a terminal", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents", { "x-tenant-id": "acme" })
      const { code, out } = yield* sluiceHere(["watch", "acme", "globex", "--count", "1"])
      assert.strictEqual(code, 0)
      assert.match(
        out,
        /^\d\d:\d\d:\d\d running 0\/4 waiting 1 \| ended 11 failed 2 \| acme 0\/2 [^\n]* globex [^\n]*$/
      )
      const json = JSON.parse((yield* sluiceHere(["watch", "acme", "--count", "1", "--json"])).out)
      assert.strictEqual(json.queue.queue_size, 1)
      assert.strictEqual(json.documents[0].status, "queued")
    }).pipe(Effect.provide(testServer))
  )
})
