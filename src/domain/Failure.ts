import { Schema, Struct } from "effect"

/**
 * Why a document or a page did not get its result. The codes are part of the public interface: they may be added to, but
 * never renamed. `permanent` means that a retry without a change of the input cannot help; `advice` says what can.
 */
const catalogue = {
  NOT_PDF: { permanent: true, advice: "Send a file that starts with a %PDF header." },
  CORRUPT: { permanent: true, advice: "Repair or export the file again; it could not be read as a PDF." },
  PASSWORD_REQUIRED: { permanent: true, advice: "Upload the file again with its password." },
  PASSWORD_INVALID: { permanent: true, advice: "Upload the file again with the right password." },
  ENCRYPTION_UNSUPPORTED: {
    permanent: true,
    advice: "Decrypt the file and upload it again without encryption, or with a password."
  },
  TOO_LARGE: { permanent: true, advice: "Split the file, or raise MAX_UPLOAD_SIZE." },
  TOO_MANY_PAGES: { permanent: true, advice: "Split the file, or raise MAX_PAGES." },
  RESOURCE_LIMIT: { permanent: true, advice: "Reading it needs more memory than PAGE_WORKER_MEMORY allows." },
  PAGE_TIMEOUT: { permanent: true, advice: "Simplify the page, or raise PAGE_TIMEOUT." },
  PAGE_UNREADABLE: { permanent: false, advice: "The page's content is damaged; export the file again." },
  DOCUMENT_TIMEOUT: { permanent: true, advice: "Split the file, or raise DOCUMENT_TIMEOUT." },
  CRASHED: { permanent: true, advice: "The reader died on it more than once; report the file." },
  EXPIRED: { permanent: true, advice: "Send it again when there is less to do, or raise QUEUE_TTL." },
  CANCELLED: { permanent: true, advice: "Upload the file again if it is still wanted." },
  SOURCE_UNAVAILABLE: { permanent: false, advice: "Check that the source exists and can be reached, then try again." },
  SOURCE_REFUSED: {
    permanent: true,
    advice: "Use a path below the inbox folder, a known blob hash, or a public http(s) URL."
  },
  STORAGE_QUOTA: {
    permanent: true,
    advice: "Remove documents that are not needed any more, then retry it; or have maxStoredBytes raised."
  },
  BLOB_LOST: { permanent: true, advice: "The stored bytes are missing or damaged; upload the file again." },
  PIPELINE_UNKNOWN: {
    permanent: false,
    advice: "Name a pipeline of GET /v1/pipelines, or declare it in PIPELINES_FILE."
  },
  FORMAT_UNSUPPORTED: {
    permanent: true,
    advice: "Send a PDF, or a file of a kind that the pipeline's first stage accepts."
  },
  STAGE_FAILED: { permanent: false, advice: "See the message and the log of the stage, then retry the document." },
  STAGE_TIMEOUT: {
    permanent: false,
    advice: "Raise the time-out of the stage or its downstream, or send less in one call."
  },
  ARTIFACT_TOO_LARGE: { permanent: true, advice: "Let the stage make less, or raise MAX_ARTIFACT_SIZE." },
  PAGE_TOO_LARGE: { permanent: true, advice: "Ask for fewer dots per inch; the page is too large to be drawn." },
  OCR_LANGUAGE_MISSING: { permanent: true, advice: "Install the language's data, or name others in OCR_LANGUAGES." },
  DOWNSTREAM_UNAVAILABLE: {
    permanent: false,
    advice: "Check that it runs and can be reached, then retry the document."
  },
  DOWNSTREAM_BUSY: { permanent: false, advice: "Retry it when there is less to do, or raise the downstream's limits." },
  BUDGET_EXHAUSTED: { permanent: false, advice: "Retry it after the budget's reset, or raise the budget." },
  MONTHLY_CAP_REACHED: { permanent: false, advice: "Retry it next month, or raise the tenant's cap." },
  DOWNSTREAM_UNKNOWN: {
    permanent: false,
    advice: "Declare it under `downstreams` in PIPELINES_FILE, or correct the name."
  }
} as const

export const FailureCode = Schema.Literals(Struct.keys(catalogue))
export type FailureCode = typeof FailureCode.Type

/** What went wrong (`message`, for a person), its stable `code`, and what to do about it (`advice`). */
export const Failure = Schema.Struct({ code: FailureCode, message: Schema.String, advice: Schema.String })
export type Failure = typeof Failure.Type

export const failure = (code: FailureCode, message: string): Failure => ({
  code,
  message,
  advice: catalogue[code].advice
})

/** True when no retry can change the outcome. */
export const isPermanent = (code: FailureCode): boolean => catalogue[code].permanent
