import { OF_REFUNDS } from '../row.ts';
import type { Migration } from '../schema.ts';
import { VIEWS } from './views.ts';

/** Times are epoch milliseconds, digests SHA-256. Identifiers compare by code unit, as SQLite does by itself. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    oldestProgram: 1,
    sql: `
      create table settings (
        name text primary key,
        value text not null
      ) without rowid;

      -- What ties the file to its log (place.ts): one row, written by every transaction.
      create table place (
        mark integer not null, -- as user_version
        before integer not null, -- the mark before this log
        salts text not null, -- of the log, hex
        closed integer not null -- 1 where nothing was written since the file was closed
      );
      insert into place values (0, 0, '', 0);

      -- What came over the wire, byte for byte: the notifications of one transaction together, compressed (raw.ts).
      -- Numbers are never given out twice: retention removes the oldest.
      create table raw_batches (
        raw_batch integer primary key autoincrement,
        received_at integer not null,
        packed blob not null
      );
      create index raw_batches_by_time on raw_batches (received_at);

      -- Every verified notification, and every answer to an inquiry, with what was read from it.
      create table notifications (
        position integer primary key, -- in the order of arrival
        client_id text not null,
        payment_id text not null, -- as the body names it, whatever its kind; '' where it names none
        digest blob not null, -- of the body; of an answer also of what was asked (row.ts)
        asked text, -- JSON: what was asked, of an answer to an inquiry; null for a notification
        kind text not null,
        outcome text not null,
        problem text,
        statements text, -- JSON
        reading_check integer not null, -- of what was read (checksum.ts)
        raw_check integer not null, -- of what came over the wire, but for the body
        deliveries integer not null,
        first_received_at integer not null,
        last_received_at integer not null,
        raw_batch integer not null, -- of a batch that is gone, once retention has removed it
        raw_place integer not null -- in its batch, from 0
      );
      -- A notification is known by its payment and its digest: ids grow with time, digests fall anywhere, so what
      -- arrives together is written together.
      create unique index notifications_by_payment on notifications (client_id, payment_id, digest);
      -- By digest alone: in sections of 1,024 notifications in the order of arrival, the first 4 bytes in each.
      create index notifications_by_section on notifications (position >> 10, substr(digest, 1, 4));
      create index notifications_not_applied on notifications (outcome, position) where outcome <> 'APPLIED';
      create index notifications_of_refunds on notifications (position) where ${OF_REFUNDS};
      create index notifications_of_inquiries on notifications (client_id, asked) where asked is not null;

      -- Every identifier that a notification states, but for its payment_id.
      create table identifiers (
        position integer not null, -- of the notification
        name text not null,
        value text not null,
        client_id text not null,
        joins integer not null, -- by it: 1 what it states joins others, 2 it joins as one that could not be read, 0 neither
        primary key (position, name, value)
      ) without rowid;
      create index identifiers_by_value on identifiers (value);

      -- Orders as of their last commit or sweep, derived from what is stored; the columns serve to find them. With
      -- a rowid: without one, a row of this size would take an overflow page of its own.
      create table orders (
        client_id text not null,
        order_key text not null, -- the paymentId; while no payment names a registration, a space and its paymentRequestId
        position integer not null, -- of its latest change, in the order of commits
        revision integer not null, -- grows with every change
        updated_at integer not null,
        status text not null,
        next_action text not null,
        attention text not null, -- codes, each between spaces; '' for none
        reference_order_id text, -- of the registration that counts
        due_at integer, -- when the clock may change it
        content text not null, -- JSON: the order as it is shown, but for these columns and its folded captures (shown.ts)
        fold text, -- JSON: many captures taken together (fold.ts); null for an ordinary order
        primary key (client_id, order_key)
      );
      create unique index orders_by_position on orders (position);
      create index orders_by_status on orders (status, position) where status <> 'CAPTURED';
      create index orders_with_attention on orders (position, attention) where attention <> '';
      create index orders_to_act_on on orders (next_action, position) where next_action not in ('FULFIL', 'WAIT', 'NONE');
      create index orders_by_reference on orders (client_id, reference_order_id, order_key)
        where reference_order_id is not null;
      create index orders_due on orders (due_at) where due_at is not null;

      -- The captures that the fold of an order stands for.
      create table folded_captures (
        client_id text not null,
        order_key text not null,
        capture_id text not null, -- '' for none
        capture_request_id text not null,
        content text not null, -- JSON: the capture as it is shown
        primary key (client_id, order_key, capture_id, capture_request_id)
      ) without rowid;

      -- From where this database went on by itself (starts.ts).
      create table starts (
        number integer primary key,
        id text not null unique,
        began integer not null, -- the last position of an order that was given out
        began_notifications integer not null -- the last position of a notification
      );

      -- What the shop said, with everything that it said before: registrations of payments and refunds, reviews.
      create table shop_statements (
        client_id text not null,
        about text not null, -- registration, refund, review
        id text not null, -- a paymentRequestId, a refundRequestId, or the order_key
        replaced_at integer not null, -- 0 while it stands; never the same twice
        target text not null, -- the referenceOrderId, or the order_key of a refund; '' for none
        said text not null, -- JSON
        said_check integer not null, -- see checksum.ts
        created_at integer not null, -- when it was first made
        updated_at integer not null,
        primary key (client_id, about, id, replaced_at)
      ) without rowid;
      create index shop_statements_by_target on shop_statements (client_id, about, target, created_at)
        where target <> '';

      -- Captures, cancels and refunds that we send: written down before they are sent.
      create table moves (
        client_id text not null,
        kind text not null, -- capture, cancel, refund
        request_id text not null, -- of a cancel an id of ours
        payment_id text not null,
        content text not null, -- JSON: all else that was asked for
        status text not null, -- PROCESSING until APO has said what became of it
        attempts integer not null, -- how often it was sent
        next_attempt_at integer not null,
        result_code text, -- what the last attempt came to
        reason text,
        apo_id text, -- captureId or refundId
        created_at integer not null,
        updated_at integer not null,
        primary key (client_id, kind, request_id)
      ) without rowid;
      create index moves_by_payment on moves (client_id, payment_id);
      create index moves_due on moves (next_attempt_at) where status = 'PROCESSING';

      -- Who does something that one service at a time does.
      create table leases (
        name text primary key,
        owner text not null,
        until integer not null -- by the clock of the database
      ) without rowid;

      -- The callback URLs that follow the change feed, each for one client. No URL stands here: it may hold a secret.
      create table callback_urls (
        client_id text not null,
        url text not null, -- its SHA-256, hex
        number integer not null unique, -- stands for the two in callback_orders
        origin text not null,
        in_use integer not null, -- 1 while it is configured
        followed_since integer not null,
        start text, -- where the feed goes on: the two parts of a cursor
        position integer not null,
        floor integer not null, -- orders of revisions up to this one are passed over; 0 for none
        again_until integer not null, -- up to this position orders are sent again, delivered or not
        paused_until integer, -- when the next probe is due; null while nothing is wrong
        paused_since integer,
        attempts integer not null, -- since then
        why text, -- what the last one came to
        delivered_at integer, -- the last 2xx
        alarmed_at integer, -- when the log said last that it waits for too long
        primary key (client_id, url)
      ) without rowid;

      -- What the shop was told of each order, and what it is still to be told.
      create table callback_orders (
        client_id text not null,
        number integer not null, -- of the callback URL
        order_key text not null,
        delivered_revision integer, -- what the shop last answered 2xx for
        delivered text, -- JSON: what else it was then
        delivered_at integer,
        copied text, -- came with a copy: digest of the order that need not be sent (callback-copy.ts)
        pending_revision integer, -- null while there is nothing to tell
        pending_since integer,
        attempts integer not null, -- since then
        next_attempt_at integer not null,
        why text, -- what the last one came to
        primary key (client_id, number, order_key)
      ) without rowid;
      create index callback_orders_due on callback_orders (client_id, number, next_attempt_at)
        where pending_revision is not null;
      create index callback_orders_waiting on callback_orders (client_id, number, pending_since)
        where pending_revision is not null;

      -- The inquiries that are to be made: when, and who makes them.
      create table inquiries (
        client_id text not null,
        about text not null, -- order, refundId, refundRequestId
        id text not null, -- the order_key, or the id of a refund that joins no order
        position integer not null, -- of the change of the order that it was planned by; 0 for none
        why text not null,
        due_at integer, -- null while there is nothing to ask
        attempts integer not null, -- since there is this reason
        outcome text, -- what the last one came to
        asked_at integer,
        owner text not null, -- who makes it; '' for nobody
        until integer not null, -- the owner's lease, by the clock of the database
        primary key (client_id, about, id)
      ) without rowid;
      create index inquiries_due on inquiries (client_id, due_at);

      create table unverified (
        request integer primary key,
        digest blob not null unique, -- over method, target, headers and body
        reason text not null,
        origin text not null, -- of the signature
        trust blob not null, -- digest of the keys and paths that it failed under
        diagnosis text, -- its code, made under the same trust; null until it is made
        explanation text, -- of the diagnosis, in sentences
        deliveries integer not null,
        bytes integer not null,
        first_received_at integer not null,
        last_received_at integer not null,
        method text not null,
        target text not null,
        headers text not null, -- JSON: every occurrence of the three
        body blob not null
      );
      create index unverified_by_reason on unverified (reason, request);
      create index unverified_by_last_receipt on unverified (last_received_at);
      create index unverified_by_trust on unverified (trust);
      create index unverified_to_diagnose on unverified (trust, request) where diagnosis is null;

      -- How full the shares of the unverified store are, without counting it each time.
      create table unverified_totals (
        origin text primary key,
        bytes integer not null
      ) without rowid;
      create trigger unverified_added after insert on unverified begin
        insert into unverified_totals values (new.origin, new.bytes)
        on conflict do update set bytes = bytes + excluded.bytes;
      end;
      create trigger unverified_removed after delete on unverified begin
        update unverified_totals set bytes = bytes - old.bytes where origin = old.origin;
      end;
      create trigger unverified_moved after update of origin on unverified when old.origin <> new.origin begin
        update unverified_totals set bytes = bytes - old.bytes where origin = old.origin;
        insert into unverified_totals values (new.origin, new.bytes)
        on conflict do update set bytes = bytes + excluded.bytes;
      end;

      ${VIEWS}    `,
  },
];
