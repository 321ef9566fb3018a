import * as fc from 'fast-check';
import type { Registration } from '../../src/order/registration.ts';
import { amount, type Fields, result } from '../support/facts.ts';
import type { ReceivedNotification } from './oracle/tell-orders.ts';

/*
 * Random sets of notifications about a few payments. The pools are small, so that identifiers, amounts and times
 * meet: what two random notifications have nothing in common about proves nothing.
 */

/** What a merchant may come to know of: notifications in no order, registrations in the order they were made in. */
export interface World {
  readonly received: readonly ReceivedNotification[];
  readonly registrations: readonly Registration[];
}

export type Step =
  | { readonly kind: 'notification'; readonly notification: ReceivedNotification }
  | { readonly kind: 'registration'; readonly registration: Registration };

/** One way in which a world may arrive: batches of steps. */
export type Arrival = readonly (readonly Step[])[];

/** Whom a world's notifications are about: a few payments of two clients, or a single one that everything is about. */
interface Cast {
  readonly clients: readonly string[];
  readonly payments: readonly string[];
}

const FEW: Cast = { clients: ['T_one', 'T_one', 'T_one', 'SANDBOX_two'], payments: ['P1', 'P1', 'P1', 'P2', 'p3'] };
const ONE: Cast = { clients: ['T_one'], payments: ['P1'] };
const REQUESTS = ['R1', 'R1', 'R2', 'r0'];

const sometimes = <T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
const amounts = sometimes(
  ...['0', '50', '70', '120', '0120'].map((value) => amount('JPY', value)),
  amount('USD', '120'),
  amount('JPY', '9'.repeat(64)),
);
const times = sometimes(
  '2025-05-17T00:58:04-07:00',
  '2025-05-17T07:58:04Z',
  '1747468684000',
  '2025-05-17T07:58:04.001Z',
  '2025-05-18T00:00:00+08:00',
  // Not times: one without a zone, one that the calendar does not have, one in seconds.
  '2025-06-01T00:00:00',
  '2025-06-31T00:00:00Z',
  '1747468684',
);
const statuses = fc.constantFrom('S', 'S', 'S', 'F', 'U');
const acquirerInfo = sometimes<Fields>(
  {},
  { acquirerName: 'ANTOM' },
  { acquirerName: '2C2P', acquirerMerchantId: 'M1' },
);
const acquirerReferenceNo = sometimes('A1', 'A2');

const paymentNotification = ({ payments }: Cast): fc.Arbitrary<Fields> =>
  fc.record({
    notifyType: fc.constantFrom('PAYMENT_RESULT', 'PAYMENT_RESULT', 'PAYMENT_RESULT', 'PAYMENT_PENDING'),
    result: statuses.chain((status) => fc.constantFrom(result(status), { resultStatus: status })),
    paymentId: fc.constantFrom(...payments),
    paymentRequestId: sometimes(...REQUESTS),
    // Ignored in a payment's notification.
    captureId: sometimes('C1'),
    paymentAmount: amounts,
    paymentTime: times,
    paymentCreateTime: times,
    authExpiryTime: times,
    paymentMethodType: sometimes('CARD', 'GCASH'),
    pspCustomerInfo: sometimes({ pspName: 'TNG' }, { pspName: 'PAYPAL' }),
    paymentResultInfo: sometimes({}, { cardBrand: 'VISA' }, { threeDSResult: {} }),
    acquirerInfo,
    acquirerReferenceNo,
  });

const captureNotification = ({ payments }: Cast): fc.Arbitrary<Fields> =>
  fc
    .record({
      notifyType: fc.constant('CAPTURE_RESULT'),
      result: statuses.chain((status) =>
        fc
          .constantFrom('SUCCESS', 'PROCESS_FAIL', 'PARAM_ILLEGAL', 'AUTH_EXPIRED', 'A_NEW_CODE')
          .map((code) => result(status, code)),
      ),
      paymentId: fc.constantFrom(...payments),
      // Ignored in a capture's notification.
      paymentRequestId: sometimes('R2'),
      captureId: sometimes('C1', 'C2', 'c3'),
      captureRequestId: sometimes('Q1', 'Q2', 'R1'),
      captureAmount: amounts,
      captureTime: times,
      acquirerInfo,
      acquirerReferenceNo,
    })
    .filter(({ captureId, captureRequestId }) => captureId !== undefined || captureRequestId !== undefined);

const updateNotification = ({ payments }: Cast): fc.Arbitrary<Fields> =>
  fc.record({
    notifyType: fc.constant('UPDATE_AMOUNT_RESULT'),
    result: statuses.map((status) => result(status)),
    paymentId: fc.constantFrom(...payments),
    paymentAmount: amounts,
  });

