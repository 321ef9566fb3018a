/** What APO was asked: a call, and the one identifier it was made with. */
export type Asked =
  | { readonly operation: 'inquiryPayment'; readonly paymentId: string }
  | { readonly operation: 'inquiryPayment'; readonly paymentRequestId: string }
  | { readonly operation: 'inquiryRefund'; readonly refundId: string }
  | { readonly operation: 'inquiryRefund'; readonly refundRequestId: string };

/** The same question is always the same text: by it an answer is found, and it is part of the answer's id. */
export const textOfAsked = (asked: Asked): string => {
  const { operation, ...ids } = asked;
  return JSON.stringify({ operation, ...ids });
};

/** The inverse of `textOfAsked`. */
export const readAsked = (text: string): Asked => JSON.parse(text) as Asked;
