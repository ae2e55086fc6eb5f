// The standard security handler, version 5, revision 6 (ISO 32000-2, 7.6.4): AES with 256 bits, and passwords in UTF-8.
import { createCipheriv, createHash } from "node:crypto"
import type { Cipher, Page } from "../../examples/pdf-writer.ts"
import { linesPage, writePdf } from "../../examples/pdf-writer.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const encrypted = (algorithm: string, key: Uint8Array, iv: Uint8Array | null, data: Uint8Array, padded = false) => {
  const cipher = createCipheriv(algorithm, key, iv).setAutoPadding(padded)
  return Buffer.concat([cipher.update(data), cipher.final()])
}

const hashes = ["sha256", "sha384", "sha512"] as const

/** Algorithm 2.B. */
const hardened = (password: Buffer, salt: Buffer, user: Buffer): Buffer => {
  let key = createHash("sha256")
    .update(Buffer.concat([password, salt, user]))
    .digest()
  for (let round = 0, last = 0; round < 64 || last > round - 32; round++) {
    const once = Buffer.concat([password, key, user])
    const data = Buffer.concat(Array.from({ length: 64 }, () => once))
    const mixed = encrypted("aes-128-cbc", key.subarray(0, 16), key.subarray(16, 32), data)
    const sum = mixed.subarray(0, 16).reduce((total, byte) => total + byte, 0)
    key = createHash(hashes[sum % 3] ?? "sha256")
      .update(mixed)
      .digest()
    last = mixed.at(-1) ?? 0
  }
  return key.subarray(0, 32)
}

const aesCipher = (userPassword: string, ownerPassword: string): Cipher => {
  const fileKey = createHash("sha256").update("a key of the file").digest()
  const noVector = Buffer.alloc(16)
  const none = Buffer.alloc(0)
  const lock = (password: string, salts: string, of: Buffer) => {
    const secret = Buffer.from(password, "utf8")
    const [validation, wrapping] = [Buffer.from(salts.slice(0, 8)), Buffer.from(salts.slice(8, 16))]
    return {
      check: Buffer.concat([hardened(secret, validation, of), validation, wrapping]),
      key: encrypted("aes-256-cbc", hardened(secret, wrapping, of), noVector, fileKey)
    }
  }
  const user = lock(userPassword, "usersaltuserwrap", none)
  const owner = lock(ownerPassword, "ownrsaltownrwrap", user.check)
  const permissions = Buffer.from("fcffffffffffffff54616462736c7563", "hex")
  return {
    fileId: "000102030405060708090a0b0c0d0e0f",
    dictionary:
      `<< /Filter /Standard /V 5 /R 6 /Length 256 /P -4 /O <${hex(owner.check)}> /U <${hex(user.check)}> ` +
      `/OE <${hex(owner.key)}> /UE <${hex(user.key)}> /Perms <${hex(encrypted("aes-256-ecb", fileKey, null, permissions))}> ` +
      "/CF << /StdCF << /CFM /AESV3 /AuthEvent /DocOpen /Length 32 >> >> /StmF /StdCF /StrF /Identity >>",
    encrypt: (_, bytes) => Buffer.concat([noVector, encrypted("aes-256-cbc", fileKey, noVector, bytes, true)])
  }
}

/** A file that needs `userPassword`, of whatever characters. */
export const makeAesPdf = (
  userPassword: string,
  pages: ReadonlyArray<Page> = [linesPage(["Behind the password"])]
): Uint8Array => writePdf({ pages, cipher: aesCipher(userPassword, "owner") })
