// Who asks: a key and a tenant, for this tab only. Neither ever becomes part of an address.
import { byId, say } from "./dom.js"

const keyName = "sluice.key"
const tenantName = "sluice.tenant"

const changes = new EventTarget()

/** The server wants another key: asking it again and again would only look like guessing. */
let refused = false
export const isRefused = () => refused

/** @type {(listener: () => void) => void} */
export const onIdentity = (listener) => changes.addEventListener("change", listener)

export const identity = {
  /** As chosen; empty for the key's own, or the default one. */
  get tenant() {
    return sessionStorage.getItem(tenantName) ?? ""
  },
  get key() {
    return sessionStorage.getItem(keyName) ?? ""
  },
  /** @param {{ key?: string, tenant?: string }} next */
  change({ key, tenant }) {
    if (key !== undefined) sessionStorage.setItem(keyName, key)
    if (tenant !== undefined) sessionStorage.setItem(tenantName, tenant)
    refused = false
    say(byId("tenant", HTMLElement), this.tenant || "default")
    changes.dispatchEvent(new Event("change"))
  }
}

/** @returns {Record<string, string>} */
export const identityHeaders = () => ({
  ...(identity.key === "" ? {} : { authorization: `Bearer ${identity.key}` }),
  ...(identity.tenant === "" ? {} : { "x-tenant-id": identity.tenant })
})

/** @param {string} [why] */
export const askForIdentity = (why) => {
  const dialog = byId("identity", HTMLDialogElement)
  const reason = byId("identity-why", HTMLElement)
  say(reason, why ?? "")
  reason.hidden = why === undefined
  if (dialog.open) return
  byId("identity-key", HTMLInputElement).value = identity.key
  byId("identity-tenant", HTMLInputElement).value = identity.tenant
  dialog.showModal()
}

/** Whose page this is, once the server has said so: a key may be of any tenant. @param {string} tenant */
export const showTenant = (tenant) => say(byId("tenant", HTMLElement), tenant)

/** Nothing is asked of the server until there is another key. @param {string} [why] */
export const refuseIdentity = (why) => {
  if (refused) return
  refused = true
  askForIdentity(why)
}

export const startIdentity = () => {
  const dialog = byId("identity", HTMLDialogElement)
  say(byId("tenant", HTMLElement), identity.tenant || "default")
  byId("who", HTMLButtonElement).addEventListener("click", () => askForIdentity())
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close())
  dialog.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault()
    dialog.close()
    identity.change({
      key: byId("identity-key", HTMLInputElement).value.trim(),
      tenant: byId("identity-tenant", HTMLInputElement).value.trim()
    })
  })
}
