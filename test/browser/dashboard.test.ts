import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { makeAesPdf } from "../support/aes256.ts"
import { brokenPage, makePdf, manyPages, scannedPage, spinningPage, textPage } from "../support/pdf.ts"
import { type Visit, Visitor, visitorOf, whyNoBrowser } from "./browser.ts"
import { makeLine } from "./line.ts"

/** Drops a file as a mouse would. The code runs in the page. */
const drop = async (page: Page, name: string, bytes: Uint8Array) => {
  const transfer = await page.evaluateHandle(`{
    const transfer = new DataTransfer()
    const bytes = Uint8Array.from(atob("${Buffer.from(bytes).toString("base64")}"), (each) => each.charCodeAt(0))
    transfer.items.add(new File([bytes], "${name}", { type: "application/pdf" }))
    transfer
  }`)
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer })
}

const choose = (page: Page, name: string, bytes: Uint8Array) =>
  page.setInputFiles("#files", { name, mimeType: "application/pdf", buffer: Buffer.from(bytes) })

const rowOf = (page: Page, name: string) => page.locator("li.row").filter({ hasText: name })

/** Waits until the document's row says this. */
const shows = (page: Page, name: string, text: string) => rowOf(page, name).filter({ hasText: text }).first().waitFor()

/** A visit to the dashboard that leaves nothing to complain about. */
const visiting = (look: (visit: Visit & { readonly url: string }) => Promise<void>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { url, visit } = yield* Visitor
      const found = yield* visit
      yield* Effect.promise(() => look({ ...found, url }))
      assert.deepStrictEqual(found.complaints, [])
    })
  )

