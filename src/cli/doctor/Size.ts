const mebibyte = 1024 * 1024

export const sizeOf = (bytes: number): string =>
  bytes < 10 * 1024 * mebibyte ? `${Math.round(bytes / mebibyte)} MiB` : `${Math.round(bytes / 1024 / mebibyte)} GiB`
