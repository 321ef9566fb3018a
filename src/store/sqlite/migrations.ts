import type { Migration } from '../schema.ts';

/** Forward only; a line that has been released is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    oldestProgram: 1,
    sql: `
      create table settings (
        name text primary key,
        value text not null
      ) without rowid;

      -- Client ids are long and stand in every key: they are written once.
      create table clients (
        client integer primary key,
        client_id text not null unique
      );

      -- What came over the wire, byte for byte: the notifications of one transaction together, compressed (raw.ts).
      -- Numbers are never given out twice: retention removes the oldest.
      create table raw_batches (
        raw_batch integer primary key autoincrement,
        received_at integer not null,
        packed blob not null
      );
      create index raw_batches_by_time on raw_batches (received_at);

      -- Every verified notification, with the facts read from it. Times are epoch milliseconds.
      create table notifications (
        notification integer primary key,
        client integer not null references clients,
        digest blob not null, -- SHA-256 of the body
        notify_type text,
        payment_id text,
        payment_request_id text, -- as named by a payment's notification
        capture_id text, -- as named by a capture's notification
        outcome text not null,
        deliveries integer not null,
        first_received_at integer not null,
        last_received_at integer not null,
        raw_batch integer not null, -- of a batch that is gone, once retention has removed it
        raw_place integer not null, -- in its batch, from 0
        facts text -- JSON
      );
      create unique index notifications_by_digest on notifications (client, digest);
      create index notifications_by_payment on notifications (client, payment_id) where payment_id is not null;
      create index notifications_by_payment_request on notifications (client, payment_request_id) where payment_request_id is not null;
      create index notifications_by_capture on notifications (client, capture_id) where capture_id is not null;
      create index notifications_not_applied on notifications (outcome, notification) where outcome <> 'APPLIED';

      -- Derived from the facts, registrations and configuration: kept so that it can be queried.
      create table orders (
        order_no integer primary key,
        client integer not null references clients,
        order_key text not null, -- the paymentId; while no payment names a registration, a space and its paymentRequestId
        payment_id text as (case when order_key not like ' %' then order_key end) virtual,
        payment_request_id text,
        reference_order_id text,
        status text not null,
        fulfillable integer not null,
        next_action text not null,
        currency text,
        payment_value text,
        captured_value text, -- in the order's currency
        expected_currency text,
        expected_value text,
        payment_time text,
        authorization_expires_at text,
        attention text not null, -- codes, each between spaces; '' for none
        created_at integer not null,
        updated_at integer not null,
        position integer not null, -- of its latest change, in the order of commits
        digest blob not null
      );
      create unique index orders_by_key on orders (client, order_key);
      create unique index orders_by_position on orders (position);
      create index orders_by_status on orders (status, position) where status <> 'CAPTURED';
      create index orders_with_attention on orders (position) where attention <> '';

      create table captures (
        order_no integer not null references orders on delete cascade,
        capture_no integer not null,
        capture_id text,
        capture_request_id text,
        status text not null,
        currency text,
        value text,
        capture_time text,
        result_code text,
        primary key (order_no, capture_no)
      ) without rowid;

      create table registrations (
        client integer not null references clients,
        payment_request_id text not null,
        currency text not null,
        value text not null,
        reference_order_id text,
        capture_mode text,
        created_at integer not null,
        updated_at integer not null,
        primary key (client, payment_request_id)
      ) without rowid;

      create table replaced_registrations (
        client integer not null references clients,
        payment_request_id text not null,
        currency text not null,
        value text not null,
        reference_order_id text,
        capture_mode text,
        created_at integer not null,
        updated_at integer not null,
        replaced_at integer not null, -- never the same twice
        primary key (client, payment_request_id, replaced_at)
      ) without rowid;

      create table unverified (
        request integer primary key,
        digest blob not null unique, -- SHA-256 over method, target, headers and body
        reason text not null,
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

      -- How full the unverified store is, without counting it each time.
      create table unverified_totals (
        reason text primary key,
        bytes integer not null
      ) without rowid;
      create trigger unverified_added after insert on unverified begin
        insert into unverified_totals values (new.reason, new.bytes)
        on conflict do update set bytes = bytes + excluded.bytes;
      end;
      create trigger unverified_removed after delete on unverified begin
        update unverified_totals set bytes = bytes - old.bytes where reason = old.reason;
      end;
      create trigger unverified_moved after update of reason on unverified when old.reason <> new.reason begin
        update unverified_totals set bytes = bytes - old.bytes where reason = old.reason;
        insert into unverified_totals values (new.reason, new.bytes)
        on conflict do update set bytes = bytes + excluded.bytes;
      end;
    `,
  },
  {
    version: 2,
    // An older program works as well, but goes through all notifications to find one that it has seen.
    oldestProgram: 1,
    sql: `
      -- Ids grow with time, digests fall anywhere: a notification is known by its payment and its digest, so that what
      -- arrives together is written together (known.ts).
      drop index notifications_by_digest;
      drop index notifications_by_payment;
      create unique index notifications_by_payment on notifications (client, payment_id, digest) where payment_id is not null;
      create unique index notifications_without_payment on notifications (client, digest) where payment_id is null;
      -- By digest alone: in sections of 1,024 notifications in the order of arrival, the first 4 bytes in each.
      create index notifications_by_section on notifications (notification >> 10, substr(digest, 1, 4));
    `,
  },
];

/** The version of this program, as databases count it: that of the newest migration it knows. */
export const PROGRAM = Math.max(...MIGRATIONS.map(({ version }) => version));
