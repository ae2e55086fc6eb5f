// Hands calls to a worker: what is to be done, and the bytes of a document that the worker does not hold.
import type { Duplex } from "node:stream"
import { PdfUnreadable } from "../../../services/PdfEngine.ts"
import { type BlobBytes, openBlob, portionBytes, unreadableBlob } from "./BlobBytes.ts"
import { bytesHeader, frame } from "./Channel.ts"
import type { Command, Source } from "./Protocol.ts"
import type { WorkerCall } from "./WorkerCall.ts"

export class CallSender {
  readonly #channel: Duplex

  constructor(channel: Duplex) {
    this.#channel = channel
  }

  // A write to a process that has just died fails. Its end is reported by its exit, so the failure says nothing new.
  command(command: Command): void {
    if (this.#channel.writable) this.#channel.write(frame(command))
  }

  /** The call ends as unreadable if the bytes of its document cannot be read. */
  call(call: WorkerCall, isHeld: boolean): void {
    const { location } = call
    if (isHeld) this.#start(call, { _tag: "Held" })
    else if (location._tag === "Bytes" && location.bytes.length <= portionBytes) this.#start(call, location)
    else void this.#sendBytes(call)
  }

  #start(call: WorkerCall, source: Source): void {
    call.sentAs(source._tag === "Held" ? "held" : "bytes")
    this.command({ _tag: "Start", call: call.id, work: call.work, source, timed: call.isTimed })
  }

  async #sendBytes(call: WorkerCall): Promise<void> {
    try {
      await this.#sendPortions(call, await openBlob(call.location))
    } catch (cause) {
      if (!call.isUnderWay) return
      const failure = unreadableBlob(cause)
      if (call.isSent) this.command({ _tag: "CutOff", call: call.id, failure })
      else call.end(new PdfUnreadable({ failure }))
    }
  }

  /** Stops when the call is dropped or over, or the worker is gone. */
  async #sendPortions(call: WorkerCall, blob: BlobBytes): Promise<void> {
    try {
      if (!call.isUnderWay) return
      this.#start(call, { _tag: "Portions", size: blob.size, hash: call.location.hash })
      for await (const bytes of blob.portions) {
        if (!call.isUnderWay || !this.#channel.writable) return
        this.#channel.write(bytesHeader(bytes.length))
        // So that no more than one portion is in memory.
        await new Promise((resume) => this.#channel.write(bytes, resume))
      }
    } finally {
      await blob.close()
    }
  }
}
