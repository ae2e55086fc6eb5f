/** Connections of one process. More of them were not faster in measurements, and a server has only so many. */
export const defaultConnections = 16
