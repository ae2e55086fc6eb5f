// What stages call outside of the engine: calls under way and waiting, what keeps them from going, and what they may be.
import { announce } from "./announce.js"
import { api, Problem } from "./api.js"
import { h, say, Slots } from "./dom.js"
import { showLimits } from "./limits.js"
import { every } from "./views.js"
import { moment, plural, sentences } from "./words.js"

/** @typedef {import("./types.d.ts").Downstream} Downstream */

const lookMillis = 2_000

const blockedWords = /** @type {const} */ ({
  paused: "paused",
  far_side: "waits as its far side asked for",
  breaker: "its breaker is open",
  rate: "its rate is used up",
  tokens: "its tokens are used up",
  cost: "its cost is used up"
})

const refusalWords = /** @type {const} */ ({
  far_side: "by the far side",
  queue_full: "too many waiting",
  max_wait: "waited too long",
  budget: "no budget",
  breaker: "breaker open",
  monthly_cap: "monthly cap"
})

/** @type {(count: number) => string} */
const figure = (count) => count.toLocaleString("en", { maximumFractionDigits: 2 })

/** Settings as a form has them; what is left empty stays as it is. */
const fields = /** @type {const} */ ([
  ["concurrency", "Calls at once", "number", "follows the far side if it is not fixed"],
  ["reserve", "Of these, for online calls only", "number", ""],
  ["queue", "Calls that may wait", "number", ""],
  ["maxWait", "How long a call may wait", "text", "such as 5 minutes"],
  ["onExhausted", "When a budget is used up", "text", "wait, skip, fail or use:stage"]
])

const budgets = /** @type {const} */ ([
  ["rate", "calls", "Calls begun"],
  ["tokens", "limit", "Tokens"],
  ["cost", "limit", "Cost"]
])

/** @param {HTMLInputElement} input @returns {string | number | undefined} */
const valueOf = (input) =>
  input.value.trim() === "" ? undefined : input.type === "number" ? Number(input.value) : input.value.trim()

/** @typedef {{ row: HTMLElement, change: () => ReadonlyArray<readonly [name: string, value: unknown]> }} Field */

/** A row of the form, and what it changes. @returns {Field} @param {(typeof fields)[number]} field */
const makeField = ([name, label, type, hint]) => {
  const input = h("input", { type, min: 0, step: 1, name, placeholder: "as it is", autocomplete: "off" })
  return {
    row: h("label", null, label, input, hint === "" ? null : h("small", null, hint)),
    change: () => {
      const value = valueOf(input)
      return value === undefined ? [] : [[name, value]]
    }
  }
}

/** A budget and its period, or none. @returns {Field} @param {(typeof budgets)[number]} budget */
const makeBudget = ([name, unit, label]) => {
  const amount = h("input", { type: "number", min: 0, step: "any", placeholder: "as it is" })
  const per = h("input", {
    value: name === "rate" ? "1s" : "1 day",
    autocomplete: "off",
    "aria-label": `${label}: per`
  })
  const none = h("input", { type: "checkbox" })
  none.addEventListener("change", () => {
    amount.disabled = none.checked
    per.disabled = none.checked
  })
  return {
    row: h(
      "div",
      { class: "limit" },
      h("label", null, label, amount),
      h("label", null, "per", per),
      h("label", { class: "check" }, none, "no limit")
    ),
    change: () => {
      const value = valueOf(amount)
      if (none.checked) return [[name, null]]
      return value === undefined ? [] : [[name, { [unit]: value, per: per.value.trim() }]]
    }
  }
}

/** @param {string} name @param {(now: Downstream) => void} done */
const editLimits = (name, done) => {
  const rows = [...fields.map(makeField), ...budgets.map(makeBudget)]
  showLimits({
    of: name,
    note: h(
      "p",
      { class: "muted" },
      "They hold until the server ends. What holds from its start is in PIPELINES_FILE."
    ),
    rows: rows.map(({ row }) => row),
    save: async () => done(await api.changeDownstream(name, Object.fromEntries(rows.flatMap(({ change }) => change()))))
  })
}

/** What is left of a budget, as a bar. @param {string} unit */
const makeBudgetBar = (unit) => {
  const fill = h("i", null)
  const text = h("p", { class: "muted" })
  const element = h(
    "div",
    { class: "budget", hidden: true },
    h("div", { class: "share", "aria-hidden": "true" }, fill),
    text
  )
  return {
    element,
    /** @param {Downstream["tokens"]} budget */
    show(budget) {
      element.hidden = budget === undefined
      if (budget === undefined) return
      fill.style.width = `${Math.max(0, Math.min(1, budget.left / budget.limit)) * 100}%`
      say(text, `${figure(budget.left)} of ${figure(budget.limit)} ${unit} left until ${moment(budget.resetsAt)}`)
    }
  }
}

