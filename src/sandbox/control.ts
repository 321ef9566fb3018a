import { type RequestHandler, Router } from 'express';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Delivery } from './courier.ts';
import type { SigningKey, SigningKeys } from './keys.ts';
import { moneyOf, type PaymentEntry } from './ledger.ts';
import { changed, type Settings, settingsChange } from './misbehaviour.ts';
import { resultJson } from './bodies.ts';
import { dispute, DISPUTE_TYPES, JUDGEMENTS } from './operations/dispute.ts';
import { lapse, pay } from './operations/pay.ts';
import { refund } from './operations/refund.ts';
import { amount, id } from './operations/request.ts';
import { OPERATIONS, type World } from './world.ts';

export interface ControlNeeds {
  readonly world: World;
  readonly keys: SigningKeys;
  readonly setSettings: (settings: Settings) => void;
  readonly deliveries: () => readonly Delivery[];
  /** How many things are still to happen by themselves: payments under way, disputes to come, … */
  readonly pending: () => number;
  readonly rotate: () => Promise<void>;
}

/** The control endpoint: JSON in, JSON out. A form of a strange page cannot send what it takes. */
export const createControl = (needs: ControlNeeds): Router => {
  const { world } = needs;
  const router = Router();
  router.use((request, response, next) => {
    if (request.method === 'GET' || /^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '')) next();
    else response.status(415).json({ error: 'The Content-Type has to be application/json.' });
  });
  router.get('/', (_request, response, next) => {
    stateOf(needs).then((state) => response.json(state), next);
  });
  router.get('/ledger', (_request, response) => void response.json({ payments: world.ledger.payments().map(shown) }));
  router.get('/notifications', (_request, response) => void response.json({ notifications: needs.deliveries() }));
  router.patch(
    '/',
    taking(settingsChange, (change) => {
      needs.setSettings(changed(world.settings(), change));
      return world.settings();
    }),
  );
  router.post(
    '/answers',
    taking(toldAnswer, (told) => (world.told.add(told), { answers: world.told.all() })),
  );
  router.post('/keys', (_request, response, next) => {
    needs.rotate().then(() => response.json(keyOf(needs.keys.current())), next);
  });
  router.post(
    '/payments',
    taking(newPayment, (asked) => makePayment(world, asked)),
  );
  router.post(
    '/refunds',
    taking(newRefund, (asked) => makeRefund(world, asked)),
  );
  router.post(
    '/disputes',
    taking(disputeStep, (step) => takeStep(world, step)),
  );
  router.post(
    '/lapses',
    taking(ofPayment, ({ payment }) => endAuthorization(world, payment)),
  );
  return router;
};

const MANY = 1_000_000;

const toldAnswer = z.strictObject({
  operation: z.enum(OPERATIONS),
  resultCode: id,
  payment: id.nullable().default(null),
  count: z.number().int().min(1).max(MANY).default(1),
});
const newPayment = z.strictObject({
  paymentRequestId: id.optional(),
  amount,
  as: z.string().optional(),
  captureMode: z.enum(['AUTOMATIC', 'MANUAL']).optional(),
  resultCode: id.optional(),
});
const newRefund = z.strictObject({ payment: id, refundRequestId: id.optional(), amount, captureId: id.optional() });
const disputeStep = z.strictObject({
  payment: id,
  type: z.enum(DISPUTE_TYPES),
  judged: z.enum(JUDGEMENTS).optional(),
  disputeId: id.optional(),
  amount: amount.optional(),
});
const ofPayment = z.strictObject({ payment: id });

/** What cannot be done, for the person who asked. */
class ControlError extends Error {
  override readonly name = 'ControlError';
}

const taking =
  <T>(schema: z.ZodType<T>, act: (asked: T) => unknown): RequestHandler =>
  (request, response) => {
    const read = schema.safeParse(readJson(request.body));
    if (!read.success) {
      response.status(400).json({ error: z.prettifyError(read.error) });
      return;
    }
    try {
      response.json(act(read.data));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      response.status(409).json({ error: error.message });
    }
  };

const readJson = (body: unknown): unknown => {
  try {
    return JSON.parse(body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : '');
  } catch {
    return undefined;
  }
};

const found = ({ ledger }: World, wanted: string): PaymentEntry => {
  const payment = ledger.byId(wanted) ?? ledger.byRequest(wanted);
  if (payment === null) throw new ControlError(`There is no payment ${wanted}.`);
  return payment;
};

/** As the merchant would by `pay`, without a signature. */
const makePayment = (world: World, asked: z.infer<typeof newPayment>): object => {
  const { paymentRequestId = randomUUID(), as, captureMode, resultCode } = asked;
  const metaData = { ...(as === undefined ? {} : { as }), ...(resultCode === undefined ? {} : { resultCode }) };
  const { outcome } = pay(
    world,
    {
      paymentRequestId,
      paymentAmount: { ...asked.amount },
      paymentMethod: { paymentMethodType: 'TEST', paymentMethodMetaData: metaData },
      ...(captureMode === undefined ? {} : { paymentFactor: { captureMode } }),
    },
    world.told.take('pay', [paymentRequestId]),
  );
  const payment = world.ledger.byRequest(paymentRequestId);
  return { result: resultJson(outcome), payment: payment === null ? null : shown(payment) };
};

/** As somebody would in the dashboard: the merchant's shop knows nothing of it. */
const makeRefund = (world: World, { payment: wanted, ...asked }: z.infer<typeof newRefund>): object => {
  const { paymentId } = found(world, wanted);
  const { refundRequestId = randomUUID(), captureId } = asked;
  const { outcome } = refund(
    world,
    {
      refundRequestId,
      paymentId,
      refundAmount: { ...asked.amount },
      ...(captureId === undefined ? {} : { captureId }),
    },
    null,
  );
  return { result: resultJson(outcome), payment: shown(found(world, paymentId)) };
};

const takeStep = (world: World, { payment, ...step }: z.infer<typeof disputeStep>): object => {
  const made = dispute(world, found(world, payment), step);
  if (made === null) throw new ControlError('There is no such dispute, or nothing was paid that could be disputed.');
  return { dispute: made };
};

const endAuthorization = (world: World, wanted: string): object => {
  if (!lapse(world, found(world, wanted)))
    throw new ControlError('There is no open authorization of which nothing was captured.');
  return { payment: shown(found(world, wanted)) };
};

/** An entry of the ledger, and what truly moved. */
const shown = (payment: PaymentEntry): object => {
  const { authorized, paid, returned, taken } = moneyOf(payment);
  const { currency } = payment.amount;
  const money = { authorized, paid, returned, taken, kept: paid - returned - taken };
  const texts = Object.entries(money).map(([name, value]) => [name, value.toString()]);
  return { ...payment, moved: { currency, ...Object.fromEntries(texts) } };
};

const keyOf = ({ version, publicKey }: SigningKey) => ({ version, publicKey });

const stateOf = async ({ world, keys, deliveries, pending }: ControlNeeds) => {
  const states = deliveries().map(({ state }) => state);
  return {
    ...world.settings(),
    answers: world.told.all(),
    keys: { current: keyOf(keys.current()), next: keyOf(await keys.next()) },
    payments: world.ledger.payments().length,
    pending: pending(),
    notifications: Object.fromEntries(
      [...new Set(states)].sort().map((state) => [state, states.filter((one) => one === state).length]),
    ),
  };
};
