import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import { startServer } from './server.ts';
import { receiver, settings } from './subjects.ts';

/** Microseconds a notification that a thread spends in each area, most first. */
export interface ThreadProfile {
  readonly thread: string;
  readonly areas: readonly (readonly [area: string, us: number])[];
}

/** The part that is read here of what the V8 profiler writes (`node --cpu-prof`). */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * Profiles the receiver under load, on SQLite. It may use every core: the clock of the profiler also runs while a
 * thread waits for one. Many notifications make the start of Node a small part of the whole.
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
    ...receiver,
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

/** The first pattern that fits `<function> <file>` of a frame names its area. */
const AREAS: readonly (readonly [area: string, fits: RegExp])[] = [
  ['waiting', /^\(idle\)/],
  ['garbage collection, on this thread', /^\(garbage collector\)/],
  ['V8 and libuv themselves', /^\(program\)|^\(root\)/],
  [
    'starting: modules, types',
    /esm\/|cjs\/|amaro|wasm|modules\/|compileFor|bootstrap|^evaluate|realm|^compileFunction/,
  ],
  [VERIFYING, /^verifyOneShot/],
  ['COMMIT: log written and synced', /^transact .*sqlite\/database\.ts/],
  ['SQLite statements', /sqlite\/query\.ts/],
  ['compressing', /node:zlib|^processChunk/],
  ['between the threads', /postMessage|thread\.ts|worker\.ts|messageport|receiveMessage/],
  ['digests', /node:internal\/crypto\/hash|^hash /],
  ['signature: header, bytes to verify', /antom\/signature\.ts|base64Slice|latin1Write|decodeURIComponent/],
  ['reading the body: UTF-8, JSON, zod', /src\/handlers\/|node_modules\/zod\/|utf8Slice|isUtf8/],
  ['the log', /pino|sonic-boom|src\/log\.ts|^writeString|^writeBuffer/],
  [
    'HTTP and sockets, in Node',
    /node:(_http|net|events)|node:internal\/(stream|http)|^write(Latin1String|Utf8String|v)|stream_base/,
  ],
  ['HTTP, Express', /node_modules\/(express|router)\//],
  ['HTTP, ours', /src\/http\//],
  ['the order: evidence, rules', /src\/order\/|store\/derive\.ts/],
  ['the store, in JavaScript', /src\/store\//],
  ['the inbox and the turn', /src\/(inbox|pay-notify)/],
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
