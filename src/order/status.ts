/** In the order in which they are tried: the first that holds. */
export const ORDER_STATUSES = [
  'CAPTURED',
  'PARTIALLY_CAPTURED',
  'CANCELLED',
  'AUTHORIZED',
  'FAILED',
  'PROCESSING',
  'PENDING',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Nothing more comes of such a payment. */
export const isOver = (status: OrderStatus): boolean => status === 'FAILED' || status === 'CANCELLED';
