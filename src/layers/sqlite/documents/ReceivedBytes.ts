/** The bytes of a small blob, from the moment they were received until the acceptance of their document stores them. */
import { Brand } from "effect"
import type { BlobReceipt } from "../../../services/BlobStore.ts"
import type { Statements } from "../database/SqliteDatabase.ts"

class ReceivedBytes {
  /** Of the database that stores the bytes. */
  readonly database: Statements
  readonly bytes: Uint8Array

  constructor(database: Statements, bytes: Uint8Array) {
    this.database = database
    this.bytes = bytes
  }
}

const receipt = Brand.nominal<BlobReceipt>()

export const receiptFor = (database: Statements, bytes: Uint8Array): BlobReceipt =>
  receipt(new ReceivedBytes(database, bytes))

/** None if the receipt is of another store, or of another database. */
export const bytesReceived = (database: Statements, given: BlobReceipt): Uint8Array | undefined =>
  given instanceof ReceivedBytes && given.database === database ? given.bytes : undefined
