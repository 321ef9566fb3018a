import type { ConfiguredKeys } from './config.ts';
import type { Log } from './log.ts';

/** Says which keys are in use, by their fingerprints: what an operator compares with the dashboard's. */
export const logKeys = (log: Log, { keys, api }: ConfiguredKeys): void => {
  for (const [clientId, clientKeys] of keys) {
    for (const { version, fingerprint } of clientKeys)
      log.info({ clientId, keyVersion: version, keyFingerprint: fingerprint }, 'verifying with key');
  }
  for (const [clientId, { version, fingerprint }] of api?.signingKeys ?? [])
    log.info({ clientId, keyVersion: version, keyFingerprint: fingerprint, host: api?.origin }, 'signing with key');
};
