import { isoTime } from '../order/time.ts';
import { rememberHeldBack, type Store } from '../store/store.ts';
import type { Breaker } from './breaker.ts';

export interface Telling {
  /** Whether this client's inquiries are held back: for who asks the database, as commands do. */
  readonly tell: (clientId: string, breaker: Pick<Breaker, 'openSince' | 'openUntil'>, code: string) => void;
  /** Resolves once all is written, or could not be. */
  readonly told: () => Promise<void>;
}

/** One write after the other: all clients stand in one setting. */
export const createTelling = (
  store: Pick<Store, 'recall' | 'remember'>,
  onFailed: (error: unknown) => void,
): Telling => {
  let last = Promise.resolve();
  return {
    tell: (clientId, breaker, code) => {
      const [since, until] = [breaker.openSince(), breaker.openUntil()];
      const held = since === null || until === null ? null : { since: isoTime(since), until: isoTime(until), code };
      last = last.then(async () => await rememberHeldBack(store, clientId, held)).catch(onFailed);
    },
    told: async () => await last,
  };
};
