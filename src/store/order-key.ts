import type { Identifier } from '../order/identifier.ts';
import type { Order } from '../order/order.ts';

/**
 * Orders are kept by their `paymentId`. A registration that no payment names has an order of its own, whose key no
 * identifier can equal: it begins with a space.
 */
export interface OrderKey {
  readonly clientId: string;
  readonly orderKey: string;
}

export const registrationKey = (paymentRequestId: string): string => ` ${paymentRequestId}`;

/** The key of an order that has one of the two. */
export const orderKeyOf = ({ paymentId, paymentRequestId }: Pick<Order, 'paymentId' | 'paymentRequestId'>): string =>
  paymentId ?? registrationKey(paymentRequestId ?? '');

/** As a row of a table names it. */
export const toOrderKey = (row: { readonly client_id: string; readonly order_key: string }): OrderKey => ({
  clientId: row.client_id,
  orderKey: row.order_key,
});

/** Null for the key of a registration. */
export const paymentIdOf = (orderKey: string): string | null => (orderKey.startsWith(' ') ? null : orderKey);

/** The inverse of `registrationKey`; null for the key of a payment. */
export const requestIdOf = (orderKey: string): string | null => (orderKey.startsWith(' ') ? orderKey.slice(1) : null);

/** An identifier of one client: by it a notification joins its payment with a registration or another payment. */
export interface Link extends Identifier {
  readonly clientId: string;
}

export const requestLink = (clientId: string, paymentRequestId: string): Link => ({
  clientId,
  name: 'paymentRequestId',
  value: paymentRequestId,
});

/** Neither an order key nor a client id holds a line break. */
export const nameOfOrder = ({ clientId, orderKey }: OrderKey): string => `${orderKey}\n${clientId}`;

export const nameOfLink = ({ clientId, name, value }: Link): string => `${name}\n${value}\n${clientId}`;

const distinctBy =
  <T>(nameOf: (one: T) => string) =>
  <One extends T>(all: readonly One[]): readonly One[] =>
    all.length < 2 ? all : [...new Map(all.map((one) => [nameOf(one), one])).values()];

/** Without repetitions. */
export const distinctKeys = distinctBy(nameOfOrder);
export const distinctLinks = distinctBy(nameOfLink);

/** An order that a transaction changes. */
export interface TouchedKey extends OrderKey {
  /** Present where nothing changes but for one notification that joins it. */
  readonly added?: {
    /** Of the notification. */
    readonly position: string;
    readonly identifiers: readonly { readonly name: string; readonly value: string }[];
  };
  /** With the extent `given`: the notifications that are read, by their positions. */
  readonly positions?: readonly string[];
}

/** What a transaction changes: orders, and links that may lead to further ones. */
export interface Touched {
  readonly keys: readonly TouchedKey[];
  readonly links: readonly Link[];
}
