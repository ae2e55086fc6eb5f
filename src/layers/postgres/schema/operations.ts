/** Tables for those who operate a service: the check value of the key that secrets are sealed with, and a data folder's move. */
export const operations: ReadonlyArray<string> = [
  `CREATE TABLE sealing_key (place int PRIMARY KEY CHECK (place = 1), check_value text NOT NULL)`,
  // The data folder whose contents are moved into this database, and how far that has come.
  `CREATE TABLE folder_move (
    place int PRIMARY KEY CHECK (place = 1),
    identity text NOT NULL,
    folder text NOT NULL,
    begun_at bigint NOT NULL,
    finished_at bigint
  )`,
  `CREATE TABLE folder_move_tables (name text COLLATE "C" PRIMARY KEY, rows bigint NOT NULL, last_key text)`
]
