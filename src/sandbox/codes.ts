import type { ResultStatus } from '../order/statement.ts';

/** The verdict on a call, or on what it asked for. */
export interface Outcome {
  readonly resultStatus: ResultStatus;
  readonly resultCode: string;
  readonly resultMessage: string;
}

type Line = readonly [status: ResultStatus, message: string];

/** The table "Result/Error codes" of APO's notifyCapture page, with its messages. */
const CAPTURE_CODES: Readonly<Record<string, Line>> = {
  SUCCESS: ['S', 'success.'],
  ACCESS_DENIED: ['F', 'The access is denied.'],
  AUTH_CANCELLED: ['F', 'The payment authorization is canceled.'],
  AUTH_EXPIRED: ['F', 'The payment authorization is expired.'],
  AUTH_NOT_FOUND: ['F', 'The payment authorization is not found.'],
  CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT: [
    'F',
    'The total capture amount exceeds the limit of the authorized payment amount.',
  ],
  CAPTURE_IN_PROCESS: ['U', 'The capture is processing.'],
  CURRENCY_NOT_SUPPORT: ['F', 'The currency is not supported.'],
  INVALID_CONTRACT: ['F', 'The parameter values in the contract do not match those in the current transaction.'],
  MULTI_CAPTURE_NOT_SUPPORTED: ['F', 'The transaction does not support multiple captures.'],
  NO_PAY_OPTIONS: ['F', 'No payment methods are available.'],
  ORDER_IS_CANCELED: ['F', 'The transaction is canceled.'],
  ORDER_STATUS_INVALID: ['F', 'The transaction status is abnormal.'],
  PARAM_ILLEGAL: ['F', 'The required parameters are not passed, or illegal parameters exist.'],
  PAYMENT_COUNT_EXCEED_LIMIT: [
    'F',
    'The number of captures exceeds the limit that is specified by the payment method.',
  ],
  PROCESS_FAIL: ['F', 'A general business failure occurred.'],
  REPEAT_REQ_INCONSISTENT: [
    'F',
    'The submitted request exists, and the parameter values of this request are not consistent with those of the existing request.',
  ],
  RISK_REJECT: ['F', 'The request is rejected because of risk control.'],
  USER_AMOUNT_EXCEED_LIMIT: ['F', 'The capture amount exceeds the user payment limit.'],
  USER_BALANCE_NOT_ENOUGH: ['F', "The user's balance is insufficient."],
  USER_NOT_EXIST: ['F', "The user's account does not exist on the payment method side."],
  USER_STATUS_ABNORMAL: ['F', "The user's account status is abnormal on the payment method side."],
  UNKNOWN_EXCEPTION: ['U', 'The API call has failed, which is caused by unknown reasons.'],
};

