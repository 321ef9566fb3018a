/** The configuration that orders depend on; the same on all replicas. */
export interface OrderRules {
  /** `methods`: the payment method decides, as far as it shows. */
  readonly captureRequired: 'methods' | 'always';
  /** Methods without capture beyond the built-in list, normalised (`normaliseMethod`), sorted. */
  readonly noCaptureMethods: readonly string[];
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  /** An order without a registration is not fulfillable. */
  readonly requireRegistration: boolean;
  /** `NODE_ENV=production`: an order of a `SANDBOX_` client is play money, never fulfillable. */
  readonly production: boolean;
}

/** Raise it when a rule of this folder changes: every order is then rebuilt at the next start. */
export const DERIVATION = 10;

/** What decides how orders read besides their evidence; orders that were derived under another name are rebuilt. */
export const nameOfRules = (rules: OrderRules): string =>
  JSON.stringify([
    DERIVATION,
    rules.captureRequired,
    rules.noCaptureMethods,
    rules.captureMode,
    rules.requireRegistration,
    rules.production,
  ]);
