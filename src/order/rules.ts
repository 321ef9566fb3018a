/** The configuration that orders depend on; the same on all replicas. */
export interface OrderRules {
  readonly captureRequired: 'always' | 'cards';
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  /** `NODE_ENV=production`: an order of a `SANDBOX_` client is play money, never fulfillable. */
  readonly production: boolean;
}

/** Raise it when a rule of this folder changes: every order is then rebuilt at the next start. */
export const DERIVATION = 2;

/** What decides how orders read besides their evidence; orders that were derived under another name are rebuilt. */
export const nameOfRules = ({ captureRequired, captureMode, production }: OrderRules): string =>
  JSON.stringify([DERIVATION, captureRequired, captureMode, production]);
