import { generateKeyPairSync } from 'node:crypto';
import { chown, chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import forge from 'node-forge';
import { type OwnServer, sql } from '../support/postgres.ts';

const YEAR_MS = 365 * 86_400_000;

/** For 127.0.0.1, signed by itself. */
const makeCertificate = (): { readonly certificate: string; readonly key: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - YEAR_MS);
  certificate.validity.notAfter = new Date(Date.now() + YEAR_MS);
  const name = [{ name: 'commonName', value: 'a private authority' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key: privateKey };
};

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
