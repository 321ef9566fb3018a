import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import { startServer } from './server.ts';
import { service, settings } from './subjects.ts';

/** Where a thread's time goes: microseconds a notification by area, most first. */
export interface ThreadProfile {
  readonly thread: string;
  readonly areas: readonly (readonly [area: string, us: number])[];
}

/** What the V8 profiler writes (`node --cpu-prof`): of nodes and samples only what is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * Profiles the service under load, on SQLite. Both threads have a core of their own where there are two, since the
 * profiler's clock also runs while a thread waits for one. What Node does to start is left out by its sheer length.
 */
export const profile = async (
  { directory, port, publicKey, requests }: Bench,
  { notifications, connections }: { readonly notifications: number; readonly connections: number },
): Promise<readonly ThreadProfile[]> => {
  const profiles = join(directory, 'profiles');
  mkdirSync(profiles);
  const env = {
    ...settings,
    ANTOM_PUBLIC_KEY: publicKey,
    DATABASE_URL: `sqlite:${join(directory, 'profile.db')}`,
  };
  const server = await startServer({
    ...service,
    env,
    port,
    log: join(directory, 'log'),
    pinned: false,
    flags: ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500'],
  });
  await load({ port, connections, requests: requests(0, notifications) });
  await server.stop();
  const read = readdirSync(profiles).map((file) =>
    areasOf(JSON.parse(readFileSync(join(profiles, file), 'utf8')) as CpuProfile, notifications),
  );
  rmSync(profiles, { recursive: true });
  return read.map((areas) => ({
    thread: areas.has(VERIFYING) ? 'main thread' : 'SQLite thread',
    areas: [...areas].sort(([, a], [, b]) => b - a),
  }));
};

const VERIFYING = 'verifying, in OpenSSL';

/** The first that fits a frame's function and file names its area. */
const AREAS: readonly (readonly [area: string, fits: RegExp])[] = [
  ['waiting', /^\(idle\)/],
  ['garbage collection, on this thread', /^\(garbage collector\)/],
  ['V8 and libuv themselves', /^\(program\)|^\(root\)/],
  [
    'starting: modules, types',
    /esm\/|cjs\/|amaro|wasm|modules\/|compileFor|bootstrap|^evaluate|realm|^compileFunction/,
  ],
  [VERIFYING, /^verifyOneShot/],
  ['COMMIT: log written and synced', /^inTransaction/],
  ['SQLite statements', /sqlite\/query\.ts/],
  ['compressing', /node:zlib|^processChunk/],
  ['between the threads', /postMessage|message\.ts|thread\.ts|worker\.ts|messageport|receiveMessage/],
  ['digests', /node:internal\/crypto\/hash|^hash$|digestOf/],
  ['signature: header, bytes to verify', /antom\/signature\.ts|base64Slice|latin1Write|decodeURIComponent/],
  ['reading the body: UTF-8, JSON, facts', /antom\/notification\.ts|utf8Slice|isUtf8/],
  ['the log', /pino|sonic-boom|src\/log\.ts|^writeString|^writeBuffer/],
  [
    'HTTP and sockets, in Node',
    /node:_http|node:net|node:internal\/(stream|streams)|node:internal\/http|^writeLatin1String|^writeUtf8String|^writev|node:events|stream_base/,
  ],
  ['HTTP, ours', /src\/http\//],
  ['the order: handlers, rules', /src\/(order|handlers)\/|store\/projection\.ts/],
  ['the store, in JavaScript', /src\/store\//],
  ['the inbox and the turn', /src\/(inbox|pay-notify)\.ts/],
];

const areasOf = ({ nodes, samples, timeDeltas }: CpuProfile, notifications: number): ReadonlyMap<string, number> => {
  const areas = new Map(nodes.map(({ id, callFrame }) => [id, areaOf(`${callFrame.functionName} ${callFrame.url}`)]));
  const sums = new Map<string, number>();
  samples.forEach((node, index) => {
    const area = areas.get(node) ?? '';
    sums.set(area, (sums.get(area) ?? 0) + (timeDeltas[index] ?? 0) / notifications);
  });
  return sums;
};

const areaOf = (frame: string): string => AREAS.find(([, fits]) => fits.test(frame))?.[0] ?? 'Node, other';
