import type { Store } from '../../store/store.ts';
import { problem, type Refusal } from './problem.ts';

/** The `client-id`s that are configured now. */
export type ClientIds = () => readonly string[];

/** What an endpoint needs that asks the store about a client. */
export interface ClientNeeds {
  readonly store: () => Store;
  readonly clientIds: ClientIds;
}

/** Whose payment is meant: with one client configured it goes without saying. `where` is where it may be said. */
export const clientMeant = (
  named: string | null,
  clientIds: ClientIds,
  where: 'body' | 'query',
): string | Refusal<'CLIENT_REQUIRED'> => {
  if (named !== null) return named;
  const [only, ...others] = clientIds();
  return only === undefined || others.length > 0
    ? problem('CLIENT_REQUIRED', `Several clients are configured: say which one by clientId in the ${where}.`)
    : only;
};

/** The same of something to register: nothing is kept for a client that is not configured. */
export const configuredClient = (
  named: string | null,
  clientIds: ClientIds,
): string | Refusal<'CLIENT_REQUIRED' | 'UNKNOWN_CLIENT'> => {
  const meant = clientMeant(named, clientIds, 'body');
  return typeof meant !== 'string' || clientIds().includes(meant) ? meant : unknown(clientIds);
};

/** Refuses a client of whom every order and notification is missing, for ever: not configured, and nothing stored. */
export const unknownClient = async (
  named: string | null,
  needs: ClientNeeds,
): Promise<Refusal<'UNKNOWN_CLIENT'> | null> => ((await isUnknown(named, needs)) ? unknown(needs.clientIds) : null);

/** The same as advice to who looked for one thing of this client, and did not find it. */
export const clientAdvice = async (named: string | null, needs: ClientNeeds): Promise<readonly string[]> =>
  (await isUnknown(named, needs)) ? [notConfigured(needs.clientIds)] : [];

const isUnknown = async (named: string | null, { store, clientIds }: ClientNeeds): Promise<boolean> =>
  named !== null && !clientIds().includes(named) && !(await store().clientIds()).includes(named);

const unknown = (clientIds: ClientIds): Refusal<'UNKNOWN_CLIENT'> =>
  problem('UNKNOWN_CLIENT', notConfigured(clientIds));

const notConfigured = (clientIds: ClientIds): string =>
  `The clientId is not one that is configured: ${clientIds().join(', ')}.`;
