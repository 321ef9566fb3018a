import type { OrderRules } from '../order/rules.ts';

/** By which rules orders are derived, and as of when (epoch milliseconds). */
export interface Around {
  readonly rules: OrderRules;
  readonly now: number;
}
