import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { migrateStore } from '../../src/store/open.ts';
import { ACKNOWLEDGEMENT, type Address, createSigner } from '../support/client.ts';
import {
  environmentOf,
  makeDirectory,
  type ReceiverProcess,
  removeDirectory,
  startProcessReady,
} from '../support/receiver.ts';
import type { Campaign, Extent } from './campaign.ts';
import { type Operation, readJournal } from './journal.ts';
import { createLedger, type Sample, samplesOf } from './ledger.ts';
import { createLossyDisk, LOSSES } from './lossy-disk.ts';
import { createRandom, type Random } from './random.ts';
import { compileShim } from './shim.ts';
import { sqliteIn } from './stores.ts';

/** Enough to fill the write-ahead log more than once, so that it is moved into the file under load. */
const NOTIFICATIONS = 500;
const LIVES = 3;
const CONNECTIONS = 8;
const POINTS_A_ROUND: Readonly<Record<Extent, number>> = { whole: 400, part: 100 };

const signer = createSigner();
const stranger = createSigner(signer.clientId);

/** A service that ran, ended and ran again, and all that it did to its disk. */
export interface Recording {
  readonly operations: readonly Operation[];
  readonly sent: readonly Sample[];
  /** What was acknowledged, by life (from 1) and port of the sender, in the order of the answers. */
  readonly acknowledged: ReadonlyMap<string, readonly Sample[]>;
}

const connectionName = (life: number, port: number): string => `${life}:${port}`;

interface Received {
  readonly port: number;
  readonly text: string;
}

const post = (agent: Agent, address: Address, sample: Sample): Promise<Received> =>
  new Promise((resolve, reject) => {
    const { method, target, headers, body } = sample.post;
    const framed = [['Host', address.host], ...headers, ['Content-Length', String(body.length)]];
    const outgoing = request({ ...address, method, path: target, headers: framed.flat(), agent });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const { localPort: port = 0 } = incoming.socket;
      let text = '';
      incoming.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      incoming.once('error', reject).once('end', () => resolve({ port, text }));
    });
    outgoing.end(body);
  });

interface Load {
  readonly receiver: ReceiverProcess;
  readonly samples: readonly Sample[];
  readonly onAcknowledged: (port: number, sample: Sample) => void;
}

/** Until all are sent, or the receiver is gone. */
const sendAll = async ({ receiver, samples, onAcknowledged }: Load): Promise<void> => {
  const waiting = samples.values();
  const connection = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (const sample of waiting) {
        const received = await post(agent, receiver.address, sample).catch(() => null);
        if (received === null) return;
        if (received.text === ACKNOWLEDGEMENT) onAcknowledged(received.port, sample);
      }
    } finally {
      agent.destroy();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
};

/** Lives end by SIGTERM, which empties the log into the file, or by SIGKILL, which leaves it to the next. */
export const record = async (random: Random): Promise<Recording> => {
  const directory = makeDirectory();
  const journal = join(makeDirectory(), 'journal');
  const env = {
    ...environmentOf(directory, signer),
    UNVERIFIED_MAX_PER_SECOND: '100000',
    LD_PRELOAD: compileShim('journal'),
    JOURNAL_DIRECTORY: directory,
    JOURNAL_FILE: journal,
  };
  const sent: Sample[] = [];
  const acknowledged = new Map<string, Sample[]>();
  for (let life = 1; life <= LIVES; life += 1) {
    const receiver = await startProcessReady(env);
    const samples = samplesOf({ signer, stranger }, { name: String(life), count: NOTIFICATIONS, random });
    sent.push(...samples);
    const load = sendAll({
      receiver,
      samples,
      onAcknowledged: (port, sample) => {
        const name = connectionName(life, port);
        acknowledged.set(name, [...(acknowledged.get(name) ?? []), sample]);
      },
    });
    const killed = random.chance(0.5);
    await (killed ? pause(random.below(1_500)) : load);
    receiver.kill(killed ? 'SIGKILL' : 'SIGTERM');
    await receiver.exited;
    await load;
  }
  const operations = readJournal(readFileSync(journal));
  removeDirectory(directory);
  rmSync(journal);
  return { operations, sent, acknowledged };
};

/** The first operations make a database of a new file, which happens once: the power fails before each of them. */
const MAKING = 40;

export interface Playing {
  readonly random: Random;
  /** How many more power cuts, spread over the whole recording. */
  readonly points: number;
  /** A disk that says it has synced and has not. */
  readonly ignoresSyncs?: boolean;
}

/** Files in memory: what is cut off here is cut off by us, and syncing takes no time. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What must hold of the files that a power cut left, given what had been acknowledged. */
const checkFiles = async (
  files: ReadonlyMap<string, Buffer>,
  check: ReturnType<typeof createLedger>['check'],
): Promise<void> => {
  const directory = mkdtempSync(join(MEMORY, 'paynotify-'));
  try {
    for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes, { mode: 0o600 });
    const store = sqliteIn(directory);
    // As the next start would open it.
    await migrateStore({ databaseUrl: store.url, allowUnsafeDatabase: false });
    await store.assertIntact();
    check(await store.contents());
  } finally {
    removeDirectory(directory);
  }
};

/** Cuts the power at so many points of the recording. Throws an Error that says where something was lost. */
export const play = async (
  { operations, sent, acknowledged }: Recording,
  { random, points, ignoresSyncs = false }: Playing,
): Promise<void> => {
  const disk = createLossyDisk({ ignoresSyncs });
  const ledger = createLedger();
  for (const sample of sent) ledger.sending(sample);
  const answered = new Map<string, number>();
  const cuts = new Set([
    ...operations.slice(0, MAKING).keys(),
    ...Array.from({ length: points }, () => random.below(operations.length)),
  ]);
  let life = 0;
  for (const [index, operation] of operations.entries()) {
    if (cuts.has(index)) {
      const loss = random.pick(LOSSES);
      try {
        await checkFiles(disk.cut(loss, random), ledger.check);
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        throw new Error(
          `power cut before operation ${index} of ${operations.length} (${operation.kind}), losing ${loss}: ${what}`,
          { cause: error },
        );
      }
    }
    disk.apply(operation);
    if (operation.kind === 'loaded') life += 1;
    if (operation.kind !== 'acknowledged') continue;
    const name = connectionName(life, operation.port);
    const number = answered.get(name) ?? 0;
    answered.set(name, number + 1);
    // The last answer of a life may not have come to its reader.
    const sample = acknowledged.get(name)?.[number];
    if (sample !== undefined) ledger.acknowledged(sample);
  }
};

const round = async (seed: number, extent: Extent): Promise<void> => {
  const random = createRandom(seed);
  await play(await record(random), { random, points: POINTS_A_ROUND[extent] });
};

/** The power fails at any write: what was acknowledged is there, and the database is whole. Of SQLite. */
export const power: Campaign = { name: 'power', short: 1, long: 25, round };
