import { describe, expect, test } from '@jest/globals';
import { DatabaseError } from 'pg';
import {
  isConnectionUsable,
  isServerGone,
  type Place,
  toOpeningError,
  toStoreError,
} from '../../src/store/postgres/failure.ts';
import { StoreRejectedError, StoreUnavailableError, StoreUnusableError } from '../../src/store/store.ts';

const answered = (state: string, message = 'no'): Error =>
  Object.assign(new DatabaseError(message, 0, 'error'), { code: state });
const unanswered = (fields: object, message = 'no'): Error => Object.assign(new Error(message), fields);

const POOLER = 'does a pooler in transaction mode stand in between?';
const PLACE: Place = { server: 'h:5432', user: 'shop', database: 'd', schema: null };

describe('a failure of PostgreSQL while the store is open', () => {
  test.each([
    { error: answered('57P01'), usable: false, gone: true },
    { error: answered('08006'), usable: false, gone: true },
    { error: answered('25P03'), usable: false, gone: false },
    { error: answered('25P04'), usable: false, gone: false },
    { error: answered('25006'), usable: true, gone: true },
    { error: answered('25P02'), usable: true, gone: false },
    { error: answered('57014'), usable: true, gone: false },
    { error: answered('22021'), usable: true, gone: false },
    { error: new Error('Connection terminated unexpectedly'), usable: false, gone: false },
  ])('$error.code: its connection goes on $usable, its server is gone $gone', ({ error, usable, gone }) => {
    expect([isConnectionUsable(error), isServerGone(error)]).toEqual([usable, gone]);
  });

  test.each([
    { error: answered('22021'), Failure: StoreRejectedError, says: 'PostgreSQL (22021): no' },
    { error: answered('23505'), Failure: StoreRejectedError, says: 'PostgreSQL (23505): no' },
    { error: answered('54000'), Failure: StoreRejectedError, says: 'PostgreSQL (54000): no' },
    { error: new TypeError('no'), Failure: StoreRejectedError, says: 'PostgreSQL: no' },
    { error: answered('53300'), Failure: StoreUnavailableError, says: 'PostgreSQL (53300): no' },
    { error: answered('26000'), Failure: StoreUnavailableError, says: `PostgreSQL (26000): no (${POOLER})` },
    { error: answered('42P05'), Failure: StoreUnavailableError, says: `PostgreSQL (42P05): no (${POOLER})` },
    { error: new Error('no'), Failure: StoreUnavailableError, says: 'PostgreSQL: no' },
  ])('$Failure.name: $says', ({ error, Failure, says }) => {
    const failure = toStoreError(error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.message).toBe(says);
  });
});

describe('a failure while a database is opened', () => {
  test.each([
    {
      error: answered('08P01', 'unsupported startup parameter: jit'),
      remedy: 'a pooler in between takes no session settings',
    },
    { error: answered('42710'), remedy: 'give paynotify a database of its own' },
    { error: answered('42723'), remedy: 'give paynotify a database of its own' },
    {
      error: unanswered({}, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      remedy: 'give a password',
    },
    { error: unanswered({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), remedy: 'sslrootcert=/path/of/ca.pem' },
    {
      error: unanswered({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
      remedy: 'connect by a name that stands in the certificate',
    },
    { error: unanswered({ code: 'ERR_TLS_DH_PARAM_SIZE' }), remedy: 'see sslmode and sslrootcert' },
    { error: unanswered({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), remedy: 'see sslmode and sslrootcert' },
    { error: unanswered({ code: 'CERT_HAS_EXPIRED' }), remedy: 'see sslmode and sslrootcert' },
    { error: unanswered({ code: 'EISDIR', syscall: 'read' }), remedy: 'see sslcert, sslkey and sslrootcert' },
  ])('$error.code, $error.message: $remedy', ({ error, remedy }) => {
    const failure = toOpeningError(error, PLACE);
    expect(failure).toBeInstanceOf(StoreUnusableError);
    expect(failure.message).toContain(`DATABASE_URL (h:5432, user shop, database d): ${error.message}: `);
    expect(failure.message).toContain(remedy);
  });

  test.each([
    { error: answered('08006') },
    { error: answered('57P03') },
    { error: answered('08P01', 'protocol violation') },
    { error: unanswered({}, 'SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match') },
    { error: unanswered({ code: 'ENOENT', syscall: 'connect' }) },
  ])('$error.code, $error.message: it is waited for', ({ error }) => {
    expect(toOpeningError(error, PLACE)).toBeInstanceOf(StoreUnavailableError);
  });
});
