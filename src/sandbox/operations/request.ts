import { z } from 'zod';
import type { Json, JsonObject } from '../../order/statement.ts';
import type { Outcome } from '../codes.ts';
import type { PaymentEntry, RequestEntry } from '../ledger.ts';
import { refusal, type Reply, type World } from '../world.ts';

const LONGEST_ID = 64;
const LONGEST_URL = 1_024;

export const id = z.string().min(1).max(LONGEST_ID);
/** A positive integer in the smallest unit, as a string. */
export const amount = z
  .object({ currency: z.string().regex(/^[A-Z]{3}$/), value: z.string().regex(/^[1-9]\d{0,15}$/) })
  .transform(({ currency, value }) => ({ currency, value }));
export const notifyUrl = z
  .string()
  .max(LONGEST_URL)
  .regex(/^https?:\/\//)
  .refine((text) => URL.canParse(text));
/** A boolean, as such or as text; false where it is absent. */
export const flag = z
  .boolean()
  .or(z.enum(['true', 'false']).transform((text) => text === 'true'))
  .default(false);
/** What is about a payment names it by either of its ids, or by both. */
export const ofPayment = z
  .object({ paymentId: id.optional(), paymentRequestId: id.optional() })
  .refine(({ paymentId, paymentRequestId }) => paymentId !== undefined || paymentRequestId !== undefined);

/** The paymentId wins over the paymentRequestId. */
export const findPayment = (
  { ledger }: World,
  { paymentId, paymentRequestId = '' }: z.infer<typeof ofPayment>,
): PaymentEntry | null => (paymentId === undefined ? ledger.byRequest(paymentRequestId) : ledger.byId(paymentId));

/** What is asked, or PARAM_ILLEGAL with the first field that is wrong. */
export const readRequest = <T>(
  schema: z.ZodType<T>,
  body: JsonObject,
): { readonly request: T } | { readonly refused: Reply } => {
  const read = schema.safeParse(body);
  if (read.success) return { request: read.data };
  const [issue] = read.error.issues;
  return { refused: refusal('PARAM_ILLEGAL', `Look at ${issue?.path.join('.') || 'the body'}.`) };
};

interface Asked {
  readonly operation: string;
  readonly requestId: string;
  /** All that was asked. */
  readonly asked: unknown;
}

/** What stands under this request id already; REPEAT_REQ_INCONSISTENT where something else was asked. */
export const askedBefore = ({ ledger }: World, { operation, requestId, asked }: Asked): RequestEntry | Reply | null => {
  const before = ledger.request(operation, requestId);
  if (before === null) return null;
  return before.asked === JSON.stringify(asked) ? before : refusal('REPEAT_REQ_INCONSISTENT');
};

/** The answer to a request is kept: it stays the same for its id. */
export const keep = (
  { ledger }: World,
  { operation, requestId, asked }: Asked,
  { outcome, paymentId = null }: Pick<RequestEntry, 'outcome'> & { readonly paymentId?: string | null },
): void => ledger.remember({ operation, requestId, asked: JSON.stringify(asked), paymentId, outcome });

/** A failure is final for its id, even where the id is all that could be read. */
export const keepRefused = (
  world: World,
  operation: string,
  { requestId, refused }: { readonly requestId: Json | undefined; readonly refused: Reply },
): Reply => {
  const read = id.safeParse(requestId);
  if (read.success && world.ledger.request(operation, read.data) === null)
    keep(world, { operation, requestId: read.data, asked: null }, refused);
  return refused;
};

/** A success that somebody asked for does not make up for what is wrong. */
export const unless = (told: Outcome | null): Outcome | null => (told?.resultStatus === 'S' ? null : told);

const CARD_FIELDS: ReadonlySet<string> = new Set([
  'cardno',
  'cardnumber',
  'cardtoken',
  'cardholdername',
  'cvv',
  'cvc',
  'expirymonth',
  'expiryyear',
  'pan',
]);

/** A number that a card may have: by its first digits, its length and its check digit; within a word it is an id's. */
const CARD_NUMBER = /(?<![\da-z])(?:4|5[1-5]|2[2-7]|3[4-7]|6)(?:[ -]?\d){11,18}(?![\da-z])/gi;
/** The digits of one in a thousand would pass for a card's. */
const UUID = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi;

const holdsCardNumber = (text: string): boolean =>
  [...text.replaceAll(UUID, '').matchAll(CARD_NUMBER)].some(([number]) => passesLuhn(number.replaceAll(/\D/g, '')));

const passesLuhn = (digits: string): boolean => {
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
};

/** Whether there is card data anywhere in it. Not recursive: a body may nest as deep as it is long. */
export const holdsCardData = (body: Json): boolean => {
  const left: Json[] = [body];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value === 'string' || typeof value === 'number') {
      if (holdsCardNumber(String(value))) return true;
    } else if (typeof value === 'object' && value !== null) {
      if (!Array.isArray(value) && Object.keys(value).some((name) => CARD_FIELDS.has(name.toLowerCase()))) return true;
      left.push(...(Object.values(value) as readonly Json[]));
    }
  }
  return false;
};