/** Each names its payment, and its refund is of no other. */
const refundNotification = ({ payments }: Cast): fc.Arbitrary<Fields> =>
  fc.constantFrom(...payments).chain((paymentId) =>
    fc.record({
      notifyType: fc.constant('REFUND_RESULT'),
      result: statuses.map((status) => result(status)),
      paymentId: fc.constant(paymentId),
      refundId: fc.constantFrom(`F1 of ${paymentId}`, `F2 of ${paymentId}`),
      refundRequestId: sometimes(`G1 of ${paymentId}`, `G2 of ${paymentId}`),
      refundAmount: amounts,
      refundTime: times,
    }),
  );

const disputeNotification = ({ payments }: Cast): fc.Arbitrary<Fields> =>
  fc.record({
    disputeNotificationType: fc.constantFrom(
      'DISPUTE_CREATED',
      'DEFENSE_SUPPLIED',
      'DISPUTE_ACCEPTED',
      'DISPUTE_JUDGED',
      'DISPUTE_CANCELLED',
    ),
    paymentId: fc.constantFrom(...payments),
    disputeId: fc.constantFrom('D1', 'D2'),
    disputeType: sometimes('CHARGEBACK', 'RETRIEVAL_REQUEST'),
    disputeAmount: amounts,
    disputeJudgedAmount: amounts,
    disputeJudgedResult: sometimes('ACCEPT_BY_MERCHANT', 'ACCEPT_BY_CUSTOMER', 'A_NEW_RESULT'),
    disputeJudgedTime: times,
    disputeTime: times,
    defenseDueTime: times,
  });

/** What APO answers about a payment; its refunds are of no other. */
const answer = (cast: Cast): fc.Arbitrary<Fields> =>
  fc.constantFrom(...cast.payments).chain((paymentId) =>
    paymentNotification({ ...cast, payments: [paymentId] }).chain(
      ({ notifyType: _type, result: _result, ...details }) =>
        fc
          .record({
            result: fc.constantFrom(result('S'), result('S'), result('S'), result('S'), result('F', 'ORDER_NOT_EXIST')),
            paymentStatus: fc.constantFrom('SUCCESS', 'SUCCESS', 'FAIL', 'PROCESSING', 'CANCELLED', 'A_NEW_STATUS'),
            paymentResultCode: sometimes('SUCCESS', 'ORDER_IS_CLOSED'),
            transactions: fc.array(transactionOf(paymentId), { maxLength: 3 }),
          })
          .map((said) => Object.assign(details, said)),
    ),
  );

const transactionOf = (paymentId: string): fc.Arbitrary<Fields> =>
  fc
    .record({
      transactionType: fc.constantFrom('CAPTURE', 'CAPTURE', 'REFUND', 'CANCEL', 'VOID', 'INCREMENTAL'),
      transactionStatus: sometimes('SUCCESS', 'FAIL', 'CANCELLED'),
      transactionResult: statuses.chain((status) => fc.constantFrom(result(status), null)),
      number: fc.constantFrom('1', '2'),
      transactionAmount: amounts,
      transactionTime: times,
    })
    .map(({ number, ...fields }) => {
      const isRefund = fields.transactionType === 'REFUND';
      const own = isRefund ? { transactionId: `F${number} of ${paymentId}` } : { transactionId: `C${number}` };
      return Object.assign(fields, own);
    });

/** One field of a well-formed notification replaced by what makes it malformed, or of no known kind. */
const spoilt = (notification: Fields): fc.Arbitrary<Fields> =>
  fc
    .constantFrom<Fields>(
      { paymentAmount: { currency: 'jpy', value: '1' } },
      { captureAmount: { currency: 'JPY', value: 1.5 } },
      { result: { resultStatus: 's' } },
      { captureId: 'C1 ' },
      { paymentRequestId: 7 },
      { paymentId: null },
      { paymentId: 'P\u00001' },
      { notifyType: 'A_NEW_RESULT' },
      { notifyType: null },
      { notifyType: ['PAYMENT_RESULT'] },
    )
    .map((spoiling) => Object.assign({}, notification, spoiling));

const asText = (fields: Fields): string => JSON.stringify(fields);

const bodies = (cast: Cast): fc.Arbitrary<string> => {
  const payment = paymentNotification(cast);
  const capture = captureNotification(cast);
  const others = fc.oneof(updateNotification(cast), refundNotification(cast), disputeNotification(cast));
  return fc.oneof(
    { weight: 5, arbitrary: payment.map(asText) },
    { weight: 6, arbitrary: capture.map(asText) },
    { weight: 2, arbitrary: others.map(asText) },
    { weight: 1, arbitrary: fc.oneof(payment, capture).chain(spoilt).map(asText) },
    { weight: 1, arbitrary: fc.constantFrom('', '[]', '{"notifyType":"PAYMENT_RESULT"', '{}', '\ufeff{}') },
  );
};

