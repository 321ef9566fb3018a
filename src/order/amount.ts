/** An amount as it stands in JSON: `value` counts the currency's smallest unit, in decimal digits. */
export interface AmountText {
  readonly currency: string;
  readonly value: string;
}

/** An amount to reckon with: exact at any size, `value` in the currency's smallest unit. */
export interface Amount {
  readonly currency: string;
  readonly value: bigint;
}

export const toAmount = (text: AmountText): Amount => ({ currency: text.currency, value: BigInt(text.value) });

/** Shows an amount without leading zeros. */
export const toAmountText = (amount: Amount): AmountText => ({
  currency: amount.currency,
  value: amount.value.toString(),
});

export const sameAmount = (a: Amount, b: Amount): boolean => a.value === b.value && a.currency === b.currency;

/**
 * Of several amounts of one payment, refund or dispute the largest counts; among equal values the currency smallest by
 * code unit.
 */
export const largest = (amounts: readonly Amount[]): Amount | null =>
  amounts.reduce<Amount | null>((best, amount) => {
    if (best === null || amount.value > best.value) return amount;
    return amount.value === best.value && amount.currency < best.currency ? amount : best;
  }, null);

/**
 * Of several amounts of one capture the smallest counts; among equal values the currency smallest by code
 * unit.
 */
export const smallest = (amounts: readonly Amount[]): Amount | null =>
  amounts.reduce<Amount | null>((best, amount) => {
    if (best === null || amount.value < best.value) return amount;
    return amount.value === best.value && amount.currency < best.currency ? amount : best;
  }, null);

/** True when the statements do not all name the same amount. */
export const disagree = (amounts: readonly Amount[]): boolean => {
  const [first] = amounts;
  return first !== undefined && amounts.some((amount) => !sameAmount(first, amount));
};
