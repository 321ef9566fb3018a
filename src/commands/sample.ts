import type { JsonObject } from '../order/statement.ts';

/** A notification to send, or to write others after. */
export interface Sample {
  readonly name: string;
  readonly about: string;
  readonly notification: JsonObject;
}
