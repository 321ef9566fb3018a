import { StoreUnusableError } from '../errors.ts';

/** The URL that leads to one of the servers that a `DATABASE_URL` names. */
export type HostUrl = string;

const ENCODE = 'percent-encode #, /, @ and % in the password (%23, %2F, %40, %25)';
const UNPARSED_QUERY = `does not parse after the ?: ${ENCODE}, ? there as %3F, and @ in a parameter as %40`;

/** Parameters that the driver understands, and that leave our own settings alone. */
const TAKEN: ReadonlySet<string> = new Set([
  'application_name',
  'host',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'target_session_attrs',
]);
/** The driver would let them win over what paynotify sets itself. */
const OURS: ReadonlySet<string> = new Set([
  'connect_timeout',
  'connectionTimeoutMillis',
  'idle_in_transaction_session_timeout',
  'keepAlive',
  'keepAliveInitialDelayMillis',
  'keepalives',
  'keepalives_idle',
  'lock_timeout',
  'options',
  'query_timeout',
  'statement_timeout',
  'tcp_user_timeout',
]);
/** With each of these the driver verifies the certificate of the server. */
const VERIFYING_MODES: ReadonlySet<string> = new Set(['prefer', 'require', 'verify-ca', 'verify-full']);
/** Under any other the driver decides without a word whether to use TLS, and whether to verify. */
const SSL_MODES: ReadonlySet<string> = new Set(['disable', 'no-verify', ...VERIFYING_MODES]);
/** The store has to be written, so it looks for the primary under each of these. */
const SESSION_ATTRIBUTES: ReadonlySet<string> = new Set(['any', 'primary', 'read-write']);

const refuse = (problem: string): never => {
  throw new StoreUnusableError(problem);
};

/**
 * The servers that a URL names (`postgres://user:password@a:5432,b:5432/database?…`), in its order. Throws a
 * StoreUnusableError that holds nothing of the password.
 */
export const readUrl = (url: string): readonly HostUrl[] => {
  const parts = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^@/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url);
  if (parts === null || url.includes('#')) return refuse(`does not parse: ${ENCODE}`);
  const [, login = '', servers = '', database = '', query = ''] = parts;
  if (!isDecodable(login) || !isDecodable(database) || /[/@]/.test(database))
    return refuse(`does not parse: ${ENCODE}`);
  // It may end a login whose password holds a ?.
  const holdsAt = query.includes('@');
  if (holdsAt && login === '') return refuse(UNPARSED_QUERY);
  const kept = [...new URLSearchParams(query)].filter(([name, value]) => isKept(name, value, !holdsAt));
  if (servers.includes(',') && kept.some(([name]) => name === 'host'))
    return refuse('names hosts twice: remove the parameter host');
  const hosts = servers.split(',').map((server) => {
    const [, host, port] = /^(\[[0-9A-Fa-f:.%]+\]|[^:[\]\s]*)(?::(\d+))?$/.exec(server) ?? [];
    if (host === undefined) return refuse(`does not parse after the user: HOST:PORT is needed, or ${ENCODE}`);
    if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))
      return refuse('does not parse: a port is a number from 1 to 65535');
    return { host, port };
  });
  if (hosts.length > 1 && hosts.some(({ host }) => host === ''))
    return refuse('does not parse: a host is missing beside a comma');
  const search = kept.length === 0 ? '' : `?${String(new URLSearchParams(kept))}`;
  return hosts.map(({ host, port }) => {
    const authority = `${login === '' ? '' : `${login}@`}${host}${port === undefined ? '' : `:${port}`}`;
    const alone = `postgres://${authority}/${database}${search}`;
    if (host !== '' && !URL.canParse(alone)) return refuse(`does not parse: ${ENCODE}`);
    return alone;
  });
};

/**
 * Whether a DATABASE_URL has the driver verify the certificate of the server. Where it says nothing of TLS, the driver
 * does as `PGSSLMODE` says.
 */
export const verifiesTls = (url: string, pgSslMode = ''): boolean => {
  if (url.startsWith('sqlite:')) return false;
  const parameters = new URLSearchParams(/\?(.*)$/s.exec(url)?.[1] ?? '');
  const namesFile = ['sslcert', 'sslkey', 'sslrootcert'].some((name) => parameters.has(name));
  const mode = parameters.getAll('sslmode').at(-1) ?? (namesFile ? 'verify-full' : pgSslMode);
  return VERIFYING_MODES.has(mode);
};

/** Whether the driver is to see a parameter; refuses what would change how paynotify works, and what nobody knows. */
const isKept = (name: string, value: string, mayShow: boolean): boolean => {
  if (OURS.has(name))
    return refuse(`sets ${name}: paynotify sets its own time limits and session settings; remove the parameter`);
  // What is no word may be a piece of the password, so it is not shown.
  // Without the parameter there would be no TLS at all.
  if (name === 'ssl') return refuse('sets ssl: write sslmode=verify-full instead');
  if (!TAKEN.has(name))
    return refuse(
      mayShow && /^\w{1,40}$/.test(name)
        ? `sets ${name}, which paynotify does not know: remove the parameter. Taken are ${[...TAKEN].join(', ')}`
        : UNPARSED_QUERY,
    );
  if (name === 'host' && value.includes(','))
    return refuse('names several hosts in a parameter: write postgres://a:5432,b:5432/database');
  if (name === 'sslmode' && !SSL_MODES.has(value))
    return refuse(`sets sslmode to none of ${[...SSL_MODES].join(', ')}`);
  if (name === 'target_session_attrs' && !SESSION_ATTRIBUTES.has(value))
    return refuse('sets target_session_attrs to something other than read-write: the store has to be written');
  return name !== 'target_session_attrs';
};

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** What is wrong with a URL; null where nothing is. */
export const problemOfUrl = (url: string): string | null => {
  try {
    readUrl(url);
    return null;
  } catch (error) {
    if (!(error instanceof StoreUnusableError)) throw error;
    return error.message;
  }
};
