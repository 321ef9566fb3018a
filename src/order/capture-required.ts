import type { Registration } from './registration.ts';
import type { OrderRules } from './rules.ts';
import type { AnyPaymentStatement } from './statement.ts';

/** Upper case, and nothing but A–Z and 0–9: `Google Pay`, `GOOGLE_PAY` and `googlepay` are one method. */
export const normaliseMethod = (method: string): string => method.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');

/**
 * "For transactions paid with cards, Apple Pay, Google Pay or PayPal, APO will send capture results." (capture page)
 */
const CAPTURED_METHODS: ReadonlySet<string> = new Set(['CARD', 'APPLEPAY', 'GOOGLEPAY', 'PAYPAL']);

const BANKS = ['KRUNGTHAIBANK', 'SIAMCOMMERCIALBANK', 'BANGKOKBANK', 'BANKOFAYUDHYA'] as const;

/** Wallets, transfers and vouchers: their PAYMENT_RESULT S is the money (spec: wire, §6). */
const METHODS_WITHOUT_CAPTURE: readonly string[] = [
  ...[
    'EPS BANCONTACT PIX MERCADOPAGO_BR PAGALEVE MERCADOPAGO_CL ALIPAY_CN JKOPAY ALIPAY_HK',
    'BANCOMATPAY DANA KREDIVO_ID OVO GOPAY_ID BANKTRANSFER_MAYBANK BANKTRANSFER_BNI',
    'BANKTRANSFER_PERMATA CIMBNIAGA BANKTRANSFER_BSI ATMTRANSFER_ID QRIS SHOPEEPAY_ID PAYPAY',
    'KONBINI SEVENELEVEN ONLINEBANKING_PAYEASY BOOST TNG GRABPAY_MY ONLINEBANKING_FPX',
    'SHOPEEPAY_MY MERCADOPAGO_MX IDEAL MERCADOPAGO_PE BPI GCASH BILLEASE MAYA',
    'ONLINEBANKING_UBP SHOPEEPAY_PH GRABPAY_PH PAYU P24 BLIK GRABPAY_SG PAYNOW',
    'SHOPEEPAY_SG KAKAOPAY NAVERPAY TOSSPAY BANKTRANSFER_QUICKPAY RABBIT_LINE_PAY TRUEMONEY',
    'PROMPTPAY SHOPEEPAY_TH KPLUS ZALOPAY MOMO ONLINEBANKING_YAPILY DIDI_PAY_LATER OCTOPUS',
    'MPAY PAYME WECHATPAY WECHATPAY_HK UPI PICPAY ONLINEBANKING_NETBANKING BCABANK_VA',
  ].flatMap((line) => line.split(' ')),
  ...[...BANKS, 'KASIKORNBANK'].map((bank) => `ONLINEBANKING_${bank}`),
  ...[...BANKS, 'KASIKORNBANK', 'GOVERNMENTSAVINGSBANK'].map((bank) => `BANKTRANSFER_${bank}`),
  ...BANKS.map((bank) => `BANKAPP_${bank}`),
];
const WITHOUT_CAPTURE: ReadonlySet<string> = new Set(METHODS_WITHOUT_CAPTURE.map(normaliseMethod));

interface Shown {
  /** PAYMENT_RESULT, PAYMENT_PENDING and an inquiry's CANCELLED. */
  readonly payments: readonly AnyPaymentStatement[];
  /** The payment has a capture, whatever its result. */
  readonly hasCapture: boolean;
  readonly registration: Registration | null;
}

/** Whether a PAYMENT_RESULT S is only an authorization, and what says so. */
export interface CaptureNeed {
  readonly required: boolean;
  /** `unexpected`: a capture came where nothing else asks for one. `undecided`: nothing decides, so it is required. */
  readonly because: 'capture' | 'unexpected' | 'registration' | 'configuration' | 'method' | 'undecided';
  /** The method that it went by, as written; null where none is stated or registered, or none was looked at. */
  readonly method: string | null;
}

/** When in doubt a capture is required: an authorization is not money. */
export const captureNeed = (shown: Shown, rules: OrderRules): CaptureNeed => {
  const otherwise = withoutCaptures(shown, rules);
  if (!shown.hasCapture) return otherwise;
  return { ...otherwise, required: true, because: otherwise.required ? 'capture' : 'unexpected' };
};

const withoutCaptures = ({ payments, registration }: Shown, rules: OrderRules): CaptureNeed => {
  if (registration?.captureMode === 'NONE') return { required: false, because: 'registration', method: null };
  if (rules.captureRequired === 'always') return { required: true, because: 'configuration', method: null };
  const types = filled([registration?.paymentMethodType, ...payments.map((payment) => payment.paymentMethodType)]);
  const psps = filled(payments.map(({ pspName }) => pspName));
  const captured = capturedMethod(payments, [...types, ...psps]);
  if (captured !== null) return { required: true, because: 'method', method: captured };
  const decisive = types.length > 0 ? types : psps;
  const isUnlisted = (method: string): boolean => !isListed(normaliseMethod(method), rules);
  return decisive.length > 0 && !decisive.some(isUnlisted)
    ? { required: false, because: 'method', method: decisive[0] ?? null }
    : { required: true, because: 'undecided', method: decisive.find(isUnlisted) ?? null };
};

const filled = (methods: readonly (string | null | undefined)[]): readonly string[] =>
  methods.flatMap((method) => (method ? [method] : []));

const isListed = (method: string, rules: OrderRules): boolean =>
  WITHOUT_CAPTURE.has(method) || rules.noCaptureMethods.includes(method);

/** What shows a method that is captured, for a sentence; null where nothing does. */
const capturedMethod = (payments: readonly AnyPaymentStatement[], methods: readonly string[]): string | null => {
  const captured = methods.find((method) => CAPTURED_METHODS.has(normaliseMethod(method)));
  if (captured !== undefined) return captured;
  if (payments.some(isAcquiredByPayPal)) return 'PAYPAL';
  // GrabPay fills these fields as cards do.
  const stated = filled(payments.flatMap(({ paymentMethodType, pspName }) => [paymentMethodType, pspName]));
  const isGrabPay = stated.length > 0 && stated.every((method) => normaliseMethod(method).startsWith('GRABPAY'));
  return !isGrabPay && payments.some(({ hasResultInfo }) => hasResultInfo === true) ? 'a card' : null;
};

const isAcquiredByPayPal = ({ acquirerInfo }: AnyPaymentStatement): boolean => {
  const name =
    acquirerInfo !== undefined && Object.hasOwn(acquirerInfo, 'acquirerName') && acquirerInfo['acquirerName'];
  return typeof name === 'string' && normaliseMethod(name) === 'PAYPAL';
};
