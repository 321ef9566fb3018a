import { captureResult } from './capture-result.ts';
import type { Handler } from './handler.ts';
import { paymentPending } from './payment-pending.ts';
import { paymentResult } from './payment-result.ts';

export type { AppliedNotification, Handler } from './handler.ts';

/** The dispatch table: one line a `notifyType`. */
const HANDLERS: readonly Handler[] = [paymentResult, paymentPending, captureResult];

export type Handlers = ReadonlyMap<string, Handler>;

/** A map, not an object: a `notifyType` of `constructor` or `__proto__` must find nothing. */
export const handlers: Handlers = new Map(HANDLERS.map((handler) => [handler.notifyType, handler]));
