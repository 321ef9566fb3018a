import { setTimeout as pause } from 'node:timers/promises';
import { PATH, type Post, type Signer, withHeaders } from '../../support/client.ts';
import { jpy, paymentResult } from '../../support/facts.ts';
import { headOf } from '../../support/raw-http.ts';
import { idOf } from '../../support/receiver.ts';
import type { Random } from '../random.ts';
import { MALFORMED_REQUESTS } from './malformed.ts';
import type { Stranger } from './stranger.ts';

/** What an attack works with; connections that it leaves open are closed at its end. */
export interface Scene {
  readonly open: () => Promise<Stranger>;
  readonly random: Random;
  readonly signer: Signer;
  /** Names what is signed in this round. */
  readonly name: string;
}

/** What must hold afterwards, besides what must hold after every attack. */
export interface Left {
  /** Signed nonsense: acknowledged in the end. */
  readonly genuine?: readonly Post[];
  /** Must be no notifications. */
  readonly forged?: readonly string[];
}

export interface Attack {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<Left | void>;
}

const KIB = 1_024;
const ANSWERED_WITHIN_MS = 8_000;

const times = async <T>(count: number, work: (index: number) => Promise<T>): Promise<readonly T[]> =>
  await Promise.all(Array.from({ length: count }, async (_, index) => await work(index)));

const postHead = (lines: readonly string[], target = PATH): string =>
  headOf(`POST ${target} HTTP/1.1`, ['Host: pay.example.com', ...lines]);

const bytesOf = ({ target, headers, body }: Post): Buffer => {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([Buffer.from(postHead([...lines, `Content-Length: ${body.length}`], target)), body]);
};

const oneByteChunks: Attack = {
  name: 'a body in chunks of one byte',
  run: async ({ open, random }) => {
    const piece = '1\r\nx\r\n'.repeat(20_000);
    await times(8 + random.below(8), async () => {
      const stranger = await open();
      await stranger.send(postHead(['Transfer-Encoding: chunked']));
      // Together just below BODY_LIMIT.
      for (let sent = 0; sent < 13 && !stranger.isGone(); sent += 1) await stranger.send(piece);
      await stranger.send('0\r\n\r\n');
      await stranger.answered(1, ANSWERED_WITHIN_MS);
    });
  },
};

const heldBodies: Attack = {
  name: 'bodies that are held back before their last byte',
  run: async ({ open, random }) => {
    const most = Buffer.alloc(255 * KIB, 'x');
    const heads = Buffer.from(postHead([`Content-Length: ${256 * KIB}`]));
    for (let group = 0; group < 20; group += 1) {
      await times(100, async () => {
        const stranger = await open();
        await Promise.race([stranger.send(Buffer.concat([heads, most.subarray(random.below(KIB))])), pause(1_000)]);
      });
    }
    await pause(1_000);
  },
};

const heldHeads: Attack = {
  name: 'heads that never end',
  run: async ({ open, random }) => {
    const strangers = await times(200, async () => {
      const stranger = await open();
      await stranger.send(postHead([]).slice(0, -2));
      return stranger;
    });
    for (let second = 0; second < 3; second += 1) {
      for (const stranger of strangers)
        await Promise.race([stranger.send(`X-${random.below(1e9)}: x\r\n`), pause(100)]);
      await pause(500);
    }
  },
};

const pipelinedBurst: Attack = {
  name: 'pipelined requests in bursts',
  run: async ({ open, random }) => {
    const request = random.pick([
      'GET / HTTP/1.1\r\nHost:a\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost:a\r\n\r\n',
      `POST ${PATH} HTTP/1.1\r\nHost:a\r\n\r\n`,
    ]);
    const burst = request.repeat(Math.ceil((256 * KIB) / request.length));
    await times(200, async () => {
      const stranger = await open();
      await Promise.race([stranger.send(burst), pause(ANSWERED_WITHIN_MS, undefined, { ref: false })]);
      await stranger.answered(1, ANSWERED_WITHIN_MS);
    });
  },
};

const forgery = ({ signer, random }: Scene): Post => {
  const signed = signer.sign({ forged: random.bytes(16).toString('hex') });
  const garbage = encodeURIComponent(random.bytes(256).toString('base64'));
  const body = Buffer.from(
    JSON.stringify({ notifyType: 'PAYMENT_RESULT', x: 'x'.repeat(random.below(4 * KIB)), y: random.below(1e9) }),
  );
  return withHeaders(
    { ...signed, body },
    {
      'client-id': random.chance(0.5) ? signer.clientId : `T_${random.bytes(8).toString('hex')}`,
      signature: `algorithm=RSA256,keyVersion=1,signature=${garbage}`,
    },
  );
};