/** Those of all calls, and of pay, inquiries, cancel and refund. */
const OTHER_CODES: Readonly<Record<string, Line>> = {
  INVALID_API: ['F', 'The called API is invalid or not active.'],
  NO_INTERFACE_DEF: ['F', 'The API is not defined.'],
  CLIENT_INVALID: ['F', 'The client is invalid.'],
  KEY_NOT_FOUND: ['F', 'The key is not found.'],
  INVALID_SIGNATURE: ['F', 'The signature is invalid.'],
  MEDIA_TYPE_NOT_ACCEPTABLE: ['F', 'The server does not implement the media type that can be accepted by the client.'],
  METHOD_NOT_SUPPORTED: ['F', 'The server does not implement the requested HTTP method.'],
  MERCHANT_NOT_REGISTERED: ['F', 'The merchant is not registered.'],
  INVALID_MERCHANT_STATUS: ['F', "The merchant's status is abnormal."],
  SYSTEM_ERROR: ['F', 'A system error occurred.'],
  REQUEST_TRAFFIC_EXCEED_LIMIT: ['U', 'The request traffic exceeds the limit.'],
  PAYMENT_IN_PROCESS: ['U', 'The payment is being processed.'],
  ORDER_NOT_EXIST: ['F', 'The order does not exist.'],
  ORDER_IS_CLOSED: ['F', 'The order is closed.'],
  FRAUD_REJECT: ['F', 'The payment is rejected because of suspected fraud.'],
  SUSPECTED_RISK: ['F', 'The payment is rejected because of a suspected risk.'],
  PAYMENT_METHOD_NOT_SUPPORTED: ['F', 'The payment method does not support this.'],
  CANCEL_WINDOW_EXCEED: ['F', 'The cancel date exceeds the allowed window.'],
  MERCHANT_BALANCE_NOT_ENOUGH: ['F', "The merchant's balance is insufficient."],
  REFUND_IN_PROCESS: ['U', 'The refund is being processed.'],
  REFUND_NOT_EXIST: ['F', 'The refund does not exist.'],
  REFUND_AMOUNT_EXCEED: ['F', 'The total refund amount exceeds the payment amount.'],
  REFUND_WINDOW_EXCEED: ['F', 'The refund date exceeds the allowed window.'],
  REFUND_NOT_SUPPORTED: ['F', 'The refund is not supported.'],
  PARTIAL_REFUND_NOT_SUPPORTED: ['F', 'A partial refund is not supported.'],
  MULTIPLE_REFUNDS_NOT_SUPPORTED: ['F', 'Multiple refunds are not supported.'],
  INCREMENTAL_NOT_SUPPORT: ['F', 'An incremental authorization is not supported.'],
};

const CODES: ReadonlyMap<string, Line> = new Map(Object.entries({ ...CAPTURE_CODES, ...OTHER_CODES }));

/** Every code that the documents list. */
export const RESULT_CODES: readonly string[] = [...CODES.keys()];

/** Those of a failed capture: what a capture may come to without having been asked wrongly. */
export const FAILED_CAPTURE_CODES = [
  'PROCESS_FAIL',
  'RISK_REJECT',
  'USER_BALANCE_NOT_ENOUGH',
  'USER_STATUS_ABNORMAL',
] as const;
export const DECLINE_CODES = ['RISK_REJECT', 'FRAUD_REJECT', 'USER_BALANCE_NOT_ENOUGH', 'PROCESS_FAIL'] as const;

/** A code is an open set: one that is in no document is a failure. `detail` is added to the document's message. */
export const outcomeOf = (resultCode: string, detail?: string): Outcome => {
  const [resultStatus, message] = CODES.get(resultCode) ?? (['F', 'A general business failure occurred.'] as const);
  return { resultStatus, resultCode, resultMessage: detail === undefined ? message : `${message} ${detail}` };
};

export const SUCCESS = outcomeOf('SUCCESS');

/** The call comes to nothing: nobody looked at what it asks for, so it may be made again with the same id. */
const OF_THE_CALL: ReadonlySet<string> = new Set([
  'ACCESS_DENIED',
  'INVALID_API',
  'NO_INTERFACE_DEF',
  'CLIENT_INVALID',
  'KEY_NOT_FOUND',
  'INVALID_SIGNATURE',
  'MEDIA_TYPE_NOT_ACCEPTABLE',
  'METHOD_NOT_SUPPORTED',
  'MERCHANT_NOT_REGISTERED',
  'INVALID_MERCHANT_STATUS',
  'REQUEST_TRAFFIC_EXCEED_LIMIT',
  'UNKNOWN_EXCEPTION',
]);
export const isOfTheCall = ({ resultCode }: Pick<Outcome, 'resultCode'>): boolean => OF_THE_CALL.has(resultCode);

/** Without a client and a key there is nobody to sign for. */
const UNSIGNED: ReadonlySet<string> = new Set(['CLIENT_INVALID', 'KEY_NOT_FOUND', 'INVALID_SIGNATURE']);
export const comesUnsigned = ({ resultCode }: Pick<Outcome, 'resultCode'>): boolean => UNSIGNED.has(resultCode);
