import { chown, chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificate } from '../support/certificate.ts';
import { type OwnServer, sql } from '../support/postgres.ts';

/** Makes a server speak TLS until it is stopped; `file` holds the authority's certificate. */
export const serveTls = async (
  server: OwnServer,
): Promise<{ readonly file: string; readonly stop: () => Promise<void> }> => {
  const { certificate, key } = makeCertificate();
  const { uid, gid } = await stat(server.directory);
  const [file, keyFile] = [join(server.directory, 'tls.crt'), join(server.directory, 'tls.key')];
  for (const [path, text] of [
    [file, certificate],
    [keyFile, key],
  ] as const) {
    await writeFile(path, text);
    await chmod(path, 0o600);
    await chown(path, uid, gid);
  }
  const reload = async (...settings: readonly string[]): Promise<void> => {
    for (const setting of settings) await sql(server.url, `alter system set ${setting}`);
    await sql(server.url, 'select pg_reload_conf()');
    const wanted = settings.at(-1);
    for (let isSo = false; !isSo;) {
      const [row] = await sql<{ ssl: string }>(server.url, 'show ssl');
      isSo = wanted === `ssl = ${row?.ssl}`;
    }
  };
  await reload(`ssl_cert_file = '${file}'`, `ssl_key_file = '${keyFile}'`, 'ssl = on');
  return { file, stop: async () => await reload('ssl = off') };
};
