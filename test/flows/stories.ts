import {
  captureResult,
  type Fields,
  jpy,
  paymentPending,
  paymentResult,
  refundResult,
  result,
} from '../support/facts.ts';

/** The identifiers of one payment, all with one number. */
export interface Names {
  /** Four digits. */
  readonly number: string;
  readonly payment: string;
  readonly request: string;
  /** The same for twins. */
  readonly shopOrder: string;
  readonly capture: (part: string) => { readonly captureId: string; readonly captureRequestId: string };
  readonly refund: (part: string) => { readonly refundId: string; readonly refundRequestId: string };
  readonly dispute: string;
}

let numbers = 0;

export const nextNames = (): Names => {
  numbers += 1;
  return namesOf(String(numbers).padStart(4, '0'), '');
};

/** Of another payment, with the same number. */
export const twinOf = ({ number }: Names): Names => namesOf(number, '-twin');

export const namesOf = (number: string, suffix: string): Names => {
  const one = `${number}${suffix}`;
  return {
    number,
    payment: `P-${one}`,
    request: `R-${one}`,
    shopOrder: `shop-${number}`,
    capture: (part) => ({ captureId: `C-${one}${part}`, captureRequestId: `CR-${one}${part}` }),
    refund: (part) => ({ refundId: `F-${one}${part}`, refundRequestId: `FR-${one}${part}` }),
    dispute: `D-${one}`,
  };
};

/** A time of one day, `hour` o'clock. */
export const at = (hour: number): string => `2025-05-17T${String(hour).padStart(2, '0')}:00:00Z`;

/** PAYMENT_RESULT S of JPY 120, of no method: at nine. */
export const paid = (names: Names, fields: Fields = {}): Fields =>
  paymentResult('S', {
    paymentId: names.payment,
    paymentRequestId: names.request,
    paymentAmount: jpy('120'),
    paymentTime: at(9),
    ...fields,
  });

/** The same of a card, whose acquirer says nothing of an end of the authorization. */
export const card = (names: Names, fields: Fields = {}): Fields =>
  paid(names, { paymentMethodType: 'CARD', acquirerInfo: { acquirerName: 'ADYEN' }, ...fields });

/** PAYMENT_RESULT F, without an amount or a time, as APO sends it. */
export const declined = ({ payment, request }: Names, code = 'RISK_REJECT'): Fields =>
  paymentResult('F', { paymentId: payment, paymentRequestId: request, result: result('F', code) });

/** PAYMENT_PENDING S of JPY 120. */
export const pending = ({ payment, request }: Names, fields: Fields = {}): Fields =>
  paymentPending({ paymentId: payment, paymentRequestId: request, paymentAmount: jpy('120'), ...fields });

/** CAPTURE_RESULT S of the capture a: at ten. */
export const captured = (names: Names, value: string, fields: Fields = {}): Fields =>
  captureResult('S', {
    paymentId: names.payment,
    ...names.capture('a'),
    captureAmount: jpy(value),
    captureTime: at(10),
    ...fields,
  });

/** CAPTURE_RESULT F of the capture a, of JPY 120, with this code. */
export const captureFailed = (names: Names, code: string, fields: Fields = {}): Fields =>
  captured(names, '120', { result: result('F', code), ...fields });

/** UPDATE_AMOUNT_RESULT: `value` is the new total. */
export const amountUpdated = (names: Names, value: string, fields: Fields = {}): Fields => ({
  ...card(names, { paymentAmount: jpy(value), updateRequestId: `U-${names.number}`, ...fields }),
  notifyType: 'UPDATE_AMOUNT_RESULT',
});

/** REFUND_RESULT S of the refund a: it names no payment. At eleven. */
export const refunded = (names: Names, value: string, fields: Fields = {}): Fields =>
  refundResult('S', {
    refundStatus: 'SUCCESS',
    ...names.refund('a'),
    refundAmount: jpy(value),
    refundTime: at(11),
    ...fields,
  });

/** A notification of a dispute over JPY 120; at noon. */
export const disputed = (names: Names, type: string, fields: Fields = {}): Fields => ({
  disputeNotificationType: type,
  disputeType: 'CHARGEBACK',
  disputeId: names.dispute,
  paymentId: names.payment,
  paymentRequestId: names.request,
  disputeAmount: jpy('120'),
  disputeTime: at(12),
  disputeReasonCode: '10.4',
  disputeReasonMsg: 'Fraud, card absent',
  disputeSource: 'VISA',
  ...fields,
});
