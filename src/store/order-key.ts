import type { Identifier } from '../order/identifier.ts';

/**
 * Orders are kept by their `paymentId`. A registration that no payment names has an order of its own, whose key no
 * identifier can equal: it begins with a space.
 */
export interface OrderKey {
  readonly clientId: string;
  readonly orderKey: string;
}

export const registrationKey = (paymentRequestId: string): string => ` ${paymentRequestId}`;

/** Null for the key of a registration. */
export const paymentIdOf = (orderKey: string): string | null => (orderKey.startsWith(' ') ? null : orderKey);

/** An identifier of one client: by it a notification joins its payment with a registration or another payment. */
export interface Link extends Identifier {
  readonly clientId: string;
}

/** Neither an order key nor a client id holds a line break. */
export const nameOfOrder = ({ clientId, orderKey }: OrderKey): string => `${orderKey}\n${clientId}`;

/** What a transaction changes: orders, and links that may lead to further ones. */
export interface Touched {
  readonly keys: readonly OrderKey[];
  readonly links: readonly Link[];
}
