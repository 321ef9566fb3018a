import type { Link, OrderKey } from './order-key.ts';
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

/** A row of `identifiers`, as far as its notification is concerned. */
export interface StoredIdentifier {
  readonly name: string;
  readonly value: string;
  /** `Joins` */
  readonly joins: number;
}

/** What a notification states, but for its payment. */
export const identifiersOf = async (
  query: Query,
  { clientId, position }: { readonly clientId: string; readonly position: string },
): Promise<readonly StoredIdentifier[]> =>
  await query<StoredIdentifier>(
    'select name, value, joins from identifiers where client_id = $1 and position = cast($2 as bigint)',
    [clientId, position],
  );

/** Those by which it joins its payment with what else names them. */
export const linksAmong = (identifiers: readonly StoredIdentifier[], clientId: string): readonly Link[] =>
  identifiers.flatMap(({ name, value, joins }) => (joins === 0 ? [] : [{ clientId, name, value } as Link]));
