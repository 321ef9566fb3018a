import type { NumberedRules } from '../store/setting.ts';
import type { Store, StoreStatus } from '../store/store.ts';
import { type CallbackLag, readCallbackLags } from './callbacks.ts';
import { recallRules, type ServiceInForce } from './in-force.ts';
import { type InquiryLag, readInquiryLags } from './inquiries.ts';

/** What `GET /api/status` and `paynotify status` say; no secrets. */
export interface Status {
  /** Null where no service has started on this database yet; so is all that it says of itself. */
  readonly versions: { readonly paynotify: string; readonly node: string } | null;
  readonly startedAt: string | null;
  readonly database: { readonly name: string } & Pick<StoreStatus, 'schema' | 'generation'>;
  /** Those in force, under their number: those of whichever service started last. */
  readonly rules: NumberedRules | null;
  /** Of this service, by the names of the variables; of a secret only whether it is set. */
  readonly configuration: Readonly<Record<string, string>> | null;
  readonly keys: readonly {
    readonly clientId: string;
    readonly keyVersion: string | null;
    readonly fingerprint: string;
  }[];
  readonly lastVerifiedAt: string | null;
  /** What keeps changes of orders from the change feed and from callbacks; null where nothing does. */
  readonly heldUp: StoreStatus['heldUp'];
  readonly backlog: Pick<StoreStatus, 'failed' | 'malformed' | 'unverified'>;
  /** Captures, cancels and refunds that are under way. */
  readonly moves: StoreStatus['moves'];
  /** How far the shops are behind. */
  readonly callbacks: readonly CallbackLag[];
  /** What is to be asked of APO. */
  readonly inquiries: readonly InquiryLag[];
}

export const readStatus = async (
  store: Pick<Store, 'name' | 'status' | 'recall' | 'listCallbackUrls' | 'listWaitingCallbacks' | 'inquiryBacklog'>,
  service: ServiceInForce | null,
): Promise<Status> => {
  const { schema, generation, lastVerifiedAt, heldUp, failed, malformed, unverified, moves } = await store.status();
  return {
    versions: service === null ? null : { paynotify: service.version, node: service.node },
    startedAt: service?.startedAt ?? null,
    database: { name: store.name, schema, generation },
    rules: await recallRules(store),
    configuration: service?.configuration ?? null,
    keys: (service?.clients ?? []).flatMap(({ clientId, keys }) =>
      keys.map(({ version, fingerprint }) => ({ clientId, keyVersion: version, fingerprint })),
    ),
    lastVerifiedAt,
    heldUp,
    backlog: { failed, malformed, unverified },
    moves,
    callbacks: await readCallbackLags(store, Date.now()),
    inquiries: await readInquiryLags(store, Date.now()),
  };
};
