// Names in Redis.

export const queueName = "documents"
export const processedKey = "processed"
export const failedKey = "failed"

/**
 * A hash: `status`, `pages`, `description`.
 *
 * @param {string} id
 */
export const documentKey = (id) => `document:${id}`

/**
 * A hash: the JSON of each page by its number.
 *
 * @param {string} id
 */
export const pagesKey = (id) => `pages:${id}`
