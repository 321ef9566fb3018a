import type { OrderRules } from '../order/rules.ts';
import type { Snapshot } from './transaction.ts';

/** By which rules orders are derived, and as of when (epoch milliseconds). */
export interface Around {
  /** Where the database has none stored yet; otherwise those decide (`rulesIn`). */
  readonly rules: OrderRules;
  readonly now: number;
}

/** The rules in force: those that are stored, or, in a database that no service has started on, the given ones. */
export const rulesIn = async (snapshot: Pick<Snapshot, 'rules'>, otherwise: OrderRules): Promise<OrderRules> =>
  (await snapshot.rules())?.rules ?? otherwise;
