import type { AcceptedFile } from "../../../services/pipelines/settings/Values.ts"

const hasExtension = (name: string, extension: string): boolean => name.toLowerCase().endsWith(extension.toLowerCase())

const begins = (head: Uint8Array, begin: string): boolean =>
  Buffer.from(head.subarray(0, begin.length)).toString("latin1") === begin

/** A part of a text may end within a character. */
const isText = (bytes: Uint8Array, isWhole: boolean): boolean => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !isWhole })
    // oxlint-disable-next-line no-control-regex -- what no text has
    return !/[\u0000-\u0008\u000e-\u001f]/.test(text)
  } catch {
    return false
  }
}

/** Whether the file may be one of these, by its first bytes and its name. */
export const acceptsHead =
  (accepted: ReadonlyArray<AcceptedFile>) =>
  (head: Uint8Array, name: string): boolean =>
    accepted.some(
      (file) =>
        hasExtension(name, file.extension) &&
        (file.begins === undefined || begins(head, file.begins)) &&
        (file.isText !== true || isText(head, false))
    )

/** Whether the whole file is one of these. */
export const acceptsWhole = (accepted: ReadonlyArray<AcceptedFile>, bytes: Uint8Array, name: string): boolean =>
  accepted.some(
    (file) =>
      acceptsHead([file])(bytes.subarray(0, 1_024), name) &&
      (file.contains === undefined ||
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(Buffer.from(file.contains, "latin1"))) &&
      (file.isText !== true || isText(bytes, true))
  )
