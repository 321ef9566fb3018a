import { StoreUnavailableError } from '../store.ts';

/** How long a piece of work may take. */
export interface Limit {
  /** The promise's own outcome, if that comes in time; `onLate` takes what comes later. */
  readonly race: <T>(promise: Promise<T>, onLate?: (value: T) => void) => Promise<T>;
  readonly isOver: () => boolean;
  readonly stop: () => void;
}

/** Until a deadline on the clock of `performance.now()`. */
export const startLimit = (deadline: number): Limit => {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  let over = false;
  expired.catch(() => {});
  const timer = setTimeout(
    () => {
      over = true;
      reject(new StoreUnavailableError('PostgreSQL did not answer in time'));
    },
    Math.max(0, deadline - performance.now()),
  );
  return {
    race: async <T>(promise: Promise<T>, onLate: (value: T) => void = () => {}): Promise<T> => {
      let late = false;
      promise.then((value) => (late ? onLate(value) : undefined)).catch(() => {});
      try {
        return await Promise.race([promise, expired]);
      } catch (error) {
        late = true;
        throw error;
      }
    },
    isOver: () => over,
    stop: () => clearTimeout(timer),
  };
};
