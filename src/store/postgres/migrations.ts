import { OF_REFUNDS } from '../row.ts';
import { SETTING } from '../setting.ts';
import type { Migration } from '../schema.ts';
import { VIEWS } from './views.ts';

/**
 * Times are epoch milliseconds, digests SHA-256. Every key of merchants' data starts with `client_id`, so that the
 * tables can be distributed by it. Identifiers compare by code unit: collate "C".
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    oldestProgram: 1,
    sql: `
      create table settings (
        name text primary key,
        value text not null
      );
      insert into settings values ('${SETTING.feedBase}', '0');

      -- Every verified notification, and every answer to an inquiry, byte for byte, with what was read from it.
      create table notifications (
        client_id text collate "C" not null,
        digest bytea not null, -- of the body; of an answer also of what was asked (row.ts)
        asked text collate "C", -- JSON: what was asked, of an answer to an inquiry; null for a notification
        position bigint not null, -- in the order of arrival; see positions.ts
        payment_id text collate "C" not null, -- as the body names it, whatever its kind; '' where it names none
        kind text collate "C" not null,
        outcome text collate "C" not null,
        problem text,
        statements text, -- JSON
        reading_check bigint not null, -- of what was read (checksum.ts)
        raw_check bigint not null, -- of what came over the wire, but for the body
        deliveries bigint not null,
        first_received_at bigint not null,
        last_received_at bigint not null,
        -- What came over the wire, all of it null once retention has removed it.
        method text,
        target text,
        request_time text,
        signature text, -- the header
        body bytea,
        primary key (client_id, digest)
      );
      create index notifications_by_payment on notifications (client_id, payment_id);
      create index notifications_by_position on notifications (position);
      create index notifications_not_applied on notifications (outcome, position) where outcome <> 'APPLIED';
      create index notifications_of_refunds on notifications (position) where ${OF_REFUNDS};
      create index notifications_of_inquiries on notifications (client_id, asked) where asked is not null;
      create index notifications_with_bytes on notifications (first_received_at)
        where body is not null and outcome <> 'FAILED';

      -- Every identifier that a notification states, but for its payment_id.
      create table identifiers (
        client_id text collate "C" not null,
        position bigint not null, -- of the notification
        name text collate "C" not null,
        value text collate "C" not null,
        joins smallint not null, -- by it: 1 what it states joins others, 2 it joins as one that could not be read, 0 neither
        primary key (client_id, position, name, value)
      );
      create index identifiers_by_value on identifiers (client_id, value);

      -- Orders as of their last commit or sweep, derived from what is stored; the columns serve to find them.
      create table orders (
        client_id text collate "C" not null,
        order_key text collate "C" not null, -- the paymentId; while no payment names a registration, a space and its paymentRequestId
        position bigint not null, -- of its latest change; see positions.ts
        revision bigint not null, -- grows with every change
        updated_at bigint not null,
        status text collate "C" not null,
        next_action text collate "C" not null,
        attention text not null, -- codes, each between spaces; '' for none
        reference_order_id text collate "C", -- of the registration that counts
        due_at bigint, -- when the clock may change it
        content text not null, -- JSON: the order as it is shown, but for these columns and its folded captures (shown.ts)
        fold text, -- JSON: many captures taken together (fold.ts); null for an ordinary order
        primary key (client_id, order_key)
      );
      create index orders_by_position on orders (position);
      create index orders_by_status on orders (status, position) where status <> 'CAPTURED';
      create index orders_with_attention on orders (position, attention) where attention <> '';
      create index orders_to_act_on on orders (next_action, position) where next_action not in ('FULFIL', 'WAIT', 'NONE');
      create index orders_by_reference on orders (client_id, reference_order_id, order_key)
        where reference_order_id is not null;
      create index orders_due on orders (due_at) where due_at is not null;

      -- The captures that the fold of an order stands for.
      create table folded_captures (
        client_id text collate "C" not null,
        order_key text collate "C" not null,
        capture_id text collate "C" not null, -- '' for none
        capture_request_id text collate "C" not null,
        content text not null, -- JSON: the capture as it is shown
        primary key (client_id, order_key, capture_id, capture_request_id)
      );

      -- From where this database went on by itself (starts.ts).
      create table starts (
        number bigint primary key,
        id text collate "C" not null unique,
        began bigint not null, -- the last position that was stored
        identity text not null -- of the server and the database; see postgres/starts.ts
      );

      -- What the shop said, with everything that it said before: registrations of payments and refunds, reviews.
      create table shop_statements (
        client_id text collate "C" not null,
        about text collate "C" not null, -- registration, refund, review
        id text collate "C" not null, -- a paymentRequestId, a refundRequestId, or the order_key
        replaced_at bigint not null, -- 0 while it stands; never the same twice
        target text collate "C" not null, -- the referenceOrderId, or the order_key of a refund; '' for none
        said text not null, -- JSON
        said_check bigint not null, -- see checksum.ts
        created_at bigint not null, -- when it was first made
        updated_at bigint not null,
        primary key (client_id, about, id, replaced_at)
      );
      create index shop_statements_by_target on shop_statements (client_id, about, target, created_at)
        where target <> '';

      -- Captures, cancels and refunds that we send: written down before they are sent.
      create table moves (
        client_id text collate "C" not null,
        kind text collate "C" not null, -- capture, cancel, refund
        request_id text collate "C" not null, -- of a cancel an id of ours
        payment_id text collate "C" not null,
        content text not null, -- JSON: all else that was asked for
        status text collate "C" not null, -- PROCESSING until APO has said what became of it
        attempts bigint not null, -- how often it was sent
        next_attempt_at bigint not null,
        result_code text, -- what the last attempt came to
        reason text,
        apo_id text, -- captureId or refundId
        created_at bigint not null,
        updated_at bigint not null,
        primary key (client_id, kind, request_id)
      );
      create index moves_by_payment on moves (client_id, payment_id);
      create index moves_due on moves (next_attempt_at) where status = 'PROCESSING';

      -- Who does something that one service at a time does.
      create table leases (
        name text collate "C" primary key,
        owner text collate "C" not null,
        until bigint not null -- by the clock of the database
      );

      -- The callback URLs that follow the change feed, each for one client. No URL stands here: it may hold a secret.
      create table callback_urls (
        client_id text collate "C" not null,
        url text collate "C" not null, -- its SHA-256, hex
        number bigint not null unique, -- stands for the two in callback_orders
        origin text not null,
        in_use bigint not null, -- 1 while it is configured
        followed_since bigint not null,
        start text collate "C", -- where the feed goes on: the two parts of a cursor
        position bigint not null,
        floor bigint not null, -- orders of revisions up to this one are passed over; 0 for none
        again_until bigint not null, -- up to this position orders are sent again, delivered or not
        paused_until bigint, -- when the next probe is due; null while nothing is wrong
        paused_since bigint,
        attempts bigint not null, -- since then
        why text, -- what the last one came to
        delivered_at bigint, -- the last 2xx
        alarmed_at bigint, -- when the log said last that it waits for too long
        primary key (client_id, url)
      );

      -- What the shop was told of each order, and what it is still to be told.
      create table callback_orders (
        client_id text collate "C" not null,
        number bigint not null, -- of the callback URL
        order_key text collate "C" not null,
        delivered_revision bigint, -- what the shop last answered 2xx for
        delivered text, -- JSON: what else it was then
        delivered_at bigint,
        copied text, -- came with a copy: digest of the order that need not be sent (callback-copy.ts)
        pending_revision bigint, -- null while there is nothing to tell
        pending_since bigint,
        attempts bigint not null, -- since then
        next_attempt_at bigint not null,
        why text, -- what the last one came to
        primary key (client_id, number, order_key)
      );
      create index callback_orders_due on callback_orders (client_id, number, next_attempt_at)
        where pending_revision is not null;
      create index callback_orders_waiting on callback_orders (client_id, number, pending_since)
        where pending_revision is not null;

      -- The inquiries that are to be made: when, and who makes them.
      create table inquiries (
        client_id text collate "C" not null,
        about text collate "C" not null, -- order, refundId, refundRequestId
        id text collate "C" not null, -- the order_key, or the id of a refund that joins no order
        position bigint not null, -- of the change of the order that it was planned by; 0 for none
        why text collate "C" not null,
        due_at bigint, -- null while there is nothing to ask
        attempts bigint not null, -- since there is this reason
        outcome text, -- what the last one came to
        asked_at bigint,
        owner text collate "C" not null, -- who makes it; '' for nobody
        until bigint not null, -- the owner's lease, by the clock of the database
        primary key (client_id, about, id)
      );
      create index inquiries_due on inquiries (client_id, due_at);

      create table unverified (
        digest bytea primary key, -- over method, target, headers and body
        request bigint generated always as identity,
        reason text collate "C" not null,
        origin text collate "C" not null, -- of the signature
        trust bytea not null, -- digest of the keys and paths that it failed under
        diagnosis text, -- its code, made under the same trust; null until it is made
        explanation text, -- of the diagnosis, in sentences
        deliveries bigint not null,
        bytes bigint not null,
        first_received_at bigint not null,
        last_received_at bigint not null,
        method text not null,
        target text not null,
        headers text not null, -- JSON: every occurrence of the three
        body bytea not null
      );
      create index unverified_by_number on unverified (request);
      create index unverified_by_reason on unverified (reason, request);
      create index unverified_by_last_receipt on unverified (last_received_at);
      create index unverified_by_trust on unverified (trust);
      create index unverified_to_diagnose on unverified (trust, request) where diagnosis is null;

      -- How full the shares of the unverified store are, without counting it each time.
      create table unverified_totals (
        origin text collate "C" primary key,
        bytes bigint not null
      );
      create function paynotify_add_unverified() returns trigger language plpgsql as $$
      begin
        insert into unverified_totals values (new.origin, new.bytes)
        on conflict (origin) do update set bytes = unverified_totals.bytes + excluded.bytes;
        return null;
      end $$;
      create function paynotify_subtract_unverified() returns trigger language plpgsql as $$
      begin
        update unverified_totals set bytes = bytes - old.bytes where origin = old.origin;
        return null;
      end $$;
      create trigger unverified_added after insert on unverified
        for each row execute function paynotify_add_unverified();
      create trigger unverified_removed after delete on unverified
        for each row execute function paynotify_subtract_unverified();
      create trigger unverified_left after update of origin on unverified
        for each row when (old.origin <> new.origin) execute function paynotify_subtract_unverified();
      create trigger unverified_moved after update of origin on unverified
        for each row when (old.origin <> new.origin) execute function paynotify_add_unverified();

      ${VIEWS}    `,
  },
];
