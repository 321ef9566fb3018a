import { type Trust, UNVERIFIED_REASONS } from '../antom/signature.ts';
import { type Checked, CHECKED, type CheckedRow, type Flaw, type Store } from '../store/store.ts';
import { isDerivedBy, recallRules } from './in-force.ts';
import { verifiesNow } from './verify-again.ts';

const AT_ONCE = 50;

/** A row that is not as it should be, and what to do. */
export interface NamedFlaw extends Flaw {
  readonly table: Checked;
  readonly key: string;
}

export interface StoreVerification {
  readonly verified: number;
  /** Those whose signature does not verify with today's keys. */
  readonly failed: readonly { readonly clientId: string; readonly id: string }[];
  readonly withoutBytes: number;
  /** Rows that were looked at, by table. */
  readonly checked: Readonly<Record<Checked, number>>;
  readonly flaws: readonly NamedFlaw[];
  /** Not all orders were derived by the rules in force yet, so that they are not compared. */
  readonly ordersPassedOver: boolean;
}

/** Verifies every stored notification again with today's keys, and every row with its own check; changes nothing. */
export const verifyStore = async (store: Pick<Store, 'check' | 'recall'>, trust: Trust): Promise<StoreVerification> => {
  const inForce = await recallRules(store);
  const ordersPassedOver = inForce !== null && !(await isDerivedBy(store, inForce.rules));
  const failed: { clientId: string; id: string }[] = [];
  const flaws: NamedFlaw[] = [];
  const counts = { verified: 0, withoutBytes: 0 };
  const checked = Object.fromEntries(CHECKED.map((table) => [table, 0])) as Record<Checked, number>;

  const lookAt = (table: Checked, row: CheckedRow): void => {
    checked[table] += 1;
    for (const { problem, remedy } of [...row.flaws, ...reasonFlaws(row)])
      flaws.push({ table, key: row.key, problem, remedy });
    if (row.notification === undefined) return;
    const { clientId, id, unreadable } = row.notification;
    const verifies = verifiesNow(row.notification, trust);
    if (unreadable || verifies === false) failed.push({ clientId, id });
    else if (verifies === null) counts.withoutBytes += 1;
    else counts.verified += 1;
  };
  for (const table of CHECKED) {
    if (table === 'orders' && ordersPassedOver) continue;
    try {
      for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
        const page = await store.check(table, { limit: AT_ONCE, cursor });
        for (const row of page.items) lookAt(table, row);
        cursor = page.next;
      }
    } catch (error) {
      // What was found must be told; the rest may not be readable because of it.
      if (flaws.length === 0) throw error;
      const key = `after ${checked[table]} rows`;
      flaws.push({
        table,
        key,
        problem: `it cannot be read on: ${String(error)}`,
        remedy: 'put right the others first',
      });
    }
  }
  return { ...counts, failed, checked, flaws, ordersPassedOver };
};

const reasonFlaws = ({ reason }: CheckedRow): readonly Flaw[] =>
  reason === undefined || UNVERIFIED_REASONS.some((one) => one === reason)
    ? []
    : [
        {
          problem: 'reason is none of the known ones',
          remedy: 'start the service: it verifies the request again and writes the reason that it then has',
        },
      ];
