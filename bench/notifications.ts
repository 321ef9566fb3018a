import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { signatureHeader } from '../src/antom/signing.ts';

export const CLIENT_ID = 'BENCH_CLIENT';
export const PATH = '/payNotify';

/** The two kinds that make an order, as APO's pages show them, compact as on the wire. */
const payment = (id: string, at: string) => ({
  acquirerInfo: {
    acquirerMerchantId: 'WF_wallet_UK',
    acquirerName: 'ADYEN',
    acquirerTransactionId: `PK6K${id.slice(-12)}`,
    referenceRequestId: `N2025021716031300000${id.slice(-13)}`,
  },
  acquirerReferenceNo: `PK6K${id.slice(-12)}`,
  notifyType: 'PAYMENT_RESULT',
  paymentAmount: { currency: 'GBP', value: '1523' },
  paymentCreateTime: at,
  paymentId: `2025021716401089010${id.slice(0, 16)}`,
  paymentRequestId: `202502178603130${id.slice(0, 16)}`,
  paymentResultInfo: {
    avsResultRaw: 'Y',
    cardBin: '439654',
    cardBrand: 'VISA',
    cardNo: '************6044',
    cvvResultRaw: 'M',
    fingerprint: createHash('sha256').update(id).digest('hex'),
    funding: 'DEBIT',
    issuerName: 'WISE PAYMENTS LIMITED',
    issuingCountry: 'GB',
    threeDSResult: { cavv: 'N/A', eci: 'N/A', threeDSType: 'INTERNAL', xid: 'N/A' },
  },
  paymentTime: at,
  result: { resultCode: 'SUCCESS', resultMessage: 'success.', resultStatus: 'S' },
});

const capture = (id: string, at: string) => ({
  acquirerReferenceNo: `PK6K${id.slice(-12)}`,
  result: { resultStatus: 'S', resultCode: 'SUCCESS', resultMessage: 'success.' },
  notifyType: 'CAPTURE_RESULT',
  captureTime: at,
  paymentId: `2025021716401089010${id.slice(0, 16)}`,
  captureRequestId: `202502178603130${id.slice(0, 16)}`,
  captureId: `2025021719401089010${id.slice(0, 16)}`,
  acquirerInfo: {
    referenceRequestId: `2025021719031301000${id.slice(-12)}`,
    acquirerTransactionId: `act_${id.slice(-26)}`,
    acquirerMerchantId: 'WF_wallet_UK',
    acquirerName: 'ADYEN',
  },
  captureAmount: { currency: 'GBP', value: '1523' },
});

/** The n-th notification of a run: payments and their captures in turn, each distinct. */
export const bodyOf = (n: number): Buffer => {
  const order = Math.floor(n / 2);
  // As at APO, ids begin alike and grow with time, and end in digits that nobody can guess.
  const random = BigInt(`0x${createHash('sha256').update(String(order)).digest('hex').slice(0, 24)}`)
    .toString()
    .padStart(29, '0');
  const id = String(order).padStart(9, '0') + random;
  return Buffer.from(
    JSON.stringify(n % 2 === 0 ? payment(id, '2025-02-16T21:48:05-08:00') : capture(id, '2025-02-16T21:48:09-08:00')),
  );
};

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** One line of Base64, as the dashboard shows it. */
  readonly publicKey: string;
}

export const makeKeyPair = (): KeyPair => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') };
};

const REQUEST_TIME = '2025-02-16T21:48:06-08:00';

/** A whole HTTP request, signed, ready to be written to a socket. */
export const requestOf = (body: Buffer, privateKey: KeyObject): Buffer => {
  const signable = { method: 'POST', uri: PATH, clientId: CLIENT_ID, requestTime: REQUEST_TIME, body };
  return requestWith(signatureHeader(signable, privateKey), body);
};

/** The same, by somebody who knows the client id and no key: it takes a check of the signature to tell. */
export const forgedRequestOf = (body: Buffer): Buffer => {
  // Below every modulus of that length.
  const signature = Buffer.concat([Buffer.of(1), randomBytes(255)]).toString('base64');
  return requestWith(`algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(signature)}`, body);
};

const requestWith = (signature: string, body: Buffer): Buffer => {
  const head = [
    `POST ${PATH} HTTP/1.1`,
    'Host: merchant.example',
    'Content-Type: application/json; charset=UTF-8',
    `Client-Id: ${CLIENT_ID}`,
    `Request-Time: ${REQUEST_TIME}`,
    `Signature: ${signature}`,
    'User-Agent: Apache-HttpClient/4.5.13',
    'Accept-Encoding: gzip,deflate',
    `Content-Length: ${body.length}`,
  ].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]);
};
