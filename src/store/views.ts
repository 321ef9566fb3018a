/*
 * The views for who reads the database by SQL: what an order shows (shown.ts), one column a field, the same names on
 * both databases. They are a part of the migrations: once those are released, this is never changed. What a later
 * version adds, it adds in a migration of its own, at the end of a view.
 */

/** What a field is; an amount is two columns: its value, and its currency. */
type Type = 'text' | 'number' | 'boolean' | 'amount' | 'time' | 'json';

/** Where it stands in the JSON, by names. */
type Field = readonly [column: string, type: Type, ...path: string[]];

const RESULT: readonly Field[] = [
  ['result_status', 'text', 'result', 'resultStatus'],
  ['result_code', 'text', 'result', 'resultCode'],
  ['result_message', 'text', 'result', 'resultMessage'],
];

const ACQUIRER: readonly Field[] = [
  ['acquirer_info', 'json', 'acquirerInfo'],
  ['acquirer_reference_no', 'text', 'acquirerReferenceNo'],
];

const ORDER: readonly Field[] = [
  ['payment_request_id', 'text', 'paymentRequestId'],
  ['fulfillable', 'boolean', 'fulfillable'],
  ['payment_amount', 'amount', 'paymentAmount'],
  ['expected_amount', 'amount', 'expectedAmount'],
  ['final_amount', 'amount', 'finalAmount'],
  ['captured_amount', 'amount', 'capturedAmount'],
  ['remaining_amount', 'amount', 'remainingAmount'],
  ['refunded_amount', 'amount', 'refundedAmount'],
  ['payment_method', 'text', 'paymentMethod'],
  ['capture_required', 'boolean', 'captureRequired'],
  ['capture_mode', 'text', 'captureMode'],
  ...RESULT,
  ['payment_time', 'time', 'paymentTime'],
  ['authorization_expires_at', 'time', 'authorizationExpiresAt'],
  ...ACQUIRER,
  ['attention', 'json', 'attention'],
  ['review_decision', 'text', 'review', 'decision'],
  ['review_revision', 'number', 'review', 'revision'],
  ['review_note', 'text', 'review', 'note'],
  ['review_created_at', 'time', 'review', 'createdAt'],
  ['replaces', 'text', 'replaces'],
  ['created_at', 'time', 'createdAt'],
];

const CAPTURE: readonly Field[] = [
  ['capture_id', 'text', 'captureId'],
  ['capture_request_id', 'text', 'captureRequestId'],
  ['status', 'text', 'status'],
  ['amount', 'amount', 'amount'],
  ['capture_time', 'time', 'captureTime'],
  ...RESULT,
  ['further_action', 'text', 'furtherAction'],
  ...ACQUIRER,
];

const REFUND: readonly Field[] = [
  ['refund_id', 'text', 'refundId'],
  ['refund_request_id', 'text', 'refundRequestId'],
  ['status', 'text', 'status'],
  ['amount', 'amount', 'amount'],
  ['refund_time', 'time', 'refundTime'],
  ['capture_id', 'text', 'captureId'],
  ...RESULT,
];

const DISPUTE: readonly Field[] = [
  ['dispute_id', 'text', 'disputeId'],
  ['type', 'text', 'type'],
  ['state', 'text', 'state'],
  ['amount', 'amount', 'amount'],
  ['due_time', 'time', 'dueTime'],
  ['reason_code', 'text', 'reasonCode'],
  ['reason_message', 'text', 'reasonMessage'],
];

/** Where the two databases differ. */
interface ViewDialect {
  /** To select orders from, and the JSON of each in it. */
  readonly orders: string;
  readonly order: string;
  /** To be joined to it: the elements of a list in that JSON, and one of them. */
  readonly parts: (list: string) => string;
  readonly part: string;
  /** JSON that is the text of a column. */
  readonly json: (column: string) => string;
  /** A field; null where there is none. An amount is its value. */
  readonly field: (json: string, type: Type, path: readonly string[]) => string;
  /** A time of ours, of epoch milliseconds. */
  readonly time: (column: string) => string;
  /** The codes of the column `attention`, as a list. */
  readonly codes: string;
}

/** SQL that creates the views. */
export const createViews = (dialect: ViewDialect): string => {
  const partsOf = (list: string, fields: readonly Field[]): string => `
      select ${ofOrder(dialect)},
        ${columnsOf(dialect, dialect.part, fields)}
      from ${dialect.orders} ${dialect.parts(list)}
      where order_key not like ' %'`;
  return `
      create view orders_v1 as${orderBranch(dialect, 'order_key', "order_key not like ' %'")}
      union all${orderBranch(dialect, 'null', "order_key like ' %'")};

      create view captures_v1 as${partsOf('captures', CAPTURE)}
      union all
      select ${ofOrder(dialect)},
        ${columnsOf(dialect, dialect.json('folded.content'), CAPTURE)}
      from ${dialect.orders}
      join folded_captures as folded using (client_id, order_key)
      where fold is not null;

      create view refunds_v1 as${partsOf('refunds', REFUND)};

      create view disputes_v1 as${partsOf('disputes', DISPUTE)};
    `;
};

/** The payment is the key itself, and in a branch of its own, so that an order is looked up by it. */
const orderBranch = (dialect: ViewDialect, paymentId: string, where: string): string => `
      select client_id, ${paymentId} as payment_id, reference_order_id, revision, status, next_action,
        ${columnsOf(dialect, dialect.order, ORDER)},
        ${dialect.codes} as attention_codes,
        ${dialect.time('updated_at')} as updated_at
      from ${dialect.orders}
      where ${where}`;

const ofOrder = ({ field, order }: ViewDialect): string =>
  `client_id, order_key as payment_id, ${field(order, 'text', ['paymentRequestId'])} as payment_request_id`;

const columnsOf = ({ field }: ViewDialect, json: string, fields: readonly Field[]): string =>
  fields
    .flatMap(([column, type, ...path]) =>
      type === 'amount'
        ? [
            `${field(json, 'amount', [...path, 'value'])} as ${column}`,
            `${field(json, 'text', [...path, 'currency'])} as ${column}_currency`,
          ]
        : [`${field(json, type, path)} as ${column}`],
    )
    .join(',\n        ');
