import { type Handler, type Handlers, handlers as builtIn } from '../../src/handlers/index.ts';

/** The built-in handlers with a bug: they throw for notifications whose `resultCode` is FAULT. */
const withFault = (handler: Handler): Handler => ({
  ...handler,
  stateOf: (notification) => {
    if (notification.facts.result.resultCode === 'FAULT') throw new TypeError('a bug in a handler');
    return handler.stateOf(notification);
  },
});

export const handlers: Handlers = new Map(
  [...builtIn].map(([notifyType, handler]) => [notifyType, withFault(handler)]),
);
