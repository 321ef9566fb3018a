import express from 'express';
import forge from 'node-forge';
import { ACKNOWLEDGEMENT, port } from './acknowledgement.ts';
import { signatureOf } from './signature.ts';

/** The same with node-forge's verify; nothing stored. */
const bare = process.env['ANTOM_PUBLIC_KEY'] ?? '';
const pem = `-----BEGIN PUBLIC KEY-----\n${bare.replaceAll(/(.{64})/g, '$1\n')}\n-----END PUBLIC KEY-----\n`;

const app = express();
app.post('/payNotify', express.raw({ type: () => true }), (request, response) => {
  const signature = signatureOf(request.get('signature') ?? '');
  const signed = `${request.method} ${request.path}\n${request.get('client-id')}.${request.get('request-time')}.${(request.body as Buffer).toString('utf8')}`;
  const digest = forge.md.sha256.create().update(signed, 'utf8');
  if (!forge.pki.publicKeyFromPem(pem).verify(digest.digest().bytes(), forge.util.decode64(signature))) {
    response.status(401).end();
    return;
  }
  response.status(200).type('application/json').send(ACKNOWLEDGEMENT);
});
app.listen(port, '127.0.0.1');
