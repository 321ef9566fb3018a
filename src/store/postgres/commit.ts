import type { ClientBase } from 'pg';
import { StoreUnavailableError } from '../store.ts';

/**
 * COMMIT. Throws a StoreUnavailableError where PostgreSQL does not say that it is durable: a transaction that failed
 * unnoticed answers with ROLLBACK and no error; one whose wait for a synchronous standby was cancelled answers with
 * COMMIT, and a warning that the standby may lack it (01000, and its text in the server's language, so any warning
 * counts). The session sees to it that warnings are sent.
 */
export const commit = async (client: ClientBase): Promise<void> => {
  const warnings: (string | undefined)[] = [];
  const note = ({ message }: { readonly message?: string | undefined }): void => void warnings.push(message);
  client.on('notice', note);
  try {
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new StoreUnavailableError(`PostgreSQL answered COMMIT with ${command}`);
  } finally {
    client.off('notice', note);
  }
  if (warnings.length > 0)
    throw new StoreUnavailableError(`PostgreSQL answered COMMIT with a warning: ${warnings.join('; ')}`);
};
