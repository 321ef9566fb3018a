/* Single rules of the core, each put wrong in one place: what is replaced, by what. */

export interface Mutant {
  readonly rule: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Facts that show it together, where it takes many sets to come to them. */
  readonly facts: readonly string[] | null;
}

const mutant = (
  rule: string,
  file: string,
  [from, to, facts = null]: readonly [from: string, to: string, facts?: readonly string[] | null],
): Mutant => ({ rule, file: `${file}.ts`, from, to, facts });

export const MUTANTS: readonly Mutant[] = [
  // Amounts
  mutant('of two capture amounts the smallest counts', 'capture', [
    'pick: smallest',
    'pick: (all) => all[0] ?? null',
    ['capture S of 120', 'capture S of the 120, as 150 by another request'],
  ]),
  mutant('the largest payment amount counts', 'amount', ['amount.value > best.value', 'amount.value < best.value']),
  mutant('a PAYMENT_RESULT states before a PAYMENT_PENDING', 'findings', [
    'largest(resultAmounts) ?? largest(amountsOf(payments))',
    'largest(amountsOf(payments))',
  ]),
  mutant('only an update with S raises the amount', 'findings', [
    "amountsOf(updates.filter(hasStatus('S')))",
    'amountsOf(updates)',
  ]),
  mutant('an update raises the amount only where a capture is required', 'findings', [
    'stated === null || !need.required ? []',
    'stated === null ? []',
  ]),
  mutant('finalAmount is what is due', 'findings', [
    'final.currency === currency ? final : payment',
    'false ? final : payment',
  ]),
  mutant('a capture in another currency adds 0', 'findings', [
    'one.currency === currency ? sum + one.value : sum',
    'sum + one.value',
  ]),
  mutant('where a capture is required, captured is paid', 'findings', [
    'need.required ? (captured?.value ?? 0n) : paidOnce',
    'paidOnce',
  ]),
  mutant('what was judged is taken before what was disputed', 'dispute', ['[judged, amount]', '[amount, judged]']),
  mutant('a dispute without an amount takes everything', 'findings', ['?? paid)), 0n)', '?? 0n)), 0n)']),
  // Is a capture required?
  mutant('a capture shows that one is required', 'capture-required', [
    'if (!shown.hasCapture) return otherwise;',
    'return otherwise;',
  ]),
  mutant('captureMode NONE asks for none', 'capture-required', ["registration?.captureMode === 'NONE'", 'false']),
  mutant('always is always', 'capture-required', ["rules.captureRequired === 'always'", 'false']),
  mutant('Apple Pay is captured', 'capture-required', ["'CARD', 'APPLEPAY'", "'CARD'"]),
  mutant('an acquirer may be PayPal', 'capture-required', ['payments.some(isAcquiredByPayPal)', 'false']),
  mutant('GrabPay has result info too', 'capture-required', ["normaliseMethod(method).startsWith('GRABPAY')", 'false']),
  mutant('result info shows a card', 'capture-required', ['!isGrabPay && payments', 'false && payments']),
  mutant('a psp counts only without a method', 'capture-required', [
    'types.length > 0 ? types : psps',
    '[...types, ...psps]',
  ]),
  mutant('every method must be listed', 'capture-required', [
    '!decisive.some(isUnlisted)',
    '!decisive.every(isUnlisted)',
  ]),
  mutant('NO_CAPTURE_METHODS adds to the list', 'capture-required', ['|| rules.noCaptureMethods.includes(method)', '']),
  mutant('what nothing shows is captured', 'capture-required', [
    "{ required: true, because: 'undecided',",
    "{ required: false, because: 'undecided',",
  ]),
  // Cancelled, status
  mutant('the shop says cancelled', 'findings', ['if (registration?.cancelled === true) return true;', '']),
  mutant('AUTH_EXPIRED cancels', 'capture', ["'AUTH_CANCELLED', 'AUTH_EXPIRED'", "'AUTH_CANCELLED'"]),
  mutant('an F that is closed beside S cancels', 'findings', [
    "results.some((one) => one.result.resultStatus === 'F' && saysCancelled(one))",
    'false',
  ]),
  mutant('an undecided method is not cancelled by it', 'findings', ["need.because !== 'undecided' &&", '']),
  mutant('captured reaches what is due', 'status-rules', ['>= amounts.due.value', '> amounts.due.value']),
  mutant('a cancelled wallet is not paid', 'status-rules', ['!need.required && !isCancelled', '!need.required']),
  mutant('PAYMENT_PENDING is no success', 'findings', ['hasSuccess: results.some', 'hasSuccess: payments.some']),
  mutant('an inquiry says CANCELLED', 'findings', ["cancelled.length > 0 || shows('CANCEL')", "shows('CANCEL')"]),
  mutant('PAYMENT_PENDING is under way', 'status-rules', [
    "payments.length > 0 ? 'PROCESSING'",
    "false ? 'PROCESSING'",
  ]),
  mutant('a VOID cancels what was not captured', 'findings', ['isVoided || captures', 'captures']),
  mutant('the shop is not told to take back what APO says', 'attention-money', [
    '(isRegistered || cancelledByInquiry)',
    'isRegistered',
    ['inquiry: cancelled', 'capture S of 120'],
  ]),
  mutant('the amount of a cancelled payment counts', 'findings', ['...amountsOf(cancelled)]', ']']),
  mutant('a result is not of the cancelled', 'order', [
    "payment.about === 'payment' ? payment.result : undefined",
    "'result' in payment ? payment.result : { resultStatus: 'U', resultCode: null, resultMessage: null }",
  ]),
  mutant('a notification speaks before an answer', 'statement', [
    'Number(a.answer !== undefined) - Number(b.answer !== undefined) ||',
    '',
  ]),
  // Attention
  mutant('S and F contradict', 'contradiction', ['hasFailure && hasSuccess && !isExplained', 'false']),
  mutant('a cancellation explains F', 'contradiction', ['isCancelled && failures.every(saysCancelled)', 'false']),
  mutant('F beside a capture contradicts', 'contradiction', [
    'hasFailure && succeeded.length > 0',
    'false',
    ['payment F refused', 'capture S of 120'],
  ]),
  mutant('two amounts of a payment contradict', 'contradiction', [
    "disagree(stated) ? [withAmounts('the payment'",
    "false ? [withAmounts('the payment'",
  ]),
  mutant('a raised amount contradicts none', 'contradiction', [
    'need.required ? ownAmounts(findings) :',
    'false ? ownAmounts(findings) :',
    ['payment S of 120', 'payment S of 150 under another request', 'amount update S to 150'],
  ]),
  mutant('the registered amount may be that before it was raised', 'contradiction', [
    'own !== null && sameAmount(own, expected)',
    'false',
  ]),
  mutant('two requests of one payment contradict', 'contradiction', [
    'requestIds.length > 1\n      ?',
    'false\n      ?',
  ]),
  mutant('two captures may be one', 'contradiction', [
    'byRequestOnly.length > 0 && byIdOnly.length > 0',
    'false',
    ['capture S of 60 by its id', 'capture S of 60 by its request'],
  ]),
  mutant('more than is due is over', 'attention-money', ['captured.value <= due.value', 'captured.value < due.value']),
  mutant('a second payment counts only while paid', 'findings', [
    'countsAsPaid(findings) ? payingSiblings',
    'true ? payingSiblings',
  ]),
  mutant('a refunded payment is no duplicate', 'findings', [
    '  !hasGivenBack(findings);',
    '  true;',
    ['payment S by wallet', 'refund S of 120', 'a sibling is paid'],
  ]),
  mutant('REFUNDED is everything', 'findings', ['gone >= paid', 'gone > paid']),
  mutant('a dispute that took everything is REFUNDED, not DISPUTED', 'attention-returned', [
    'tookMoney(dispute) && !isRefunded(findings)',
    'tookMoney(dispute)',
  ]),
  mutant('a request for documents is no dispute', 'attention-returned', ['!asksForDocuments(dispute) &&', '']),
  mutant('a refund that was made up for did not fail', 'attention-returned', [
    'show(other.amount) === show(amount)',
    'false',
    ['refund S of 50', 'refund F of 50, of another payment'],
  ]),
  mutant('a refund without an amount is AMOUNT_UNKNOWN', 'contradiction', [
    'isSucceeded(refund) && isWithoutAmount(refund)',
    'false',
  ]),
  mutant('AMOUNT_UNKNOWN is for a person once CAPTURED', 'attention-money', ["status === 'CAPTURED'", 'true']),
  mutant('a later success supersedes a failure', 'capture', [
    'latest <= failedAt',
    'true',
    ['capture S of 120', 'capture F before, in another currency'],
  ]),
  mutant('an authorization that is gone speaks first', 'capture', [
    'Number(saysAuthorizationGone(b)) - Number(saysAuthorizationGone(a)) ||',
    '',
    [
      'payment S of 120',
      'capture S of 70',
      'capture F before, the authorization being gone',
      'capture F of 50, beyond the limit',
    ],
  ]),
  // Time
  mutant('the registered expiry comes first', 'authorization', [
    '[registration?.authExpiryTime ?? null, stated]',
    '[stated, registration?.authExpiryTime ?? null]',
  ]),
  mutant('an expiry is later than the payment', 'authorization', ['expiry > paymentTime', 'expiry >= paymentTime']),
  mutant('seven days are of Antom', 'authorization', ['isAntom && expiry <=', 'expiry <=']),
  mutant('the warning begins at 48 hours', 'authorization', [
    'now >= expiresAt - WARNED_BEFORE',
    'now > expiresAt - WARNED_BEFORE',
  ]),
  mutant('the end is the end', 'authorization', ['now >= expiresAt);', 'now > expiresAt);']),
  mutant('an hour is enough', 'order', ['now >= quietFrom(evidence)', 'now > quietFrom(evidence)']),
  mutant('the next instant is in the future', 'order', ['instant > now', 'instant >= now']),
  // Fulfillable, and what next
  mutant('nothing that blocks is shipped', 'order', ['!open.some(({ blocks }) => blocks);', 'true;']),
  mutant('a PAYMENT_RESULT S is needed', 'order', ["(findings.hasSuccess || review?.decision === 'FULFIL')", 'true']),
  mutant('a review comes first', 'next-action', ["if (open.some(({ review }) => review)) return 'REVIEW';", '']),
  mutant('a refunded order asks for nothing', 'next-action', ["(code === 'REFUNDED' && !isUncounted) ||", '']),
  mutant('a capture under way is waited for', 'next-action', ["capture.status === 'PROCESSING'", 'false']),
  mutant('the shop has asked again', 'findings', [
    'findings.evidence.siblings.hasLaterRegistration ||',
    '',
    ['payment F refused', 'registered once more'],
  ]),
  mutant('a sibling is paid', 'findings', [
    '|| payingSiblings(findings).length > 0',
    '',
    ['payment F refused', 'a sibling is paid'],
  ]),
  mutant('nothing is captured after the end', 'next-action', ['!isExpired(findings, situation) &&', '']),
  mutant('a capture is missing here', 'next-action', [
    "'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' && isWithin",
    "'CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT' && false",
    ['payment S of 120', 'capture F of 50, beyond the limit'],
  ]),
  mutant('CURRENCY_NOT_SUPPORT is retried', 'next-action', ["  'CURRENCY_NOT_SUPPORT',\n", '']),
  mutant('what is undecided is not captured', 'next-action', [
    "captureMode === 'MANUAL' && !isUndecided",
    "captureMode === 'MANUAL'",
  ]),
  mutant('CAPTURE is for MANUAL', 'next-action', ["captureMode === 'MANUAL' && !isUndecided", '!isUndecided']),
];
