import { pathOf, type Trust } from './signature.ts';

const toPaths = (words: string): readonly string[] => words.split(' ').map((word) => `/${word}`);

/** What proxies and gateways are known to strip or to add before a path. */
const PREFIXES = [
  'api api/v1 api/v2 v1 v2 app backend gateway pay payment payments checkout shop store antom apo alipay webhook',
  'webhooks hooks callback notify prod dev staging sandbox',
].flatMap(toPaths);

/** What notification URLs are known to end with. */
const SUFFIXES = toPaths(
  'payNotify paynotify pay-notify notify notification notifications webhook webhooks callback antom alipay payment',
);

/** Many paths may be configured: all of them are tried whole, and the parts of the first. */
const MOST = 2_000;
const TAKEN_APART = 8;

interface Paths extends Pick<Trust, 'publicUris'> {
  readonly notifyPaths?: readonly string[];
}

/**
 * The uris that may have been signed where a path changed on the way: bounded, each once. They are made of the paths
 * that are configured or were received, with prefixes and suffixes added or dropped, and a slash at either end.
 */
export function* urisFor(target: string, { publicUris, notifyPaths = [] }: Paths): Generator<string, void, undefined> {
  const paths = new Set([pathOf(target), ...publicUris.map(pathOf), ...notifyPaths]);
  const queries = [...new Set(['', ...[target, ...publicUris].flatMap(queriesOf)])];
  const seen = new Set<string>();
  for (const uri of uncheckedUris(paths, queries)) {
    if (seen.has(uri)) continue;
    if (seen.size >= MOST) return;
    seen.add(uri);
    yield uri;
  }
}

/** Those first that differ least from what is configured or received. */
function* uncheckedUris(paths: ReadonlySet<string>, queries: readonly string[]): Generator<string, void, undefined> {
  for (const path of paths) {
    for (const query of [...queries, '?']) {
      yield* [path, `${path}/`, path.replace(/\/+$/, ''), `/${path}`, path.replace(/^\/+/, '/')].map(
        (one) => one + query,
      );
    }
  }
  const some = [...paths].slice(0, TAKEN_APART);
  const prefixes = new Set(['', ...some.flatMap(leadingParts), ...PREFIXES]);
  const ends = new Set(['', ...some.flatMap(trailingParts), ...SUFFIXES]);
  for (const prefix of prefixes) {
    for (const end of ends) {
      const path = prefix + end;
      for (const query of queries) yield (path === '' ? '/' : path) + query;
      yield `${path}/`;
    }
  }
}

/** `/a/b/c`: `/a`, `/a/b`, `/a/b/c`. */
const leadingParts = (path: string): readonly string[] =>
  segmentsOf(path).map((_, index, segments) => segments.slice(0, index + 1).join(''));

/** `/a/b/c`: `/a/b/c`, `/b/c`, `/c`. */
const trailingParts = (path: string): readonly string[] =>
  segmentsOf(path).map((_, index, segments) => segments.slice(index).join(''));

const MOST_SEGMENTS = 8;
const segmentsOf = (path: string): readonly string[] => (path.match(/\/[^/]+/g) ?? []).slice(0, MOST_SEGMENTS);

const MOST_PARAMETERS = 8;

/** The query whole, and with one parameter left out. */
const queriesOf = (uri: string): readonly string[] => {
  const path = pathOf(uri);
  if (path === uri) return [];
  const parameters = uri.slice(path.length + 1).split('&');
  const without = parameters.slice(0, MOST_PARAMETERS).map((_, index) => parameters.toSpliced(index, 1).join('&'));
  return [uri.slice(path.length), ...without.filter((query) => query !== '').map((query) => `?${query}`)];
};
