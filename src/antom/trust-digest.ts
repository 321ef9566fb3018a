import { hash } from 'node:crypto';
import type { Trust } from './signature.ts';

const digests = new WeakMap<Trust, string>();

/**
 * SHA-256, lower-case hex, over all that decides whether a request verifies: clients, keys and their versions, and
 * public paths, in whatever order they are configured. Computed once for each object.
 */
export const trustDigest = (trust: Trust): string => {
  const digest = digests.get(trust) ?? compute(trust);
  digests.set(trust, digest);
  return digest;
};

const compute = ({ keys, publicUris }: Trust): string => {
  const clients = [...keys].map(([clientId, clientKeys]) =>
    JSON.stringify([
      clientId,
      ...clientKeys.map(({ version, fingerprint }) => JSON.stringify([version, fingerprint])).sort(),
    ]),
  );
  return hash('sha256', JSON.stringify([clients.sort(), [...publicUris].sort()]), 'hex');
};
