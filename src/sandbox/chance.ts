import { createHash } from 'node:crypto';

/** Draws that depend on the seed and on what they are about, never on the order in which they are made. */
export interface Chance {
  /** From 0 up to 1. */
  readonly draw: (what: string, about: string) => number;
  readonly pick: <T>(choices: readonly [T, ...T[]], what: string, about: string) => T;
  /** So many decimal digits. */
  readonly digits: (length: number, about: string) => string;
}

const DRAWN_BYTES = 6;

/** With the same seed the same payments meet the same fate: a run that found something can be made again. */
export const createChance = (seed: number): Chance => {
  const hash = (what: string, about: string): Buffer =>
    createHash('sha256')
      .update(JSON.stringify([seed, what, about]))
      .digest();
  const draw = (what: string, about: string): number =>
    hash(what, about).readUIntBE(0, DRAWN_BYTES) / 2 ** (8 * DRAWN_BYTES);
  return {
    draw,
    pick: (choices, what, about) => choices[Math.floor(draw(what, about) * choices.length)] ?? choices[0],
    digits: (length, about) =>
      BigInt(`0x${hash('digits', about).toString('hex')}`)
        .toString()
        .slice(-length),
  };
};
