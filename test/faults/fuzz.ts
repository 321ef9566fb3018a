import { type SignedRequest, verify } from '../../src/antom/signature.ts';
import { readBody } from '../../src/handlers/read.ts';
import { readInstant } from '../../src/order/time.ts';
import type { Campaign } from './campaign.ts';
import { drawBody, faultOf } from './fuzz/bodies.ts';
import { drawRequest } from './fuzz/mutations.ts';
import { ORACLE_TRUST, TRUST } from './fuzz/requests.ts';
import { judge } from './fuzz/signature-oracle.ts';
import { instantOf } from './fuzz/time-oracle.ts';
import { drawTime } from './fuzz/times.ts';
import { createRandom, type Random } from './random.ts';

/** Of each round; a million a hundred rounds. */
const REQUESTS = 8_000;
const BODIES = 1_000;
const TIMES = 1_000;

/** How often each verdict came, over all rounds of this process. */
export const verdicts = new Map<string, number>();

const shown = ({ body, ...head }: SignedRequest): string =>
  `${JSON.stringify(head)}, body in Base64: ${Buffer.from(body).toString('base64')}`;

const checkRequest = (random: Random): void => {
  const request = drawRequest(random);
  const expected = judge(request, ORACLE_TRUST);
  const verification = verify(request, TRUST);
  const verdict = verification.verified ? 'verified' : verification.reason;
  if (verdict !== expected) throw new Error(`${verdict} instead of ${expected}: ${shown(request)}`);
  if (verification.verified && Buffer.compare(verification.notification.body, request.body) !== 0)
    throw new Error(`other bytes than those that verified: ${shown(request)}`);
  verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
};

const checkBody = (random: Random): void => {
  const body = drawBody(random);
  const fault = faultOf(body, readBody(body));
  if (fault !== null) throw new Error(`${fault}; body in Base64: ${body.toString('base64')}`);
};

const checkTime = (random: Random): void => {
  const text = drawTime(random);
  const [read, expected] = [readInstant(text), instantOf(text)];
  if (read !== expected) throw new Error(`${JSON.stringify(text)} is read as ${read} instead of ${expected}`);
};

const round = async (seed: number): Promise<void> => {
  const random = createRandom(seed);
  for (let count = 0; count < REQUESTS; count += 1) checkRequest(random);
  for (let count = 0; count < BODIES; count += 1) checkBody(random);
  for (let count = 0; count < TIMES; count += 1) checkTime(random);
};

/** Changed headers, paths, bodies and times: what verifies, and why not, is what an oracle says that shares no code. */
export const fuzz: Campaign = { name: 'fuzz', short: 1, long: 1_000, round };
