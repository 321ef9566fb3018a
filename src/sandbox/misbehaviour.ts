import { z } from 'zod';

/** What the sandbox can be told to do to a share of what it is about: 0 is never, 1 is always. */
export const MISBEHAVIOURS = {
  duplicates: 'notifications sent once more, though acknowledged',
  reordered: 'notifications sent a minute late, behind those that follow',
  late: 'notifications sent half an hour late',
  lost: 'notifications never sent',
  captureFirst: 'automatic captures told before their payment',
  wrongAmounts: 'payment and capture notifications that state another amount',
  pending: 'payments under way for two minutes',
  declines: 'payments declined, by a code of the documents',
  processing: 'captures and refunds under way for a minute',
  failedCaptures: 'captures that fail, by a code of the documents',
  lapses: 'manual authorizations that lapse after ten minutes',
  disputes: 'payments disputed',
  slow: 'calls answered late',
  failing: 'calls that fail: HTTP 500, a cut connection or UNKNOWN_EXCEPTION, half of them after they were carried out',
  unsigned: 'responses without a signature',
  badlySigned: 'responses whose signature does not verify',
} as const;
export type MisbehaviourName = keyof typeof MISBEHAVIOURS;
export type Shares = Readonly<Record<MisbehaviourName, number>>;

const NAMES = Object.keys(MISBEHAVIOURS) as readonly MisbehaviourName[];

/** What can be told while the sandbox runs. */
export interface Settings {
  /** Waits are divided by it. */
  readonly speed: number;
  /** How late a slow answer is, in milliseconds; not divided. */
  readonly slowMs: number;
  /** After so many notifications the key is changed; null never does. */
  readonly rotateAfter: number | null;
  readonly shares: Shares;
}

export const GOOD: Shares = Object.fromEntries(NAMES.map((name) => [name, 0])) as Shares;

const FASTEST = 1_000_000;
const SLOWEST_MS = 600_000;
const share = z.number().min(0).max(1);

/** A change of the settings: what is not named stays. */
export const settingsChange = z.strictObject({
  speed: z.number().min(0.001).max(FASTEST).optional(),
  slowMs: z.number().int().min(0).max(SLOWEST_MS).optional(),
  rotateAfter: z.number().int().min(1).nullable().optional(),
  shares: z.partialRecord(z.enum(NAMES as [MisbehaviourName, ...MisbehaviourName[]]), share).optional(),
});
export type SettingsChange = z.infer<typeof settingsChange>;

const given = <T extends object>(change: T): Partial<T> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;

export const changed = (settings: Settings, { shares = {}, ...others }: SettingsChange): Settings =>
  ({ ...settings, ...given(others), shares: { ...settings.shares, ...given(shares) } }) as Settings;

/**
 * Reads `lost=0.2,duplicates=0.1`; a name alone is 1. Returns the name that is none, or whose share is none, where
 * there is one.
 */
export const readShares = (text: string): Partial<Shares> | { readonly problem: string } => {
  const read: Partial<Record<MisbehaviourName, number>> = {};
  for (const part of text.split(',')) {
    const [name = '', value = '1'] = part.trim().split('=');
    const known = NAMES.find((one) => one === name);
    if (known === undefined || !/^(0(\.\d+)?|1(\.0+)?)$/.test(value)) return { problem: part.trim() };
    read[known] = Number(value);
  }
  return read;
};
