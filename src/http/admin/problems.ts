import { z } from 'zod';
import { MOVE_REFUSALS } from '../../order/move.ts';
import { move } from './shapes/move.ts';
import { order, orderName } from './shapes/order.ts';
import { listOf } from './shapes/shape.ts';
import { refundRegistration, registration, requestedRefund, requestedRegistration } from './shapes/shop.ts';

export interface ProblemKind {
  readonly status: number;
  readonly means: string;
  /** What the problem shows besides its words. */
  readonly members?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a request is refused, and the status that says so: a closed set. */
export const PROBLEMS = {
  MALFORMED_REQUEST: { status: 400, means: 'Path, query or body is not understood.' },
  CLIENT_REQUIRED: { status: 400, means: 'Several clients are configured, and none is named by clientId.' },
  UNKNOWN_CLIENT: {
    status: 400,
    means: 'The clientId is not one that is configured; in a list or a search, nor has it any order or notification.',
  },
  TOKEN_REQUIRED: {
    status: 401,
    means: 'A token is needed, or this is none.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  READ_ONLY_TOKEN: { status: 403, means: 'The read token may only GET and HEAD.' },
  FOREIGN_HOST: { status: 403, means: 'Without an ADMIN_TOKEN only loopback names are answered.' },
  FOREIGN_ORIGIN: { status: 403, means: 'Without an ADMIN_TOKEN no page of another origin is answered.' },
  NOT_FOUND: { status: 404, means: 'There is nothing of this name.' },
  METHOD_NOT_ALLOWED: { status: 405, means: 'The path does not take this method; Allow names those that it takes.' },
  AMBIGUOUS_ORDER: {
    status: 409,
    means: 'Several payments name this paymentRequestId.',
    members: { orders: listOf(orderName) },
  },
  REGISTRATION_CONFLICT: {
    status: 409,
    means: 'Something else is registered.',
    members: {
      registration: z.union([registration, refundRegistration]),
      requested: z.union([requestedRegistration, requestedRefund]),
    },
  },
  PAYMENT_ID: {
    status: 409,
    means: 'What is registered is a paymentRequestId, and this is the paymentId of a payment.',
    members: { payment: orderName },
  },
  REVISION_OUTDATED: { status: 409, means: 'The order has changed since this revision.', members: { order } },
  ORDER_NOT_CAPTURED: { status: 409, means: 'FULFIL needs an order that is CAPTURED.', members: { order } },
  MOVE_CONFLICT: { status: 409, means: 'Something else was sent under this request id.', members: { move } },
  MOVE_REFUSED: {
    status: 409,
    means: 'It is not sent: `reason` says why, and `detail` what to do instead.',
    members: { reason: z.enum(MOVE_REFUSALS), order },
  },
  NOTIFICATION_HELD: { status: 409, means: 'Another replica applies this notification at this moment.' },
  NOTIFICATION_WITHOUT_BYTES: { status: 409, means: 'The bytes of this notification have been removed.' },
  CURSOR_OUTDATED: { status: 410, means: 'The cursor is of another generation of the database.' },
  BODY_TOO_LARGE: { status: 413, means: 'The body is too large.' },
  UNSUPPORTED_BODY: { status: 415, means: 'The body is not application/json, or is encoded.' },
  INTERNAL_ERROR: { status: 500, means: 'A fault of ours; the log says more.' },
  NO_PRIVATE_KEY: { status: 501, means: 'Nothing can be sent to APO without a private key.' },
  STORE_UNAVAILABLE: {
    status: 503,
    means: 'The store cannot be used at this moment.',
    headers: { 'Retry-After': '5' },
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;
export type ProblemCode = keyof typeof PROBLEMS;
type Kinds = typeof PROBLEMS;

/** What a problem of this code shows besides its words. */
export type MembersOf<Code extends ProblemCode> = Kinds[Code] extends { readonly members: infer Members }
  ? { readonly [Name in keyof Members]: z.output<Members[Name]> }
  : unknown;

/** `CURSOR_OUTDATED` is the schema `CursorOutdatedProblem`. */
const nameOf = (code: string): string =>
  `${code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Problem`;

const shapeOfProblem = (code: string, { status, means, members }: ProblemKind): z.ZodType =>
  z
    .strictObject({
      type: z.literal('about:blank'),
      title: z.string().describe('The name of the status.'),
      status: z.literal(status),
      code: z.literal(code),
      detail: z.string().describe('What is wrong and what to do, for a person to read.'),
      ...members,
    })
    .meta({ id: nameOf(code), description: means });

/** The shape of the body of each problem (RFC 9457). */
export const PROBLEM_SHAPES = Object.fromEntries(
  Object.entries(PROBLEMS).map(([code, kind]) => [code, shapeOfProblem(code, kind)]),
) as Readonly<Record<ProblemCode, z.ZodType>>;
