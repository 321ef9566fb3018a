import { jpy, paymentAnswer, result, transaction } from '../support/facts.ts';
import { answered, type Fact } from './fact.ts';

/* What APO may answer when it is asked about the payment of JPY 120. */

const PAID = '2025-05-17T00:58:04-07:00';
const LATE = '2025-05-18T00:00:00Z';

const PAID_C1 = transaction('CAPTURE', 'S', {
  transactionId: 'C1',
  transactionRequestId: 'Q1',
  transactionAmount: jpy('120'),
  transactionTime: '2025-05-17T07:58:06Z',
});

/** Its times are those of the server that answers, never quite those of the notifications. */
export const INQUIRED: readonly Fact[] = [
  answered(
    'paid, and captured',
    paymentAnswer('SUCCESS', {
      paymentResultCode: 'SUCCESS',
      paymentAmount: jpy('120'),
      paymentTime: '2025-05-17T07:58:05Z',
      paymentResultInfo: { lastFour: '4242' },
      transactions: [PAID_C1],
    }),
  ),
  answered(
    'cancelled',
    paymentAnswer('CANCELLED', {
      paymentAmount: jpy('130'),
      paymentCreateTime: '2025-05-17T07:50:00Z',
      pspCustomerInfo: { pspName: 'TNG' },
    }),
  ),
  answered(
    'paid, voided and refunded',
    paymentAnswer('SUCCESS', {
      paymentAmount: jpy('120'),
      transactions: [
        transaction('VOID', 'S', {}),
        transaction('CANCEL', 'F', {}),
        transaction('REFUND', 'S', { transactionId: 'F2', transactionRequestId: 'G2', transactionAmount: jpy('50') }),
        transaction('INCREMENTAL', 'S', { transactionAmount: jpy('500') }),
      ],
    }),
  ),
  answered('declined', paymentAnswer('FAIL', { paymentResultCode: 'ORDER_IS_CLOSED', paymentTime: LATE })),
  answered(
    'under way, the capture too',
    paymentAnswer('PROCESSING', {
      transactions: [transaction('CAPTURE', 'U', { transactionId: 'C1', transactionAmount: jpy('110') })],
    }),
  ),
];

/** For sets that are drawn. */
export const MORE_INQUIRED: readonly Fact[] = [
  answered(
    'cancelled among the transactions',
    paymentAnswer('SUCCESS', {
      paymentAmount: jpy('120'),
      paymentTime: '2025-05-17T07:58:05Z',
      transactions: [transaction('CANCEL', 'S', { transactionTime: LATE })],
    }),
  ),
  answered(
    'captured, and then voided',
    paymentAnswer('PENDING', {
      transactions: [PAID_C1, transaction('VOID', 'S', { transactionResult: null, transactionStatus: 'SUCCESS' })],
    }),
  ),
  answered(
    'paid by Apple Pay, captured without an amount',
    paymentAnswer('SUCCESS', {
      paymentMethodType: 'APPLE_PAY',
      paymentAmount: jpy('150'),
      paymentTime: LATE,
      acquirerInfo: { acquirerName: 'ADYEN' },
      transactions: [
        transaction('CAPTURE', 'S', { transactionId: 'C5' }),
        transaction('CAPTURE', 'F', { transactionId: 'C3', transactionResult: result('F', 'AUTH_EXPIRED') }),
      ],
    }),
  ),
  answered(
    'paid as before, said otherwise',
    paymentAnswer('SUCCESS', { paymentAmount: jpy('120'), paymentTime: PAID }),
  ),
  answered('not known', { result: result('F', 'ORDER_NOT_EXIST') }),
];
