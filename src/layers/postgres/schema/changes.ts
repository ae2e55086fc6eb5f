/**
 * The store's clock, and the numbers of changes.
 *
 * A sequence gives the numbers, and transactions commit in another order than they got theirs. So a transaction that takes a
 * number first takes a lock that says after which number its own will come. Once no such lock lies below a number, every change
 * up to it is committed or undone for good: that is how far a reader may look. The locks are of this database only, are shared,
 * so that no transaction waits for them, and end with the transaction, however it ends.
 *
 * The key of a lock holds the number in its lower 48 bits, and in the upper ones what tells these locks from others'.
 */
const bits = 48
const mask = `((1::bigint << ${bits}) - 1)`
const mark = `((hashtext('sluice ' || current_schema()) & 32767)::bigint << ${bits})`

/** A reader waits so often, for two milliseconds each, for transactions that are about to end. */
const patience = 20

export const clockAndChanges: ReadonlyArray<string> = [
  `CREATE FUNCTION store_now() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
  $$`,
  `CREATE SEQUENCE change_numbers`,
  `CREATE FUNCTION last_change_number() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    RETURN (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM change_numbers);
  END $$`,
  // The setting is the transaction's own, and is undone with it, as the lock is.
  `CREATE FUNCTION next_change() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    IF coalesce(current_setting('sluice.changing', true), '') <> 'yes' THEN
      PERFORM pg_advisory_xact_lock_shared(${mark} | last_change_number());
      PERFORM set_config('sluice.changing', 'yes', true);
    END IF;
    RETURN nextval('change_numbers');
  END $$`,
  `CREATE FUNCTION settled_change() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    last bigint := last_change_number();
    pending bigint;
  BEGIN
    FOR attempt IN 1..${patience} LOOP
      SELECT min(key & ${mask}) INTO pending FROM (
        SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      ) locks WHERE key & ~${mask} = ${mark};
      EXIT WHEN pending IS NULL OR pending >= last;
      PERFORM pg_sleep(0.002);
    END LOOP;
    RETURN least(last, pending);
  END $$`
]
