import type { CaptureStatement } from '../../src/order/statement.ts';
import { type Around, instant, SUCCESS, toResult } from './around.ts';
import { HOUR, MINUTE } from './clock.ts';
import { jpy } from './facts.ts';
import { held, type Payment } from './payment.ts';
import type { Letter } from './post.ts';

/** Why it cannot be captured; null where it can. */
const refusal = (payment: Payment, amount: number): string | null => {
  if (payment.gone !== null) return payment.gone;
  if (payment.state !== 'PAID') return 'ORDER_STATUS_INVALID';
  if (!payment.method.isCaptured) return 'PAYMENT_METHOD_NOT_SUPPORTED';
  const { trouble } = payment;
  if (trouble !== null && trouble.times > 0) {
    trouble.times -= 1;
    return trouble.code;
  }
  return payment.received + amount > payment.authorized ? 'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' : null;
};
export const createCapturing = (around: Around) => {
  const { random, clock, tell, post, contradictory } = around;
  let number = 0;
  const say = (payment: Payment, stated: Omit<CaptureStatement, 'about'>): Letter =>
    post.send(payment.paymentId, { about: 'capture', captureTime: instant(clock.now()), ...stated });
  const contradict = (payment: Payment, stated: Omit<CaptureStatement, 'about' | 'result'>, amount: number): void => {
    const isTrue = random.chance(0.5);
    clock.after(random.between(1, 40) * MINUTE, () => {
      const letter = say(payment, { ...stated, result: toResult('F', 'PROCESS_FAIL') });
      tell(
        `${payment.paymentId}: a failure of ${stated.captureRequestId} after its success, ${isTrue ? 'and so it is' : 'in error'}`,
      );
      if (isTrue && held(payment) >= amount) payment.returns.push({ amount, isTold: () => letter.state === 'ARRIVED' });
    });
  };
  const capture = (payment: Payment, captureRequestId: string, amount: number): 'S' | 'F' => {
    const before = payment.captures.get(captureRequestId);
    if (before !== undefined) return before;
    const code = refusal(payment, amount);
    number += 1;
    const named = { captureRequestId, ...(random.chance(0.95) ? { captureId: `C${number}` } : {}) };
    const isUnstated = random.chance(0.02);
    const stated = { ...named, amount: isUnstated ? undefined : jpy(amount) };
    if (random.chance(0.1)) say(payment, { ...stated, result: toResult('U', 'CAPTURE_IN_PROCESS') });
    payment.captures.set(captureRequestId, code === null ? 'S' : 'F');
    tell(`${payment.paymentId} capture ${captureRequestId} of ${amount}: ${code ?? 'captured'}`);
    if (code !== null) {
      say(payment, { ...stated, result: toResult('F', code) });
      return 'F';
    }
    payment.received += amount;
    const foreign = random.chance(contradictory / 4) ? { amount: { currency: 'USD', value: String(amount) } } : {};
    say(payment, { ...stated, ...foreign, result: SUCCESS });
    if (random.chance(contradictory)) contradict(payment, stated, amount);
    return 'S';
  };
  /** In one or two parts; now and then it forgets the last. A failure is the merchant's matter. */
  const captureItself = (payment: Payment): void => {
    const parts = random.chance(0.15) ? [Math.floor(payment.authorized / 3)] : [];
    const rest = payment.authorized - (parts[0] ?? 0);
    const all = random.chance(0.04) ? parts : [...parts, rest];
    let delay = 0;
    payment.capturesItself = all.length > 0;
    for (const [index, amount] of all.entries()) {
      delay += random.chance(0.9) ? random.between(1, 60) * MINUTE : random.between(1, 60) * HOUR;
      clock.after(delay, () => {
        if (index === all.length - 1) payment.capturesItself = false;
        if ([...payment.captures.values()].includes('F') || payment.gone !== null) return;
        capture(payment, `${payment.paymentId}-auto-${index}`, amount);
      });
    }
  };
  return { capture, captureItself };
};
