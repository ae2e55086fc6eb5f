// Who gets what: each tenant's share of the workers' time, its backlog and its limits.
import { announce } from "./announce.js"
import { api, Problem } from "./api.js"
import { h, say, Slots } from "./dom.js"
import { identity } from "./identity.js"
import { showLimits } from "./limits.js"
import { news } from "./news.js"
import { every } from "./views.js"
import { duration, percent, plural, sentences } from "./words.js"

/** @typedef {import("./types.d.ts").Tenant} Tenant */

const lookMillis = 2_000

const limitFields = /** @type {const} */ ([
  ["documents", "Documents open at once", "1"],
  ["weight", "Weight", "any"],
  ["backlog", "Documents that may wait", "1"],
  ["pages", "Pages of one document at once", "1"],
  ["rate", "Documents accepted per second", "any"],
  ["burst", "Accepted at once before the rate counts", "1"]
])

/** Looks at those that may be seen: all of them with the administrator's key or without authentication, else the key's own. @param {AbortSignal} signal */
const makeLook = (signal) => {
  let allowed = true
  return async () => {
    if (allowed) {
      try {
        const { nextCursor, tenants } = await api.tenants(signal)
        const states = tenants.flatMap(({ state }) => (state === undefined ? [] : [state]))
        if (states.length > 0) return { states, all: true, more: nextCursor !== undefined }
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.status !== 403) throw problem
        // Another key is another view.
        allowed = false
      }
    }
    return { states: [await api.tenant(signal)], all: false, more: false }
  }
}

/** @param {Tenant} tenant @param {() => void} done */
const editLimits = ({ limits, tenantId }, done) => {
  const inputs = limitFields.map(([name, label, step]) => {
    const input = h("input", { type: "number", min: 0, step, name, value: limits[name] ?? "", placeholder: "none" })
    const original = input.value
    const standard = h("input", { type: "checkbox" })
    standard.addEventListener("change", () => (input.disabled = standard.checked))
    return {
      name,
      row: h(
        "div",
        { class: "limit" },
        h("label", null, label, input),
        h("label", { class: "check" }, standard, "default")
      ),
      change: () =>
        standard.checked ? null : input.value === original || input.value === "" ? undefined : Number(input.value)
    }
  })
  showLimits({
    of: tenantId,
    rows: inputs.map(({ row }) => row),
    save: async () => {
      const changes = inputs.map(({ change, name }) => [name, change()]).filter(([, value]) => value !== undefined)
      await api.changeTenant(tenantId, Object.fromEntries(changes))
      done()
    }
  })
}

/** @param {string} id @param {(problem: unknown) => void} complain @param {() => void} again */
const makeCard = (id, complain, again) => {
  const fill = h("i", null)
  const mark = h("b", null)
  const bar = h("div", { class: "share", "aria-hidden": "true" }, fill, mark)
  const share = h("p", { class: "muted" })
  const slots = new Slots()
  const running = h("p", { class: "muted" })
  const backlog = h("p", { class: "muted" })
  const rules = h("p", { class: "muted" })
  const noisy = h("span", { class: "pill partial", hidden: true }, "noisy")
  const paused = h(
    "button",
    { type: "button", role: "switch", class: "switch", "aria-checked": "true" },
    h("i", null),
    h("span", null, "starts documents")
  )
  const use = h("button", { type: "button", class: "link", onclick: () => identity.change({ tenant: id }) }, id)
  /** @type {Tenant | undefined} */
  let shown
  paused.addEventListener("click", () => {
    const next = shown?.paused !== true
    api.changeTenant(id, { paused: next }).then((now) => {
      complain(undefined)
      show(now)
      announce(`${id} is ${next ? "paused" : "resumed"}.`)
    }, complain)
  })
  const edit = h(
    "button",
    { type: "button", class: "quiet small", "aria-label": `Change limits of ${id}` },
    "Change limits"
  )
  edit.addEventListener("click", () => shown !== undefined && editLimits(shown, again))

  /** @param {Tenant} tenant */
  const show = (tenant) => {
    shown = tenant
    const { limits } = tenant
    fill.style.width = `${tenant.share.received1m * 100}%`
    mark.style.insetInlineStart = `${tenant.share.entitled * 100}%`
    say(
      share,
      `got ${percent(tenant.share.received1m)}${tenant.share.entitled === 0 ? "" : `, entitled to ${percent(tenant.share.entitled)}`} in the last minute; got ${percent(tenant.share.received15m)} in 15`
    )
    slots.show(tenant.running, limits.documents)
    say(running, `${tenant.running} of ${plural(limits.documents, "document")} open`)
    const oldest = tenant.oldestSeconds === undefined ? "" : `, the oldest for ${duration(tenant.oldestSeconds * 1000)}`
    say(backlog, `${plural(tenant.backlog, "document")} waiting of ${limits.backlog.toLocaleString("en")}${oldest}`)
    const rate =
      limits.rate === undefined || limits.rate === null
        ? "no rate limit"
        : `${limits.rate} per second, ${limits.burst ?? "–"} at once`
    say(rules, `weight ${limits.weight} · ${limits.pages} pages at once · ${rate}`)
    noisy.hidden = !tenant.noisy
    paused.setAttribute("aria-checked", String(!tenant.paused))
    paused.setAttribute("aria-label", `${id} starts documents`)
    say(paused.lastElementChild ?? paused, tenant.paused ? "paused" : "starts documents")
  }
  return {
    show,
    element: h(
      "li",
      { class: "card tenant" },
      h("header", null, h("h2", null, use), noisy, h("span", { class: "spring" }), paused),
      h("h3", null, "Share of the workers"),
      bar,
      share,
      slots.element,
      running,
      backlog,
      rules,
      edit
    )
  }
}

