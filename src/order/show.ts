import type { Amount, AmountText } from './amount.ts';

/** For a sentence: `JPY 120`, in the currency's smallest unit. */
export const show = ({ currency, value }: Amount | AmountText): string => `${currency} ${value}`;

/** The same of a sum in the order's currency; the bare number while that is not known. */
export const inUnits = ({ currency }: { readonly currency: string | null }, value: bigint): string =>
  currency === null ? value.toString() : show({ currency, value });

/** More than so many are counted, not named. */
const NAMED = 5;

/** `a, b and 3 more` */
export const list = (items: readonly string[]): string =>
  items.length <= NAMED ? items.join(', ') : `${items.slice(0, NAMED).join(', ')} and ${items.length - NAMED} more`;
