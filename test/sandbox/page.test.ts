import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { jpy, listenAsMerchant, payment, serve } from './support.ts';

const SCRIPT = `<script>alert('"&"')</script>`;

describe('the page', () => {
  test('shows what was sent and what was answered, the newest first', async () => {
    const merchant = await listenAsMerchant();
    const sandbox = await serve({ notifyUrl: merchant.url, shares: { unsigned: 1 } });
    const { json } = await sandbox.call('pay', payment('R1'));
    await sandbox.quiet();
    await sandbox.call('capture', { captureRequestId: 'C1', paymentId: json['paymentId'], captureAmount: jpy(1) });
    await sandbox.quiet();
    const response = await fetch(sandbox.url);
    const page = await response.text();
    const whats = [...page.matchAll(/<td>((?:call|notification) [^<]+)</g)].map(([, what]) => what);
    expect(whats).toEqual([
      'notification CAPTURE_RESULT S',
      'call capture',
      'notification PAYMENT_RESULT S',
      'call pay',
    ]);
    expect(page).toContain('misbehaves: unsigned 1');
    expect(page).toContain('send 1: acknowledged');
    expect(page).toContain('S SUCCESS, unsigned');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    // Nothing from elsewhere.
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|href=/);
  });

  test('escapes what a stranger put in', async () => {
    const merchant = await listenAsMerchant(() => ({ status: 200, body: SCRIPT }));
    const sandbox = await serve({ notifyUrl: merchant.url });
    await sandbox.call('pay', payment(SCRIPT));
    await sandbox.call('cancel', { paymentId: SCRIPT });
    await fetch(`${sandbox.url}/ams/sandbox/api/v1/payments/${encodeURIComponent(SCRIPT)}<b>`);
    await sandbox.quiet();
    const page = await (await fetch(sandbox.url)).text();
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<b>');
    // As an id, as the body of a notification, and as an answer to it.
    expect(page.split('&lt;script&gt;alert(').length).toBeGreaterThan(8);
    expect(page).toContain('<code>&lt;script&gt;alert(&#39;&quot;&amp;&quot;&#39;)&lt;/script&gt;</code>');
  });

  test('is the only one', async () => {
    const sandbox = await serve();
    expect((await fetch(`${sandbox.url}/admin`)).status).toBe(404);
    const tooLarge = await fetch(`${sandbox.url}/control/payments`, { method: 'POST', body: 'x'.repeat(300_000) });
    expect([tooLarge.status, await tooLarge.json()]).toEqual([413, { error: 'The body cannot be read.' }]);
  });
});

describe('a page of another site', () => {
  const STEER = { shares: { lost: 1 } };

  test.each([
    ['its own name, which leads to this machine (DNS rebinding)', { Host: 'evil.example' }],
    ['a loopback name', { Origin: 'http://evil.example' }],
  ])('neither reads nor steers a sandbox on loopback, by %s', async (_, headers) => {
    const { url, control } = await serve();
    for (const path of ['/', '/control', '/control/ledger'])
      expect((await request(url).get(path).set(headers)).status).toBe(403);
    expect((await request(url).patch('/control').set(headers).send(STEER)).status).toBe(403);
    expect(await control('GET', '')).toMatchObject({ status: 200, shares: { lost: 0 } });
    expect(await control('PATCH', '', STEER)).toMatchObject({ status: 200, shares: { lost: 1 } });
    expect((await request(url).get('/').set('Host', 'localhost:8081')).status).toBe(200);
    // Calls are signed: the name that they go to does not matter.
    expect((await request(url).post('/ams/sandbox/api/v1/payments/pay').set(headers)).status).toBe(200);
  });

  test('is not told apart where the sandbox listens beyond loopback', async () => {
    const { url } = await serve({ host: '0.0.0.0' });
    expect((await request(url).get('/control').set('Host', 'sandbox:8081')).status).toBe(200);
  });
});
