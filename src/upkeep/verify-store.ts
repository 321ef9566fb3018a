import { type Trust, UNVERIFIED_REASONS, type UnverifiedReason, verify } from '../antom/signature.ts';
import { type Checked, CHECKED, type CheckedRow, type Flaw, pagesOf, type Store } from '../store/store.ts';
import { isDerivedBy, recallRules } from './in-force.ts';
import { requestOf } from './verify-again.ts';

const AT_ONCE = 50;

/** A row that is not as it should be, and what to do. */
export interface NamedFlaw extends Flaw {
  readonly table: Checked;
  readonly key: string;
}

interface FailedNow {
  readonly clientId: string;
  readonly id: string;
  /** Null where its bytes cannot be read: a flaw says so. */
  readonly reason: UnverifiedReason | null;
}

export interface StoreVerification {
  readonly verified: number;
  /** Those whose signature does not verify with these keys. */
  readonly failed: readonly FailedNow[];
  readonly withoutBytes: number;
  /** Rows that were looked at, by table. */
  readonly checked: Readonly<Record<Checked, number>>;
  readonly flaws: readonly NamedFlaw[];
  /** Not all orders were derived by the rules in force yet, so that they are not compared. */
  readonly ordersPassedOver: boolean;
}

/** Verifies every stored notification again with these keys, and every row with its own check; changes nothing. */
export const verifyStore = async (store: Pick<Store, 'check' | 'recall'>, trust: Trust): Promise<StoreVerification> => {
  const inForce = await recallRules(store);
  const ordersPassedOver = inForce !== null && !(await isDerivedBy(store, inForce.rules));
  const failed: FailedNow[] = [];
  const flaws: NamedFlaw[] = [];
  const counts = { verified: 0, withoutBytes: 0 };
  const checked = Object.fromEntries(CHECKED.map((table) => [table, 0])) as Record<Checked, number>;

  const lookAt = (table: Checked, row: CheckedRow): void => {
    checked[table] += 1;
    for (const { problem, remedy } of [...row.flaws, ...reasonFlaws(row)])
      flaws.push({ table, key: row.key, problem, remedy });
    if (row.notification === undefined) return;
    const { clientId, id, unreadable } = row.notification;
    const request = requestOf(row.notification);
    const verification = request === null ? null : verify(request, trust);
    if (unreadable) failed.push({ clientId, id, reason: null });
    else if (verification === null) counts.withoutBytes += 1;
    else if (verification.verified) counts.verified += 1;
    else failed.push({ clientId, id, reason: verification.reason });
  };
  for (const table of CHECKED) {
    if (table === 'orders' && ordersPassedOver) continue;
    try {
      const pages = pagesOf(async (page) => await store.check(table, page), AT_ONCE);
      for await (const items of pages) for (const row of items) lookAt(table, row);
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
