/** Chance that can be repeated: the same seed draws the same numbers. */
export interface Random {
  /** True with this probability, from 0 to 1. */
  readonly chance: (probability: number) => boolean;
  /** A whole number from `least` to `most`, both included. */
  readonly between: (least: number, most: number) => number;
  readonly pick: <T>(items: readonly [T, ...T[]]) => T;
}

/** mulberry32. */
export const createRandom = (seed: number): Random => {
  // Neighbouring seeds shall not begin alike.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (least: number, most: number): number => least + Math.floor(fraction() * (most - least + 1));
  return {
    chance: (probability) => fraction() < probability,
    between,
    pick: (items) => items[between(0, items.length - 1)] ?? items[0],
  };
};
