import type { Handlers } from '../../src/handlers/handler.ts';
import { handlers } from '../../src/handlers/index.ts';
import type { JsonObject } from '../../src/order/statement.ts';

const isFault = (json: JsonObject): boolean =>
  typeof json['result'] === 'object' && JSON.stringify(json['result']).includes('"FAULT"');

/** The built-in handlers with a bug: they throw for notifications whose `resultCode` is FAULT. */
export const failingHandlers: Handlers = handlers.map(({ kind, matches, read }) => ({
  kind,
  matches,
  read: (json) => {
    if (isFault(json)) throw new TypeError('a bug in a handler');
    return read(json);
  },
}));
