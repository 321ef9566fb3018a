import type { OrderEvidence, RegistrationFact } from '../../../src/order/evidence.ts';
import type { OrderRules } from '../../../src/order/rules.ts';
import type { AnyPaymentStatement } from '../../../src/order/statement.ts';

/* order.md, *Is a capture required?* */

export interface Need {
  readonly required: boolean;
  /** The number of the rule that decided. */
  readonly rule: 1 | 2 | 3 | 4 | 5 | 6;
  /** Rule 1 overrode a no. */
  readonly unexpected: boolean;
}

interface Asked {
  readonly evidence: OrderEvidence;
  readonly payments: readonly AnyPaymentStatement[];
  readonly registration: RegistrationFact | null;
  readonly rules: OrderRules;
}

/** wire.md §6, word by word. */
const WITHOUT_CAPTURE: ReadonlySet<string> = new Set(
  `EPS BANCONTACT PIX MERCADOPAGOBR PAGALEVE MERCADOPAGOCL ALIPAYCN JKOPAY ALIPAYHK BANCOMATPAY DANA KREDIVOID OVO
  GOPAYID BANKTRANSFERMAYBANK BANKTRANSFERBNI BANKTRANSFERPERMATA CIMBNIAGA BANKTRANSFERBSI ATMTRANSFERID QRIS
  SHOPEEPAYID PAYPAY KONBINI SEVENELEVEN ONLINEBANKINGPAYEASY BOOST TNG GRABPAYMY ONLINEBANKINGFPX SHOPEEPAYMY
  MERCADOPAGOMX IDEAL MERCADOPAGOPE BPI GCASH BILLEASE MAYA ONLINEBANKINGUBP SHOPEEPAYPH GRABPAYPH PAYU P24 BLIK
  GRABPAYSG PAYNOW SHOPEEPAYSG KAKAOPAY NAVERPAY TOSSPAY BANKTRANSFERQUICKPAY RABBITLINEPAY TRUEMONEY
  ONLINEBANKINGKRUNGTHAIBANK ONLINEBANKINGSIAMCOMMERCIALBANK ONLINEBANKINGBANGKOKBANK ONLINEBANKINGBANKOFAYUDHYA
  ONLINEBANKINGKASIKORNBANK BANKTRANSFERBANGKOKBANK BANKTRANSFERSIAMCOMMERCIALBANK BANKTRANSFERBANKOFAYUDHYA
  BANKTRANSFERKRUNGTHAIBANK BANKTRANSFERKASIKORNBANK BANKTRANSFERGOVERNMENTSAVINGSBANK PROMPTPAY BANKAPPBANGKOKBANK
  BANKAPPSIAMCOMMERCIALBANK BANKAPPBANKOFAYUDHYA BANKAPPKRUNGTHAIBANK SHOPEEPAYTH KPLUS ZALOPAY MOMO
  ONLINEBANKINGYAPILY DIDIPAYLATER OCTOPUS MPAY PAYME WECHATPAY WECHATPAYHK UPI PICPAY ONLINEBANKINGNETBANKING
  BCABANKVA`.split(/\s+/),
);

const CAPTURED: ReadonlySet<string> = new Set(['CARD', 'APPLEPAY', 'GOOGLEPAY', 'PAYPAL']);

const plain = (method: string): string => (method.toUpperCase().match(/[A-Z0-9]+/g) ?? []).join('');

const present = (values: readonly (string | null | undefined)[]): readonly string[] =>
  values.flatMap((value) => (value === null || value === undefined ? [] : [plain(value)]));

/** Rules 2 to 6. */
const byMethod = ({ payments, registration, rules }: Asked): Need['rule'] => {
  if (registration?.captureMode === 'NONE') return 2;
  if (rules.captureRequired === 'always') return 3;
  const types = present(payments.map((one) => one.paymentMethodType));
  const psps = present(payments.map((one) => one.pspName));
  const asRegistered = present([registration?.paymentMethodType]);
  const acquirers = present(
    payments.map(({ acquirerInfo }) => {
      const name = acquirerInfo?.['acquirerName'];
      return typeof name === 'string' ? name : null;
    }),
  );
  const stated = [...types, ...psps];
  const showsCard = payments.some(({ hasResultInfo }) => hasResultInfo === true);
  const isGrab = stated.length > 0 && stated.every((method) => method.startsWith('GRABPAY'));
  if ([...stated, ...asRegistered].some((method) => CAPTURED.has(method))) return 4;
  if (acquirers.includes('PAYPAL') || (showsCard && !isGrab)) return 4;
  const methods = [...types, ...asRegistered];
  const counting = methods.length > 0 ? methods : psps;
  const listed = new Set([...WITHOUT_CAPTURE, ...present(rules.noCaptureMethods)]);
  return counting.length > 0 && counting.every((method) => listed.has(method)) ? 5 : 6;
};

export const captureNeed = (asked: Asked): Need => {
  const rule = byMethod(asked);
  const says = rule !== 2 && rule !== 5;
  if (asked.evidence.statements.some(({ about }) => about === 'capture'))
    return { required: true, rule: 1, unexpected: !says };
  return { required: says, rule, unexpected: false };
};
