import type { Reply } from '../reply.ts';
import { problem } from './problem.ts';

/** The `client-id`s that are configured now. */
export type ClientIds = () => readonly string[];

/** Whose payment is meant: with one client configured it goes without saying. Null where it has to be said. */
export const clientMeant = (named: string | null, clientIds: ClientIds): string | null => {
  if (named !== null) return named;
  const [only = null, ...others] = clientIds();
  return others.length > 0 ? null : only;
};

export const clientRequired = (): Reply =>
  problem('CLIENT_REQUIRED', 'Several clients are configured: say which one by clientId.');
