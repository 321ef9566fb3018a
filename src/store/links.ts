import { linksOf, type Statement } from '../order/statement.ts';
import { distinctLinks, type Link, type OrderKey } from './order-key.ts';
import type { IdentifierRow } from './row.ts';
import type { Query } from './transaction.ts';

/** The orders of the payments whose notifications name this; by the position alone, as a planner is to look. */
const paymentsNaming =
  (joins: string) =>
  async (query: Query, { clientId, name, value }: Link): Promise<readonly OrderKey[]> => {
    const rows = await query<{ payment_id: string }>(
      `select distinct n.payment_id
       from identifiers i
       join notifications n on n.position = i.position
       where i.client_id = $1 and i.value = $2 and i.name = $3 and ${joins} and n.payment_id <> ''`,
      [clientId, value, name],
    );
    return rows.map((row) => ({ clientId, orderKey: row.payment_id }));
  };

/** Where it was read from them. */
export const paymentsStating = paymentsNaming('i.joins = 1');
const paymentsJoinedBy = paymentsNaming('i.joins > 0');

/** The orders of the payments whose notifications name one of these, read or not. */
export const paymentsLinkedBy = async (query: Query, links: readonly Link[]): Promise<readonly OrderKey[]> =>
  (await Promise.all(links.map(async (link) => await paymentsJoinedBy(query, link)))).flat();

/** What a notification states, but for its payment. */
export const identifiersOf = async (
  query: Query,
  { clientId, position }: NotificationPlace,
): Promise<readonly IdentifierRow[]> =>
  await query<IdentifierRow>(
    'select name, value, joins from identifiers where client_id = $1 and position = cast($2 as bigint)',
    [clientId, position],
  );

/** Where a notification stands. */
export interface NotificationPlace {
  readonly clientId: string;
  readonly position: string;
}

/** Those by which a notification joins its payment with what else names them. */
export const linksAmong = (identifiers: readonly IdentifierRow[], clientId: string): readonly Link[] =>
  identifiers.flatMap(({ name, value, joins }) => (joins === 0 ? [] : [{ clientId, name, value } as Link]));

/** The same of a stored one. */
export const linksAt = async (query: Query, place: NotificationPlace): Promise<readonly Link[]> =>
  linksAmong(await identifiersOf(query, place), place.clientId);

/** Those that are stated, each once. */
export const linksStated = (statements: readonly Statement[], clientId: string): readonly Link[] =>
  distinctLinks(statements.flatMap(linksOf).map(({ name, value }) => ({ clientId, name, value })));
