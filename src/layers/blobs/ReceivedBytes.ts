/** The bytes of a small blob, from the moment they were received until the acceptance of their document stores them. */
import { Brand } from "effect"
import type { BlobReceipt } from "../../services/BlobStore.ts"

class ReceivedBytes {
  /** The object that stands for the database that stores the bytes. */
  readonly database: object
  readonly bytes: Uint8Array

  constructor(database: object, bytes: Uint8Array) {
    this.database = database
    this.bytes = bytes
  }
}

const receipt = Brand.nominal<BlobReceipt>()

export const receiptFor = (database: object, bytes: Uint8Array): BlobReceipt =>
  receipt(new ReceivedBytes(database, bytes))

/** None if the receipt is of another store, or of another database. */
export const bytesReceived = (database: object, given: BlobReceipt): Uint8Array | undefined =>
  given instanceof ReceivedBytes && given.database === database ? given.bytes : undefined
