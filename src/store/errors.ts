/** An outage of the database: full, locked, unreachable, too slow. What was to be stored may or may not be. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** The database rejected these values, not this moment: trying again as it is will not help. */
export class StoreRejectedError extends Error {
  override readonly name = 'StoreRejectedError';
}

/** A cursor that this store did not give out. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError';
}

/** The store must not be used by this program at all: a newer schema, or unsafe settings. */
export class StoreUnusableError extends Error {
  override readonly name = 'StoreUnusableError';
}
