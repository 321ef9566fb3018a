import type { OrderRules } from '../../src/order/rules.ts';

/** A capture is always required: for what is not about the rules. */
export const RULES: OrderRules = {
  captureRequired: 'always',
  noCaptureMethods: [],
  captureMode: 'AUTOMATIC',
  requireRegistration: false,
  production: false,
};