const forgedSignatures: Attack = {
  name: 'forged signatures',
  run: async (scene) => {
    const ids: string[] = [];
    await times(40, async () => {
      const stranger = await scene.open();
      for (let sent = 0; sent < 50 && !stranger.isGone(); sent += 1) {
        const post = forgery(scene);
        ids.push(idOf(post.body));
        await stranger.send(bytesOf(post));
        await stranger.answered(sent + 1, ANSWERED_WITHIN_MS);
      }
    });
    return { forged: ids };
  },
};

/** JSON of so many bytes that takes much longer to walk than to send. */
const NESTED: readonly ((bytes: number) => string)[] = [
  (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2),
  (bytes) => `[${'[],'.repeat(bytes / 3)}[]]`,
  (bytes) => '{"a":'.repeat(bytes / 6) + '1' + '}'.repeat(bytes / 6),
  (bytes) => `{${Array.from({ length: bytes / 10 }, (_, index) => `"${index}":1`).join(',')}}`,
];
const FIELDS = ['metadata', 'acquirerInfo', 'paymentAmount', 'paymentResultInfo', 'notifyType'];

const nestedArrays: Attack = {
  name: 'signed bodies of nested arrays',
  run: async ({ open, random, signer, name }) => {
    const posts = Array.from({ length: 60 }, (_, index) => {
      const id = `${name}-nested-${index}`;
      const fields = JSON.stringify(
        paymentResult('S', { paymentId: `P-${id}`, paymentRequestId: `R-${id}`, paymentAmount: jpy('100') }),
      );
      return signer.sign(`${fields.slice(0, -1)},"${random.pick(FIELDS)}":${random.pick(NESTED)(240 * KIB)}}`);
    });
    await times(posts.length, async (index) => {
      const stranger = await open();
      await stranger.send(bytesOf(posts[index] as Post));
      await stranger.answered(1, ANSWERED_WITHIN_MS);
    });
    return { genuine: posts };
  },
};

const malformedRequests: Attack = {
  name: 'malformed requests and targets',
  run: async ({ open, random }) => {
    await times(2 * MALFORMED_REQUESTS.length, async (index) => {
      const stranger = await open();
      const request = MALFORMED_REQUESTS[index % MALFORMED_REQUESTS.length] ?? '';
      // Half of them in two pieces.
      const cut = index < MALFORMED_REQUESTS.length ? request.length : random.below(request.length);
      await stranger.send(Buffer.from(request.slice(0, cut), 'latin1'));
      if (cut < request.length) {
        await pause(random.below(50));
        await stranger.send(Buffer.from(request.slice(cut), 'latin1'));
      }
      await stranger.answered(1, 1_500);
    });
  },
};

const forwardedFor: Attack = {
  name: 'a huge X-Forwarded-For',
  run: async ({ open, random }) => {
    await times(30, async () => {
      const stranger = await open();
      const value = random.pick([
        'x'.repeat(9 * KIB),
        '1.2.3.4,'.repeat(KIB),
        ','.repeat(9 * KIB),
        `[${'f:'.repeat(4 * KIB)}]`,
      ]);
      await stranger.send(
        postHead([`X-Forwarded-For: ${value}`, 'Content-Length: 2'], random.pick([PATH, '/other'])) + '{}',
      );
      await stranger.answered(1, ANSWERED_WITHIN_MS);
    });
  },
};

const largeUnsigned: Attack = {
  name: 'unsigned bodies over 32 KiB',
  run: async ({ open }) => {
    const body = 'x'.repeat(33 * KIB);
    for (let sent = 0; sent < 6; sent += 1) {
      const stranger = await open();
      await stranger.send(postHead([`Content-Length: ${body.length}`]) + body);
      await stranger.answered(1, ANSWERED_WITHIN_MS);
      await pause(300);
    }
  },
};

const movedDot: Attack = {
  name: 'a genuine message cut at another dot',
  run: async ({ open, signer, name }) => {
    const genuine = signer.sign(paymentResult('S', { paymentId: `P-${name}-dot` }), {
      requestTime: '2025-05-17T07:58:06.253+05:30',
    });
    const moved = withHeaders(
      { ...genuine, body: Buffer.concat([Buffer.from('253+05:30.'), genuine.body]) },
      { 'request-time': '2025-05-17T07:58:06' },
    );
    const stranger = await open();
    await stranger.send(bytesOf(moved));
    await stranger.answered(1, ANSWERED_WITHIN_MS);
    return { genuine: [genuine], forged: [idOf(moved.body)] };
  },
};

export const ATTACKS: readonly Attack[] = [
  oneByteChunks,
  heldBodies,
  heldHeads,
  pipelinedBurst,
  forgedSignatures,
  nestedArrays,
  malformedRequests,
  forwardedFor,
  largeUnsigned,
  movedDot,
];