/** @param {Downstream} state */
const refusalsOf = ({ refusals }) =>
  Object.entries(refusalWords)
    .flatMap(([kind, words]) => {
      const count = refusals[/** @type {keyof typeof refusalWords} */ (kind)]
      return count === 0 ? [] : [`${figure(count)} ${words}`]
    })
    .join(", ")

/** @param {string} name @param {(problem: unknown) => void} complain */
const makeCard = (name, complain) => {
  const state = h("span", { class: "pill" })
  const slots = new Slots()
  const inUse = h("p", { class: "muted" })
  const waiting = h("p", { class: "muted" })
  const tokens = makeBudgetBar("tokens")
  const cost = makeBudgetBar("of cost")
  const calls = h("p", { class: "muted" })
  const tenants = h("p", { class: "muted" })
  const paused = h(
    "button",
    { type: "button", role: "switch", class: "switch", "aria-checked": "true", "aria-label": `${name} is called` },
    h("i", null),
    h("span", null, "is called")
  )
  const edit = h(
    "button",
    { type: "button", class: "quiet small", "aria-label": `Change limits of ${name}` },
    "Change limits"
  )
  /** @type {Downstream | undefined} */
  let shown

  /** @param {Downstream} now */
  const show = (now) => {
    shown = now
    const used = now.inUse.online + now.inUse.batch
    const waits = now.waiting.online + now.waiting.batch
    const word = now.blocked ?? (now.breaker === "closed" ? "open" : now.breaker)
    say(
      state,
      now.blocked === undefined ? (now.breaker === "half-open" ? "trying again" : "works") : blockedWords[now.blocked]
    )
    state.className = `pill ${word === "open" ? "completed" : now.blocked === "breaker" ? "failed" : "partial"}`
    slots.show(used, now.limit)
    const most =
      now.limits.min === now.limits.max
        ? ""
        : ` (between ${now.limits.min} and ${now.limits.max}, as its far side allows)`
    say(inUse, `${used} of ${plural(now.limit, "call")} under way${most}`)
    say(
      waiting,
      `${plural(waits, "call")} waiting${now.waiting.online > 0 ? `, ${now.waiting.online} of them online` : ""}`
    )
    tokens.show(now.tokens)
    cost.show(now.cost)
    const refused = refusalsOf(now)
    say(calls, `${figure(now.calls)} answered since the start${refused === "" ? "" : ` · refused: ${refused}`}`)
    const busy = now.tenants
      .slice(0, 5)
      .map(({ inUse, tenantId, waiting }) => `${tenantId} ${inUse} under way, ${waiting} waiting`)
    say(tenants, busy.join(" · "))
    paused.setAttribute("aria-checked", String(!now.paused))
    say(paused.lastElementChild ?? paused, now.paused ? "paused" : "is called")
  }
  paused.addEventListener("click", () => {
    const next = shown?.paused !== true
    api.changeDownstream(name, { paused: next }).then((now) => {
      complain(undefined)
      show(now)
      announce(`${name} is ${next ? "paused" : "resumed"}.`)
    }, complain)
  })
  edit.addEventListener("click", () => editLimits(name, show))
  return {
    show,
    element: h(
      "li",
      { class: "card tenant downstream" },
      h("header", null, h("h2", null, name), state, h("span", { class: "spring" }), paused),
      slots.element,
      inUse,
      waiting,
      tokens.element,
      cost.element,
      calls,
      tenants,
      edit
    )
  }
}

/** @type {import("./types.d.ts").View} */
export const downstreamsView = (root, signal) => {
  const summary = h("p", { class: "muted", role: "status" })
  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true })
  const list = h("ul", { class: "cards" })
  root.append(h("h1", null, "Downstreams"), summary, trouble, list)
  const complain = (/** @type {unknown} */ problem) => {
    trouble.hidden = problem === undefined
    if (problem === undefined) return
    say(trouble, problem instanceof Problem ? sentences(problem.message, problem.advice) : sentences(String(problem)))
  }
  /** @type {Map<string, ReturnType<typeof makeCard>>} */
  const cards = new Map()
  every(lookMillis, signal, async () => {
    try {
      const { downstreams } = await api.downstreams(signal)
      for (const state of downstreams) {
        let card = cards.get(state.name)
        if (card === undefined) {
          card = makeCard(state.name, complain)
          cards.set(state.name, card)
          list.append(card.element)
        }
        card.show(state)
      }
      say(
        summary,
        downstreams.length === 0
          ? "None is declared. PIPELINES_FILE declares what stages call outside of the engine."
          : `${plural(downstreams.length, "downstream")}, as this process sees them.`
      )
    } catch (problem) {
      if (problem instanceof Problem)
        say(
          summary,
          problem.status === 403
            ? "Downstreams are everybody's: it takes the administrator's key to see them."
            : sentences(problem.message, problem.advice)
        )
    }
  })
}
