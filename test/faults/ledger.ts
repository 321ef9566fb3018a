import { setTimeout as pause } from 'node:timers/promises';
import { ACKNOWLEDGEMENT, type Address, createPool, type Post, send, type Signer } from '../support/client.ts';
import { captureResult, jpy, paymentResult } from '../support/facts.ts';
import { idOf } from '../support/receiver.ts';
import type { Random } from './random.ts';
import type { Contents } from './stores.ts';

export interface Sample {
  readonly post: Post;
  /** Null where nobody signed it for us: it is kept apart. */
  readonly paymentId: string | null;
}

/** How often a sample was sent, and acknowledged. */
interface Line {
  readonly sample: Sample;
  sent: number;
  acknowledged: number;
}

/** What was sent to a store, and what came back, over all its lives. */
export interface Ledger {
  readonly lines: () => readonly Readonly<Line>[];
  /** Before the first byte is sent. */
  readonly sending: (sample: Sample) => void;
  readonly acknowledged: (sample: Sample) => void;
  /** Laws 1 and 2, and that a verified notification has its order: throws an Error that names every breach. */
  readonly check: (contents: Contents) => void;
}

const keyOf = ({ post, paymentId }: Sample): string =>
  paymentId === null ? post.body.toString('hex') : idOf(post.body);

export const createLedger = (): Ledger => {
  const lines = new Map<string, Line>();
  const lineOf = (sample: Sample): Line => {
    const line = lines.get(keyOf(sample)) ?? { sample, sent: 0, acknowledged: 0 };
    lines.set(keyOf(sample), line);
    return line;
  };
  return {
    lines: () => [...lines.values()],
    sending: (sample) => void (lineOf(sample).sent += 1),
    acknowledged: (sample) => void (lineOf(sample).acknowledged += 1),
    check: (contents) => {
      const breaches = [...lines.values()].flatMap((line) => breachesOf(line, contents));
      const strange = [...contents.notifications.keys(), ...contents.unverified.keys()].filter(
        (key) => !lines.has(key),
      );
      const all = [...breaches, ...strange.map((key) => `${key.slice(0, 16)} is stored, and nobody sent it`)];
      if (all.length > 0) throw new Error(`${all.length} wrong: ${all.slice(0, 5).join('; ')}`);
    },
  };
};

const breachesOf = ({ sample, sent, acknowledged }: Line, contents: Contents): readonly string[] => {
  const { paymentId } = sample;
  const key = keyOf(sample);
  const kept = (paymentId === null ? contents.unverified : contents.notifications).get(key);
  const name = paymentId ?? `unverified ${key.slice(0, 16)}`;
  if (kept === undefined) return acknowledged > 0 ? [`${name} was acknowledged and is not stored`] : [];
  return [
    ...(kept.deliveries < acknowledged ? [`${name}: ${acknowledged} acknowledged, ${kept.deliveries} counted`] : []),
    ...(kept.deliveries > sent ? [`${name}: ${sent} sent, ${kept.deliveries} counted`] : []),
    ...(paymentId !== null && !contents.orders.has(paymentId) ? [`${name} is stored and has no order`] : []),
    ...('outcome' in kept && kept.outcome !== 'APPLIED' ? [`${name} is ${String(kept.outcome)}`] : []),
  ];
};

/** Distinct ones: payments, a capture after every fourth, and now and then a forgery. */
export const samplesOf = (
  { signer, stranger }: { readonly signer: Signer; readonly stranger: Signer },
  { name, count, random }: { readonly name: string; readonly count: number; readonly random: Random },
): readonly Sample[] =>
  Array.from({ length: count }, (_, index) => {
    const paymentId = `P-${name}-${index - (index % 5 === 4 ? 1 : 0)}`;
    const padding = random.chance(0.1) ? random.bytes(random.below(6_000)).toString('base64') : undefined;
    if (index % 10 === 7) return { post: stranger.sign(paymentResult('S', { paymentId, padding })), paymentId: null };
    const fields =
      index % 5 === 4
        ? captureResult('S', { paymentId, captureId: `C-${paymentId}`, captureAmount: jpy('120'), padding })
        : paymentResult('S', { paymentId, paymentRequestId: `R-${paymentId}`, paymentAmount: jpy('120'), padding });
    return { post: signer.sign(fields), paymentId };
  });

/** As many requests are under way at a time. */
export const CONNECTIONS = 8;
const PAUSE_AFTER_REFUSAL_MS = 50;
const INSISTS_MS = 120_000;

export interface Delivering {
  readonly ledger: Ledger;
  readonly samples: readonly Sample[];
  /** Sends again what was refused, until it is acknowledged. */
  readonly insists?: boolean;
}

/**
 * Sends every sample once, over several connections, and notes what came; a connection that breaks ends its part.
 * Throws where an answer is neither the acknowledgement nor a refusal to be repeated.
 */
export const deliver = async (address: Address, { ledger, samples, insists = false }: Delivering): Promise<void> => {
  const pool = createPool(CONNECTIONS);
  const waiting = [...samples];
  const began = performance.now();
  const connection = async (): Promise<void> => {
    for (let sample = waiting.shift(); sample !== undefined; sample = waiting.shift()) {
      ledger.sending(sample);
      const answer = await send(address, sample.post, pool).catch(() => null);
      if (answer === null) return;
      const { status, text } = answer;
      if (status === 200 && text === ACKNOWLEDGEMENT) ledger.acknowledged(sample);
      else if (status !== 503) throw new Error(`answered with ${status} ${text}`);
      else if (insists) {
        if (performance.now() - began > INSISTS_MS) throw new Error(`still refused: ${text}`);
        await pause(PAUSE_AFTER_REFUSAL_MS);
        waiting.push(sample);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  } finally {
    pool.destroy();
  }
};
