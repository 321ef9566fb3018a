/**
 * Orders are kept by the `paymentId`. A registration that no payment names has an order of its own, whose key no
 * identifier can equal: it begins with a space.
 */
export const registrationKey = (paymentRequestId: string): string => ` ${paymentRequestId}`;

/** Null for the key of a registration. */
export const paymentIdOf = (orderKey: string): string | null => (orderKey.startsWith(' ') ? null : orderKey);
