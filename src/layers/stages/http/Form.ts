import { createHash } from "node:crypto"

/** One field of a form: a text, or a file. */
export type FormPart =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly filename: string; readonly mediaType: string; readonly bytes: Uint8Array }

/** Names may hold anything; these three signs would end them. */
const quoted = (name: string): string =>
  `"${name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A")}"`

const contentOf = (part: FormPart): Uint8Array => ("text" in part ? Buffer.from(part.text) : part.bytes)

const headOf = (part: FormPart): string =>
  "text" in part
    ? `content-disposition: form-data; name=${quoted(part.name)}\r\n\r\n`
    : `content-disposition: form-data; name=${quoted(part.name)}; filename=${quoted(part.filename)}\r\n` +
      `content-type: ${part.mediaType}\r\n\r\n`

/** `multipart/form-data` (RFC 7578). The boundary is a hash of the parts: none of them can hold it. */
export const encodeForm = (parts: ReadonlyArray<FormPart>) => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(headOf(part)).update(contentOf(part))
  const boundary = `sluice-${hash.digest("hex").slice(0, 40)}`
  const pieces = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headOf(part)}`),
    contentOf(part),
    Buffer.from("\r\n")
  ])
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
  }
}
