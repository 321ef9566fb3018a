import { describe, expect, test } from '@jest/globals';
import { problemOfUrl, readUrl } from '../../src/store/postgres/url.ts';

describe('a URL of PostgreSQL', () => {
  test.each([
    ['postgres://db.example/paynotify', ['postgres://db.example/paynotify']],
    ['postgresql://u:p@h:6432/d', ['postgres://u:p@h:6432/d']],
    ['postgres://u:p%40%23%2F@h/d?sslmode=verify-full', ['postgres://u:p%40%23%2F@h/d?sslmode=verify-full']],
    [
      'postgres://u:p@a:5432,b:5433,c/d?target_session_attrs=read-write',
      ['postgres://u:p@a:5432/d', 'postgres://u:p@b:5433/d', 'postgres://u:p@c/d'],
    ],
    ...['any', 'primary'].map(
      (attributes) => [`postgres://h/d?target_session_attrs=${attributes}`, ['postgres://h/d']] as const,
    ),
    ['postgres://u@[::1]:5432,[fe80::1]/d', ['postgres://u@[::1]:5432/d', 'postgres://u@[fe80::1]/d']],
    [
      'postgres:///d?host=/var/run/postgresql&application_name=shop',
      ['postgres:///d?host=%2Fvar%2Frun%2Fpostgresql&application_name=shop'],
    ],
    ['postgres://h', ['postgres://h/']],
    ['postgres://u:p@h/d?application_name=shop@eu', ['postgres://u:p@h/d?application_name=shop%40eu']],
    ...['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'].map(
      (mode) => [`postgres://h/d?sslmode=${mode}`, [`postgres://h/d?sslmode=${mode}`]] as const,
    ),
    [
      'postgres://h/d?sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem&port=6432',
      ['postgres://h/d?sslrootcert=%2Fca.pem&sslcert=%2Fc.pem&sslkey=%2Fk.pem&port=6432'],
    ],
  ])('%s leads to %j', (url, hosts) => {
    expect(readUrl(url)).toEqual(hosts);
    expect(problemOfUrl(url)).toBeNull();
  });

  // Each is this one with one change.
  const GOOD = 'postgres://u:hunter2@h:5432/d?sslmode=require';
  test.each([
    ['postgres://u:hunter2@h:abc/d', 'percent-encode'],
    ['postgres://u:hunter2@h:0/d', 'a port is a number from 1 to 65535'],
    ['postgres://u:hunter2@h:65536/d', 'a port is a number from 1 to 65535'],
    ['postgres://u:hun#ter2@h:5432/d', 'percent-encode'],
    ['postgres://u:1#hunter2@h:5432/d', 'percent-encode'],
    ['postgres://u:hunt/er2@h:5432/d', 'percent-encode'],
    ['postgres://u:1/hunter2@h:5432/d', 'percent-encode'],
    ['postgres://u:1/hunt@er2@h:5432/d', 'percent-encode'],
    ['postgres://u:hunter2%zz@h:5432/d', 'percent-encode'],
    ['postgres://u:hunter2@h:5432/d%zz', 'percent-encode'],
    ['postgres://u:hunter2@[::::1]:5432/d', 'percent-encode'],
    ['postgres://u:hunter2?@h:5432/d', 'percent-encode'],
    ['postgres://u:1?hunter2=@h:5432/d', 'percent-encode'],
    ['postgres://u:abc?hunter2=1&x@h:5432/d', 'does not parse after the ?: percent-encode'],
    ['postgres://u:a@bc?hunter2=1&x@h:5432/d', 'does not parse after the ?: percent-encode'],
    ['postgres://u:1?host=hunter2@h:5432/d', 'does not parse after the ?: percent-encode'],
    ['postgres://u:hunter2@h h:5432/d', 'percent-encode'],
    ['postgres://u:hunter2@,h:5432/d', 'a host is missing beside a comma'],
    ['postgres://u:hunter2@a,b/d?host=c', 'names hosts twice'],
    ['postgres://u:hunter2@/d?host=a,b', 'write postgres://a:5432,b:5432/database'],
    ['postgres://u:hunter2@h/d?target_session_attrs=standby', 'the store has to be written'],
    ...['ssl=0', 'ssl=true'].map(
      (parameter) => [`postgres://u:hunter2@h/d?${parameter}`, 'sets ssl: write sslmode=verify-full instead'] as const,
    ),
    ...['schema=shop', 'sslnegotiation=direct', 'uselibpqcompat=true&sslmode=require'].map(
      (parameter) =>
        [
          `postgres://u:hunter2@h/d?${parameter}`,
          `sets ${parameter.split('=')[0]}, which paynotify does not know: remove the parameter. Taken are application_name, host, port, sslcert, sslkey, sslmode, sslrootcert, target_session_attrs`,
        ] as const,
    ),
    ...['sslmode=bogus', 'sslmode=', 'sslmode=hunter2', 'sslmode=allow', 'sslmode=verify-full&sslmode=off'].map(
      (parameter) =>
        [
          `postgres://u:hunter2@h/d?${parameter}`,
          'sets sslmode to none of disable, no-verify, prefer, require, verify-ca, verify-full',
        ] as const,
    ),
    ...[
      'statement_timeout=0',
      'query_timeout=0',
      'lock_timeout=0',
      'idle_in_transaction_session_timeout=0',
      'connectionTimeoutMillis=0',
      'connect_timeout=60',
      'keepAlive=false',
      'options=-c%20statement_timeout%3D0',
    ].map((parameter) => [`postgres://u:hunter2@h/d?${parameter}`, 'paynotify sets its own time limits'] as const),
  ])('%s is refused: %s', (url, problem) => {
    expect(problemOfUrl(GOOD)).toBeNull();
    expect(problemOfUrl(url)).toContain(problem);
    expect(problemOfUrl(url)).not.toMatch(/hun|ter2/);
  });
});
