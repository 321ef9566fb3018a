import { crc32 } from 'node:zlib';
import type { RawNotification } from '../order/reading.ts';
import type { NotificationEntry, ReadingColumns } from './row.ts';
import type { ShopStatement } from './shop.ts';

/*
 * What verify-store compares a row with, where nothing else tells whether it is as it was written. A CRC-32 finds every
 * change within four bytes that follow each other, and costs little.
 */

const SEPARATOR = '\0';

interface Read extends Pick<ReadingColumns, 'problem' | 'paymentId' | 'statements'>, Pick<NotificationEntry, 'asked'> {
  readonly kind: string;
  readonly identifiers: readonly { readonly name: string; readonly value: string }[];
}

/** Of a notification, without its outcome: a fault while deriving changes that one alone. */
export const readingCheck = (
  { clientId, id }: { readonly clientId: string; readonly id: string },
  { asked, kind, problem, paymentId, identifiers, statements }: Read,
): number => {
  const named = new Set(identifiers.map(({ name, value }) => `${name}=${value}`));
  const parts = [clientId, id, asked ?? '', kind, problem ?? '', paymentId, statements ?? '', ...[...named].toSorted()];
  return crc32(parts.join(SEPARATOR));
};

/** Of what came over the wire beside the body, of which the digest is kept. 0 where it was removed before. */
export const rawCheck = (raw: Omit<RawNotification, 'body'> | null): number =>
  raw === null ? 0 : crc32([raw.method, raw.target, raw.requestTime, raw.signature].join(SEPARATOR));

export const saidCheck = ({ clientId, about, id, target, said }: Omit<ShopStatement, `${string}At`>): number =>
  crc32([clientId, about, id, target, said].join(SEPARATOR));