const title = whyNoBrowser === undefined ? "the dashboard" : `the dashboard (skipped: ${whyNoBrowser})`

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  layer(visitorOf(), { timeout: "5 minutes" })((it) => {
    it.effect("takes a dropped PDF, lights its pages up, and shows the text of one", () =>
      visiting(async ({ page }) => {
        await drop(page, "dropped.pdf", manyPages(12))
        await shows(page, "dropped.pdf", "completed")
        await shows(page, "dropped.pdf", "12 pages")
        await page.getByRole("link", { name: "dropped.pdf" }).click()
        await page.getByRole("list", { name: "Pages by result" }).getByText("12 ok").waitFor()
        await page.getByLabel("Text of page 1").getByText("Page 1 of 12").waitFor()
        await page.getByRole("button", { name: "Next page" }).click()
        await page.getByLabel("Text of page 2").getByText("Page 2 of 12").waitFor()
        await page.getByRole("button", { name: "As laid out" }).click()
        await page.getByRole("img", { name: "The lines of page 2" }).getByText("Page 2 of 12").waitFor()
      })
    )

    it.effect("says why a file is refused, and what to do", () =>
      visiting(async ({ page }) => {
        await choose(page, "notes.txt", Buffer.from("no PDF at all"))
        await shows(page, "notes.txt", "NOT_PDF")
        await shows(page, "notes.txt", "Send a file that starts with a %PDF header.")
      })
    )

    it.effect("sends a file with a password beyond what a header carries, and the next one too", () =>
      visiting(async ({ page }) => {
        await page.getByText("Password, priority").click()
        await page.getByLabel("Password").fill("пароль")
        await choose(page, "secret.pdf", manyPages(2))
        await shows(page, "secret.pdf", "completed")
        await choose(page, "secret too.pdf", manyPages(3))
        await shows(page, "secret too.pdf", "3 pages")
      })
    )

    it.effect(
      "says what it shows in words: units that are rounded before they are split, sentences with one full stop",
      () =>
        visiting(async ({ page }) => {
          const told: unknown = await page.evaluate(`import("/dashboard/words.js").then((words) => ({
          durations: [0, 54, 999.4, 999.6, 9949, 9960, 59600, 99500, 119400, 119600, 3599600, 3600000, 7199999, 200000000]
            .map(words.duration),
          bytes: [999, 1000, 99949, 99960, 999400, 999600].map(words.bytes),
          sentences: [
            words.sentences("the file is encrypted", "Send it again."),
            words.sentences("it ended.", undefined, "", "why?"),
            words.sentences("it said (it ended.)", " twice  "),
            words.sentences("first, ", "then;")
          ],
          dueAt: [
            { acceptedAt: "2030-01-01T00:00:00Z" },
            { acceptedAt: "2030-01-01T00:00:00Z", notBefore: "2030-01-02T00:00:00Z" },
            { acceptedAt: "2030-01-01T00:00:00Z", retriedAt: "2030-01-03T00:00:00Z", startedAt: "2030-01-01T00:00:00Z" }
          ].map((timings) => new Date(words.dueAt(timings)).getUTCDate())
        }))`)
          assert.deepStrictEqual(told, {
            durations: [
              "0 ms",
              "54 ms",
              "999 ms",
              "1.0 s",
              "9.9 s",
              "10 s",
              "60 s",
              "1 min 40 s",
              "1 min 59 s",
              "2 min 0 s",
              "1 h 0 min",
              "1 h 0 min",
              "2 h 0 min",
              "2 days 8 h"
            ],
            bytes: ["999 bytes", "1.0 KB", "99.9 KB", "100 KB", "999 KB", "1.0 MB"],
            sentences: [
              "the file is encrypted. Send it again.",
              "it ended. why?",
              "it said (it ended.) twice.",
              "first. then."
            ],
            dueAt: [1, 2, 3]
          })
        })
    )

    it.effect("gives a time of another day its date", () =>
      visiting(async ({ page, url }) => {
        await page.clock.setFixedTime(new Date("2030-05-01T23:59:30"))
        await page.goto(url)
        const moments: unknown = await page.evaluate(`import("/dashboard/words.js").then(({ moment }) =>
          [new Date("2030-05-01T08:00:00"), new Date("2030-04-30T08:00:00")].map((at) => /2030/.test(moment(at.toISOString()))))`)
        assert.deepStrictEqual(moments, [false, true])
      })
    )

    it.effect("says so when an address leads nowhere", () =>
      visiting(async ({ page, url }) => {
        for (const address of ["bogus", "documents/a/b", "tenants/acme", "toString", "constructor/x", "document"]) {
          await page.goto(`${url}/#/${address}`)
          await page.getByRole("heading", { name: "There is no such page" }).waitFor()
          await page.getByText(`#/${address}`, { exact: true }).waitFor()
          assert.strictEqual(await page.locator("nav a[aria-current]").count(), 0)
        }
        await page.getByRole("link", { name: "To the overview" }).click()
        await page.getByText("Drop PDFs anywhere").waitFor()
        await page.goto(`${url}/#/documents/`)
        await page.getByRole("heading", { name: "Documents", level: 1 }).waitFor()
      })
    )

    it.effect("shows in the list which pages of an older document are scanned", () =>
      visiting(async ({ page, url }) => {
        const uploaded = await fetch(`${url}/v1/documents?name=scans.pdf`, {
          method: "POST",
          headers: { "content-type": "application/pdf" },
          body: Buffer.from(makePdf({ pages: [scannedPage, scannedPage, textPage(["one with text"])] }))
        })
        assert.strictEqual(uploaded.status, 202)
        await shows(page, "scans.pdf", "completed")
        // Another visit has seen none of the pages.
        await page.reload()
        await shows(page, "scans.pdf", "completed")
        const id = await rowOf(page, "scans.pdf").getAttribute("data-id")
        await page.waitForFunction(
          `import("/dashboard/store.js").then(({ store }) => String(store.pages("${id}")) === "3,3,1")`
        )
        const colors: unknown = await page.evaluate(`import("/dashboard/canvas.js").then(async ({ colors }) => {
          await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
          const strip = document.querySelector('[data-id="${id}"] canvas')
          const copy = document.createElement("canvas")
          copy.width = strip.width
          copy.height = strip.height
          const context = copy.getContext("2d", { willReadFrequently: true })
          context.drawImage(strip, 0, 0)
          const scale = strip.width / strip.clientWidth
          const at = (x) => [...context.getImageData(Math.round(x * scale), Math.round(strip.height / 2), 1, 1).data].slice(0, 3)
          const { pages } = colors()
          const swatch = (color) => {
            context.fillStyle = color
            context.fillRect(0, 0, 1, 1)
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
          }
          const step = Math.min(strip.clientWidth / 3, 26)
          const found = [at(step * 0.5), at(step * 1.5), at(step * 2.5)]
          return [found, [swatch(pages[3]), swatch(pages[3]), swatch(pages[1])]]
        })`)
        const [found, expected] = Array.isArray(colors) ? colors : []
        assert.deepStrictEqual(found, expected)
      })
    )

    it.effect("lays the rows of a table out without stretching them", () =>
      visiting(async ({ page }) => {
        const cells = [
          { text: "A paragraph that goes from one side of the page to the other, above the table.", x: 50, y: 730 },
          { text: "Total", x: 50, y: 700 },
          { text: "42.00", x: 500, y: 700 }
        ]
        await choose(page, "table.pdf", makePdf({ pages: [{ text: cells }] }))
        await shows(page, "table.pdf", "completed")
        await page.getByRole("link", { name: "table.pdf" }).click()
        await page.getByRole("button", { name: "As laid out" }).click()
        const drawing = page.getByRole("img", { name: "The lines of page 1" })
        await drawing.getByText("Total 42.00").waitFor()
        const texts = await drawing.locator("text").evaluateAll((all) =>
          all.map((text) => ({
            text: text.textContent,
            stretched: text.getAttribute("textLength") !== null,
            apart: text.getAttribute("word-spacing")
          }))
        )
        const total = texts.find(({ text }) => text === "Total 42.00")
        assert.strictEqual(total?.stretched, false)
        assert.isNull(total?.apart ?? null)
        // Of running text the words stand as far apart as on the page.
        assert.isTrue(
          texts.some(({ apart, stretched, text }) => text?.includes("paragraph") && (stretched || apart !== null))
        )
      })
    )

    it.effect("counts the time of a retry from the retry", () =>
      visiting(async ({ page }) => {
        await choose(page, "later.pdf", makePdf({ pages: [textPage(["fine"]), brokenPage] }))
        await shows(page, "later.pdf", "partial")
        await page.evaluate(`import("/dashboard/store.js").then(({ store }) => {
          const found = store.newest().find(({ name }) => name === "later.pdf")
          const ago = (millis) => new Date(Date.now() - millis).toISOString()
          store.put({ ...found, retries: 1, timings: {
            acceptedAt: ago(2144054), startedAt: ago(2144000), retriedAt: ago(54), finishedAt: ago(0)
          } })
        })`)
        await rowOf(page, "later.pdf")
          .getByText(/after 5\d ms/)
          .waitFor()
        await page.getByRole("link", { name: "later.pdf" }).click()
        await page.getByRole("button", { name: "Read the failed pages again" }).click()
        await page.getByText("read again 1 time").waitFor()
        await page.getByText("asked for again").waitFor()
        await page.locator(".waterfall dt").getByText("Read again").waitFor()
      })
    )

    it.effect("advises what can be done where it is said", () =>
      visiting(async ({ page }) => {
        await choose(page, "closed.pdf", makeAesPdf("secret"))
        await shows(page, "closed.pdf", "failed")
        await page.getByRole("link", { name: "closed.pdf" }).click()
        const notice = page.locator(".notice.bad").filter({ hasText: "PASSWORD_REQUIRED" })
        await notice.getByText("Enter its password above and have it read again.").waitFor()
        assert.notMatch(await notice.innerText(), /Upload|\.\.|\. \./)
        await page.getByLabel("Password").fill("wrong")
        await page.keyboard.press("Enter")
        await page.getByText("PASSWORD_INVALID").waitFor()
        assert.notInclude(await page.locator("main").innerText(), "Upload the file again")
      })
    )

    it.effect("shows the warnings of pages and of a document", () =>
      visiting(async ({ page }) => {
        await choose(page, "warned.pdf", manyPages(3))
        await shows(page, "warned.pdf", "completed")
        const warning = {
          code: "CONTENT_CUT",
          message: "The page's content breaks off; what follows there is missing."
        }
        await page.route("**/pages?**", async (route) => {
          const answer = await route.fetch()
          const body = await answer.json()
          for (const each of body.pages) if (each.number === 2) each.warnings = [warning]
          await route.fulfill({ response: answer, json: body })
        })
        await page.route("**/pages/2?**", async (route) => {
          const answer = await route.fetch()
          await route.fulfill({ response: answer, json: { ...(await answer.json()), warnings: [warning] } })
        })
        await page.getByRole("link", { name: "warned.pdf" }).click()
        await page.getByRole("list", { name: "Pages by result" }).getByText("1 with warnings").waitFor()
        const grid = page.getByRole("slider", { name: "Page" })
        await grid.focus()
        await page.keyboard.press("ArrowRight")
        await page.getByText(warning.message, { exact: false }).waitFor()
        assert.strictEqual(await grid.getAttribute("aria-valuetext"), "page 2 of 3, ok, with warnings")
        assert.notInclude(await page.locator("main").innerText(), "missing..")
      })
    )

    it.effect("takes an address that is none", () =>
      visiting(async ({ page, url }) => {
        await page.goto(`${url}/#/documents/%`)
        await page.getByText("INVALID_REQUEST").waitFor()
      })
    )

    it.effect("explains what a document waits for, and cancels it", () =>
      visiting(async ({ page }) => {
        await choose(page, "endless.pdf", spinningPage([textPage(["before the endless one"])]))
        await shows(page, "endless.pdf", "running")
        await page.getByRole("link", { name: "endless.pdf" }).click()
        await page.getByText("It is being read.").waitFor()
        await page.getByRole("button", { name: "Cancel" }).click()
        await page.getByRole("heading", { name: "endless.pdf" }).locator("..").getByText("cancelled").waitFor()
        await page.getByText("Upload the file again if it is still wanted.").waitFor()
      })
    )

    it.effect("shows failed pages with advice, and has them read again", () =>
      visiting(async ({ page }) => {
        await choose(page, "damaged.pdf", makePdf({ pages: [textPage(["fine"]), brokenPage, scannedPage] }))
        await shows(page, "damaged.pdf", "partial")
        await page.getByRole("link", { name: "damaged.pdf" }).click()
        await page.getByRole("list", { name: "Pages by result" }).getByText("1 scanned").waitFor()
        await page.getByRole("slider", { name: "Page" }).focus()
        await page.keyboard.press("ArrowRight")
        await page.getByText("PAGE_UNREADABLE").waitFor()
        await page.getByRole("button", { name: "Read the failed pages again" }).click()
        await page.getByText("read again 1 time").waitFor()
      })
    )

    it.effect("fetches no text but that of the page that is looked at", () =>
      visiting(async ({ page }) => {
        await choose(page, "texts.pdf", manyPages(30))
        await shows(page, "texts.pdf", "completed")
        const id = (await rowOf(page, "texts.pdf").getAttribute("data-id")) ?? "none"
        const asked: Array<string> = []
        page.on("request", (request) => {
          if (request.url().includes(id)) asked.push(request.url().replace(/^.*documents\/[^/]*/, ""))
        })
        await page.getByRole("link", { name: "texts.pdf" }).click()
        await page.getByLabel("Text of page 1").getByText("Page 1 of 30").waitFor()
        await page.getByText("Slowest:").waitFor()
        assert.deepStrictEqual(asked.filter((path) => path.startsWith("/pages")).toSorted(), [
          "/pages/1?detail=lines",
          "/pages?detail=summary&from=1&limit=500"
        ])
      })
    )

    it.effect("reads a document again with a password of any characters", () =>
      visiting(async ({ page }) => {
        const password = "κωδικός 🗝️"
        await choose(page, "locked.pdf", makeAesPdf(password))
        await shows(page, "locked.pdf", "failed")
        await page.getByRole("link", { name: "locked.pdf" }).click()
        await page.getByText("PASSWORD_REQUIRED").waitFor()
        await page.getByLabel("Password").fill(password)
        await page.keyboard.press("Enter")
        await page.getByLabel("Text of page 1").getByText("Behind the password").waitFor()
      })
    )

    it.effect("shows failed pages as pending once they are read again", () =>
      visiting(async ({ page }) => {
        await choose(page, "again.pdf", makePdf({ pages: [textPage(["fine"]), brokenPage] }))
        await shows(page, "again.pdf", "partial")
        await page.getByRole("link", { name: "again.pdf" }).click()
        const legend = page.getByRole("list", { name: "Pages by result" })
        await legend.getByText("1 failed").waitFor()
        await page.evaluate(`import("/dashboard/store.js").then(({ store }) => {
          const document = store.newest().find(({ name }) => name === "again.pdf")
          store.put({ ...document, status: "queued", retries: 1, progress: { pages: 2, done: 1, failed: 0 } })
        })`)
        await legend.getByText("1 pending").waitFor()
      })
    )

    it.effect("can be used by keyboard alone", () =>
      visiting(async ({ page }) => {
        await choose(page, "keys.pdf", manyPages(40))
        await shows(page, "keys.pdf", "completed")
        await page.keyboard.press("Tab")
        await page.locator(".skip:focus").waitFor()
        await page.keyboard.press("Enter")
        await page.locator("main:focus").waitFor()
        await page.getByRole("link", { name: "Documents", exact: true }).focus()
        await page.keyboard.press("Enter")
        await page.getByRole("heading", { name: "Documents", level: 1 }).waitFor()
        // The focus goes along: the next stops are the filters, then the rows.
        await page.keyboard.press("Tab")
        await page.locator("select:focus").waitFor()
        await page.keyboard.press("Tab")
        await page.keyboard.type("keys")
        await page.getByText("1 of the").waitFor()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        const grid = page.getByRole("slider", { name: "Page" })
        await page.getByLabel("Text of page 1").waitFor()
        await grid.focus()
        await page.keyboard.press("End")
        await page.getByLabel("Text of page 40").getByText("Page 40 of 40").waitFor()
        assert.strictEqual(await grid.getAttribute("aria-valuetext"), "page 40 of 40, ok")
      })
    )

    it.effect("shows what happened while it was cut off, once it is connected again", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const line = yield* Effect.flatMap(Visitor, ({ url }) => makeLine(url))
          yield* visiting(async ({ page, url }) => {
            const state = (name: string) => page.locator(`#connection[data-state="${name}"]`).waitFor()
            await page.goto(line.url)
            await state("live")
            line.cut()
            await state("offline")
            const answer = await fetch(`${url}/v1/documents?name=meanwhile.pdf`, {
              method: "POST",
              headers: { "content-type": "application/pdf" },
              body: Buffer.from(manyPages(3))
            })
            assert.strictEqual(answer.status, 202)
            line.mend()
            await state("live")
            await shows(page, "meanwhile.pdf", "completed")
          })
        })
      )
    )

    it.effect("pauses a tenant and changes its limits", () =>
      visiting(async ({ page, url }) => {
        await page.goto(`${url}/#/tenants`)
        const card = page.locator("li.tenant").filter({ hasText: "default" })
        await card.getByRole("switch").click()
        await card.getByText("paused").waitFor()
        await card.getByRole("switch").click()
        await card.getByText("starts documents").waitFor()
        await card.getByRole("button", { name: "Change limits" }).click()
        await page.getByRole("spinbutton", { name: "Weight" }).fill("2.5")
        await page.getByRole("button", { name: "Change", exact: true }).click()
        await card.getByText("weight 2.5").waitFor()
      })
    )

    it.effect("looks at all tenants by one request, and finds one by its name", () =>
      visiting(async ({ page, url }) => {
        const names = Array.from({ length: 12 }, (_, index) => `tenant-${index}`)
        for (const name of names) {
          const { status } = await fetch(`${url}/v1/tenants/${name}`, {
            method: "PATCH",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ weight: 2 })
          })
          assert.strictEqual(status, 200)
        }
        const asked = new Set<string>()
        page.on("request", (request) => asked.add(request.url().replace(url, "")))
        await page.goto(`${url}/#/tenants`)
        await page.locator("li.tenant").nth(11).waitFor()
        assert.deepStrictEqual(
          [...asked].filter((path) => path.startsWith("/v1/tenants")),
          ["/v1/tenants?detail=state&limit=200"]
        )
        await page.getByRole("searchbox", { name: "Tenant" }).fill("Tenant-11")
        await page.locator("li.tenant:visible").filter({ hasText: "tenant-11" }).waitFor()
        assert.strictEqual(await page.locator("li.tenant:visible").count(), 1)
        await page.getByRole("searchbox", { name: "Tenant" }).fill("nobody")
        await page.getByText("No tenant has such a name.").waitFor()
      })
    )

    it.effect("keeps the chosen theme, and shows the workers", () =>
      visiting(async ({ page, url }) => {
        await page.emulateMedia({ colorScheme: "light" })
        await page.getByRole("button", { name: "Switch between light and dark" }).click()
        await page.goto(`${url}/#/workers`)
        await page.reload()
        assert.strictEqual(await page.locator("html").getAttribute("data-theme"), "dark")
        await page.getByText("2 read at once").waitFor()
      })
    )

    it.effect("puts events together wherever they were cut", () =>
      visiting(async ({ page }) => {
        const events: unknown = await page.evaluate(`import("/dashboard/sse.js").then(({ EventParser }) => {
          const text = "retry: 2000\\r\\n\\r\\n: ping\\nid: 7\\n\\nevent: page\\ndata: {\\ndata: }\\nid: 8\\n\\ndata: x\\r\\n\\r\\n"
          return [1, 2, 3, 1000].map((size) => {
            const parser = new EventParser()
            const found = []
            for (let at = 0; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)))
            return [found, parser.lastEventId, parser.retryMillis]
          })
        })`)
        const expected = [
          [
            { type: "page", data: "{\n}" },
            { type: "message", data: "x" }
          ],
          "8",
          2000
        ]
        assert.deepStrictEqual(events, [expected, expected, expected, expected])
      })
    )
  })

  layer(visitorOf({ ADMIN_KEY: "an-administrators-key" }), { timeout: "5 minutes" })("with keys", (it) => {
    it.effect("loads without a key, asks for one, and keeps it out of the address", () =>
      visiting(async ({ page }) => {
        const key = page.getByRole("textbox", { name: "API key" })
        await key.fill("not-the-right-key-at-all")
        await page.getByRole("button", { name: "Use these" }).click()
        await page.getByText("the API key is not known").waitFor()
        await key.fill("an-administrators-key")
        await page.getByRole("button", { name: "Use these" }).click()
        await page.locator('#connection[data-state="live"]').waitFor()
        await choose(page, "sealed.pdf", manyPages(2))
        await shows(page, "sealed.pdf", "completed")
        assert.notInclude(page.url(), "administrators")
      })
    )

    it.effect("shows a tenant itself, and says what takes the administrator's key", () =>
      visiting(async ({ page, url }) => {
        const answer = await fetch(`${url}/v1/tenants/acme/keys`, {
          method: "POST",
          headers: { authorization: "Bearer an-administrators-key", "content-type": "application/json" },
          body: JSON.stringify({ name: "dashboard" })
        })
        const [text] = /sluice_\w+/.exec(await answer.text()) ?? [""]
        await page.getByRole("textbox", { name: "API key" }).fill(text)
        await page.getByRole("button", { name: "Use these" }).click()
        await page.locator('#connection[data-state="live"]').waitFor()
        await page.getByRole("button", { name: "tenant acme" }).waitFor()
        await page.getByText("seen with the administrator's key").nth(1).waitFor()
        await page.getByRole("link", { name: "Tenants" }).click()
        await page.getByText("This tenant only.").waitFor()
        await page.locator("li.tenant").getByText("acme").waitFor()
        await page.getByRole("link", { name: "Workers" }).click()
        await page.getByText("it takes the administrator's key").waitFor()
      })
    )
  })
})
