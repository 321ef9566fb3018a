import type { Recorded } from '../store/store.ts';

/** What APO waits for, whatever the payment's outcome; any other answer makes it send the notification again. */
const ACKNOWLEDGEMENT = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}';

/** The fixed acknowledgement. It takes the proof that its notification is stored: acknowledging first does not compile. */
export const acknowledge = (_recorded: Recorded): string => ACKNOWLEDGEMENT;

/** The same shape with the failure status: APO sends the notification again. `message` is ours, never the sender's. */
export const failure = (message: string): string =>
  JSON.stringify({ result: { resultCode: 'ERROR', resultStatus: 'F', resultMessage: message } });
