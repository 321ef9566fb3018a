import type { RegistrationFact } from '../../src/order/evidence.ts';
import type { OrderRules } from '../../src/order/rules.ts';
import { CLIENT } from '../support/facts.ts';

/* The settings in which a payment of JPY 120 is looked at. */

/** When everything was received, and the payment's own time: epoch milliseconds. */
export const RECEIVED_AT = Date.parse('2025-05-17T08:00:00Z');
export const PAID_AT = Date.parse('2025-05-17T07:58:04Z');

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A registration of JPY 120 under R1. */
export const registration = (fields: Partial<RegistrationFact> = {}): RegistrationFact => ({
  clientId: CLIENT,
  paymentRequestId: 'R1',
  amount: { currency: 'JPY', value: '120' },
  referenceOrderId: null,
  captureMode: null,
  paymentMethodType: null,
  authExpiryTime: null,
  finalAmount: null,
  cancelled: false,
  createdAt: RECEIVED_AT,
  ...fields,
});

export const REGISTRATIONS: readonly (readonly [name: string, registration: RegistrationFact | null])[] = [
  ['not registered', null],
  ['registered', registration({ referenceOrderId: 'shop-1', authExpiryTime: 'tomorrow' })],
  ['registered for manual capture', registration({ captureMode: 'MANUAL' })],
  ['registered without a capture', registration({ captureMode: 'NONE' })],
  ['registered by wallet', registration({ paymentMethodType: 'New Pay', authExpiryTime: '2025-05-24T07:00:00Z' })],
  ['registered, 70 being all', registration({ captureMode: 'MANUAL', finalAmount: { currency: 'JPY', value: '70' } })],
  ['registered as cancelled', registration({ cancelled: true })],
  ['registered with 121', registration({ amount: { currency: 'JPY', value: '121' } })],
];

/** The contract's defaults. */
export const DEFAULTS: OrderRules = {
  captureRequired: 'methods',
  noCaptureMethods: [],
  captureMode: 'AUTOMATIC',
  requireRegistration: false,
  production: false,
};

export const CONFIGURATIONS: readonly (readonly [name: string, rules: OrderRules])[] = [
  ['by method, in production', { ...DEFAULTS, noCaptureMethods: ['NEWPAY'], production: true }],
  [
    'always captured, registered',
    { ...DEFAULTS, captureRequired: 'always', captureMode: 'MANUAL', requireRegistration: true },
  ],
];

/** Just under and at an hour after the last notification; 48 h before the authorization expires, and then. */
export const INSTANTS: readonly number[] = [
  RECEIVED_AT + HOUR - 1,
  RECEIVED_AT + HOUR,
  PAID_AT + 5 * DAY,
  PAID_AT + 7 * DAY,
];
