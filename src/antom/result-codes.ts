/**
 * The *Further action* column of the table "Result/Error codes" of APO's notifyCapture page, verbatim.
 * The set is open: APO adds codes, so a decision rests on `resultStatus`, never on a code being known.
 */
const FURTHER_ACTIONS: Readonly<Record<string, string>> = {
  SUCCESS: 'The capture is successful, no further action is needed.',
  ACCESS_DENIED: 'Contact Alipay Technical Support for detailed reasons.',
  AUTH_CANCELLED: 'Use a new _paymentRequestId_ to initiate a payment.',
  AUTH_EXPIRED: 'Use a new _paymentRequestId_ to initiate a payment.',
  AUTH_NOT_FOUND: 'Contact Alipay Technical Support for detailed reasons.',
  CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT:
    'Create a new capture request by using an amount less than or equal to the authorized payment amount, or contact Alipay Technical Support.',
  CAPTURE_IN_PROCESS: 'Wait for the notification from Alipay or inquiry about the capture result.',
  CURRENCY_NOT_SUPPORT:
    'Check the currency used in the request, such as the capture currency. If the issue persists, contact Alipay Technical Support for detailed reasons.',
  INVALID_CONTRACT:
    'Check whether the parameter values in the contract match those in the current transaction. If the values match, contact Alipay Technical Support to troubleshoot the issue.',
  MULTI_CAPTURE_NOT_SUPPORTED: 'Contact Alipay Technical Support for detailed reasons.',
  NO_PAY_OPTIONS: 'Contact Antom Technical Support for detailed reasons.',
  ORDER_IS_CANCELED: 'Use a new _paymentRequestId_ to initiate a payment.',
  ORDER_STATUS_INVALID:
    'Check the transaction status. If the values match, contact Alipay Technical Support to troubleshoot the issue.',
  PARAM_ILLEGAL:
    'Check and verify whether the required request fields (including the header fields and body fields) of the current API are correctly passed and valid.',
  PAYMENT_COUNT_EXCEED_LIMIT: 'Contact Alipay Technical Support to know the specific limit.',
  PROCESS_FAIL:
    'Do not retry. Human intervention is usually needed. It is recommended that you contact Alipay Technical Support to troubleshoot the issue.',
  REPEAT_REQ_INCONSISTENT:
    'Ensure all the fields in the requests are the same or use a new _paymentRequestId_ to initiate a payment.',
  RISK_REJECT: 'Prompt the user that the request is rejected because of failed risk control.',
  USER_AMOUNT_EXCEED_LIMIT:
    'Create a new capture by using an amount less than or equal to the user payment limit, or contact the user or the issuing bank.',
  USER_BALANCE_NOT_ENOUGH: 'Contact Alipay Technical Support for detailed reasons.',
  USER_NOT_EXIST: 'Contact the user or the issuing bank.',
  USER_STATUS_ABNORMAL: 'Contact Alipay Technical Support to know the specific reasons.',
  UNKNOWN_EXCEPTION:
    'Call the interface again to resolve the issue. If the problem persists, contact Alipay Technical Support.',
};

/** APO's advice for a result code of a capture; undefined for a code that it does not list. */
export const furtherAction = (resultCode: string | null): string | undefined =>
  resultCode !== null && Object.hasOwn(FURTHER_ACTIONS, resultCode) ? FURTHER_ACTIONS[resultCode] : undefined;
