import type { QueueStatus } from "../../../actors/Ingestion.ts"
import type { QueueStatusView } from "../Queue.ts"

export const queueViewOf = (status: QueueStatus): typeof QueueStatusView.Type => ({
  queue_size: status.waiting,
  max_queue_size: status.maxWaiting,
  processing: status.running,
  max_processing: status.maxRunning,
  max_concurrent: status.concurrency,
  total_processed: status.processed,
  total_failed: status.failed,
  paused: status.paused,
  estimated_wait_time: status.estimatedWaitSeconds ?? null
})