/** With more than these, one looks for a name. */
const fewTenants = 8

/** @type {import("./types.d.ts").View} */
export const tenantsView = (root, signal) => {
  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true })
  const summary = h("p", { class: "muted" })
  const list = h("ul", { class: "cards" })
  const wanted = h("input", { type: "search", autocomplete: "off", spellcheck: "false" })
  const filter = h("div", { class: "filters", hidden: true }, h("label", null, "Tenant", wanted))
  const none = h("p", { class: "nothing muted", role: "status", hidden: true }, "No tenant has such a name.")
  root.append(h("h1", null, "Tenants"), summary, trouble, filter, list, none)
  const complain = (/** @type {unknown} */ problem) => {
    trouble.hidden = problem === undefined
    if (problem === undefined) return
    say(trouble, problem instanceof Problem ? sentences(problem.message, problem.advice) : sentences(String(problem)))
  }
  /** @type {Map<string, ReturnType<typeof makeCard>>} */
  const cards = new Map()
  const sift = () => {
    const text = filter.hidden ? "" : wanted.value.trim().toLowerCase()
    let shown = 0
    for (const [id, { element }] of cards) {
      element.hidden = !id.toLowerCase().includes(text)
      if (!element.hidden) shown += 1
    }
    none.hidden = shown > 0 || cards.size === 0
  }
  wanted.addEventListener("input", sift)

  const look = makeLook(signal)
  const show = async () => {
    const { all, more, states } = await look()
    const listed = new Set(states.map(({ tenantId }) => tenantId))
    for (const [id, { element }] of cards) {
      if (listed.has(id)) continue
      element.remove()
      cards.delete(id)
    }
    // In the order of the answer; what stands where it belongs is not moved, so that nothing loses the focus.
    states.forEach((state, index) => {
      let card = cards.get(state.tenantId)
      if (card === undefined) {
        card = makeCard(state.tenantId, complain, () => void show().catch(complain))
        cards.set(state.tenantId, card)
      }
      const there = list.children[index]
      if (there !== card.element) list.insertBefore(card.element, there ?? null)
      card.show(state)
    })
    filter.hidden = states.length <= fewTenants
    sift()
    const fairness = states[0]?.fairness ?? 1
    const scope = all
      ? plural(states.length, "tenant") + (more ? " shown, and there are more" : "")
      : "This tenant only"
    say(
      summary,
      `${scope}. Fairness of the last minute: ${fairness.toFixed(2)} (1 is fair). A name makes this page about that tenant.`
    )
  }
  every(lookMillis, signal, show)
  // The connection tells of what fails.
  news.onFresh(() => void show().catch(() => {}), signal)
}
