/** A failure that is told in the store's words already. */
export abstract class StoreError extends Error {}

/** An outage of the database: full, locked, unreachable, too slow. What was to be stored may or may not be. */
export class StoreUnavailableError extends StoreError {
  override readonly name = 'StoreUnavailableError';
}

/** The database rejected these values, not this moment: trying again as it is will not help. */
export class StoreRejectedError extends StoreError {
  override readonly name = 'StoreRejectedError';
}

/** A cursor that this store did not give out. */
export class InvalidCursorError extends StoreError {
  override readonly name = 'InvalidCursorError';
}

/**
 * A cursor of the change feed that was given out before the database went back (starts.ts). The message says what to
 * do.
 */
export class OutdatedCursorError extends StoreError {
  override readonly name = 'OutdatedCursorError';
}

/** The store must not be used by this program at all: a newer schema, or unsafe settings. */
export class StoreUnusableError extends StoreError {
  override readonly name = 'StoreUnusableError';
}