const registration = ({ clients }: Cast): fc.Arbitrary<Registration> =>
  fc
    .record({
      clientId: fc.constantFrom(...clients),
      paymentRequestId: fc.constantFrom('R1', 'R2', 'r0', 'R9'),
      amount: fc.constantFrom(
        { currency: 'JPY', value: '120' },
        { currency: 'JPY', value: '50' },
        { currency: 'USD', value: '120' },
      ),
      referenceOrderId: fc.constant(null),
      captureMode: fc.constantFrom('AUTOMATIC', 'MANUAL', 'NONE', null),
      paymentMethodType: fc.constantFrom('CARD', 'GCASH', null, null),
      authExpiryTime: fc.constantFrom('2025-06-01T00:00:00Z', null),
      finalAmount: fc.constant(null),
      cancelled: fc.constant(false),
    })
    .map(withLaterFields);

/** A later PUT leaves these alone: they are the same in all registrations of one key. */
const withLaterFields = (one: Registration): Registration => {
  if (one.paymentRequestId === 'R2') return { ...one, cancelled: true };
  const finalAmount = { currency: 'JPY', value: '50' };
  return one.paymentRequestId === 'r0' ? { ...one, amount: finalAmount, finalAmount } : one;
};

interface Size {
  readonly least: number;
  readonly most: number;
  readonly registrations: number;
}

export const worlds = (size: Size): fc.Arbitrary<World> => fc.oneof(worldsOf(FEW, size), worldsOf(ONE, size));

const worldsOf = (cast: Cast, { least, most, registrations }: Size): fc.Arbitrary<World> =>
  fc.record({
    received: fc.uniqueArray(arriving(cast), {
      minLength: least,
      maxLength: most,
      size: 'max',
      selector: ({ clientId, body, askedAbout }) => `${clientId} ${askedAbout} ${body}`,
    }),
    registrations: fc.array(registration(cast), { maxLength: registrations, size: 'max' }),
  });

const arriving = (cast: Cast): fc.Arbitrary<ReceivedNotification> => {
  const clientId = fc.constantFrom(...cast.clients);
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ clientId, body: bodies(cast) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        clientId,
        body: fc.oneof(
          { weight: 6, arbitrary: answer(cast).map(asText) },
          { weight: 1, arbitrary: answer(cast).chain(spoilt).map(asText) },
        ),
        askedAbout: fc.constantFrom(...cast.payments),
      }),
    },
  );
};

const keyOf = (one: Registration): string => `${one.clientId} ${one.paymentRequestId}`;

/**
 * Puts the registrations of one key into the order they were made in, so that the last of them stands in every arrival.
 */
const inTurn = (steps: readonly Step[], made: readonly Registration[]): readonly Step[] => {
  const waiting = new Map(made.map((one) => [keyOf(one), made.filter((other) => keyOf(other) === keyOf(one))]));
  return steps.map((step) => {
    if (step.kind === 'notification') return step;
    const next = waiting.get(keyOf(step.registration))?.shift() ?? step.registration;
    return { kind: 'registration', registration: next };
  });
};

/** Any order of a world, with some of its notifications again, cut into batches anywhere. */
export const arrivals = ({ received, registrations }: World): fc.Arbitrary<Arrival> => {
  const steps: readonly Step[] = [
    ...received.map((notification) => ({ kind: 'notification', notification }) as const),
    ...registrations.map((one) => ({ kind: 'registration', registration: one }) as const),
  ];
  const repeats = fc.subarray(steps.filter(({ kind }) => kind === 'notification'));
  return repeats
    .chain((again) => {
      const all = [...steps, ...again];
      return fc.tuple(
        fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
        fc.array(fc.nat({ max: 3 }), { minLength: all.length, maxLength: all.length }),
      );
    })
    .map(([shuffled, cuts]) => cutWhere(inTurn(shuffled, registrations), (index) => cuts[index] === 0));
};

const cutWhere = (steps: readonly Step[], isCut: (index: number) => boolean): Arrival => {
  const batches: Step[][] = [[]];
  steps.forEach((step, index) => {
    if (isCut(index)) batches.push([]);
    batches.at(-1)?.push(step);
  });
  return batches.filter(({ length }) => length > 0);
};

/** What has arrived, in the order of arrival. */
export const worldOf = (arrival: Arrival): World => {
  const steps = arrival.flat();
  return {
    received: steps.flatMap((step) => (step.kind === 'notification' ? [step.notification] : [])),
    registrations: steps.flatMap((step) => (step.kind === 'registration' ? [step.registration] : [])),
  };
};

/** The registrations that stand: the last one of each key. */
export const standing = (registrations: readonly Registration[]): readonly Registration[] => [
  ...new Map(registrations.map((one) => [keyOf(one), one])).values(),
];

export const permutations = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  items.length < 2
    ? [items]
    : items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item].concat(rest)));
