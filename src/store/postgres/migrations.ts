import type { Migration } from '../schema.ts';

/**
 * Forward only; a line that has been released is never changed. Every key of merchants' data starts with
 * `client_id`, so that the tables can be distributed by it. Identifiers compare by code unit: collate "C".
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
      insert into settings values ('feed_base', '0');

      -- Every verified notification, byte for byte.
      create table notifications (
        client_id text collate "C" not null,
        digest bytea not null, -- SHA-256 of the body
        position bigint not null, -- of its arrival; see positions.ts
        notify_type text collate "C",
        payment_id text collate "C",
        payment_request_id text collate "C", -- as named by a payment's notification
        capture_id text collate "C", -- as named by a capture's notification
        outcome text collate "C" not null,
        deliveries bigint not null,
        first_received_at timestamptz(3) not null,
        last_received_at timestamptz(3) not null,
        facts json, -- not jsonb: as written, to the letter
        -- What came over the wire, all of it null once retention has removed it.
        method text,
        target text,
        request_time text,
        signature text, -- the header
        body bytea,
        primary key (client_id, digest)
      );
      create index notifications_by_payment on notifications (client_id, payment_id) where payment_id is not null;
      create index notifications_by_payment_request on notifications (client_id, payment_request_id) where payment_request_id is not null;
      create index notifications_by_capture on notifications (client_id, capture_id) where capture_id is not null;
      create index notifications_by_position on notifications (position);
      create index notifications_not_applied on notifications (outcome, position) where outcome <> 'APPLIED';
      create index notifications_with_bytes on notifications (first_received_at) where body is not null and outcome <> 'FAILED';

      -- Derived from the facts, registrations and configuration: kept so that it can be queried.
      create table orders (
        client_id text collate "C" not null,
        order_key text collate "C" not null, -- the paymentId; while no payment names a registration, a space and its paymentRequestId
        payment_id text collate "C" generated always as (case when order_key not like ' %' then order_key end) stored,
        payment_request_id text collate "C",
        reference_order_id text,
        status text collate "C" not null,
        fulfillable boolean not null,
        next_action text collate "C" not null,
        currency text,
        payment_value numeric,
        captured_value numeric, -- in the order's currency
        expected_currency text,
        expected_value numeric,
        payment_time text, -- as APO wrote it
        authorization_expires_at timestamptz(3),
        attention text not null, -- codes, each between spaces; '' for none
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        position bigint not null, -- of its latest change; see positions.ts
        digest bytea not null,
        primary key (client_id, order_key)
      );
      create index orders_by_position on orders (position);
      create index orders_by_status on orders (status, position) where status <> 'CAPTURED';
      create index orders_with_attention on orders (position) where attention <> '';

      create table captures (
        client_id text collate "C" not null,
        order_key text collate "C" not null,
        capture_no integer not null,
        capture_id text collate "C",
        capture_request_id text collate "C",
        status text collate "C" not null,
        currency text,
        value numeric,
        capture_time text, -- as APO wrote it
        result_code text,
        primary key (client_id, order_key, capture_no),
        foreign key (client_id, order_key) references orders on delete cascade
      );

      create table registrations (
        client_id text collate "C" not null,
        payment_request_id text collate "C" not null,
        currency text not null,
        value text not null,
        reference_order_id text,
        capture_mode text,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        primary key (client_id, payment_request_id)
      );

      create table replaced_registrations (
        client_id text collate "C" not null,
        payment_request_id text collate "C" not null,
        currency text not null,
        value text not null,
        reference_order_id text,
        capture_mode text,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        replaced_at timestamptz(3) not null, -- never the same twice
        primary key (client_id, payment_request_id, replaced_at)
      );

      create table unverified (
        digest bytea primary key, -- SHA-256 over method, target, headers and body
        request bigint generated always as identity,
        reason text collate "C" not null,
        deliveries bigint not null,
        bytes bigint not null,
        first_received_at timestamptz(3) not null,
        last_received_at timestamptz(3) not null,
        method text not null,
        target text not null,
        headers text not null, -- JSON: every occurrence of the three
        body bytea not null
      );
      create index unverified_by_number on unverified (request);
      create index unverified_by_reason on unverified (reason, request);
      create index unverified_by_last_receipt on unverified (last_received_at);

      -- How full the unverified store is, without counting it each time.
      create table unverified_totals (
        reason text collate "C" primary key,
        bytes bigint not null
      );
      create function paynotify_add_unverified() returns trigger language plpgsql as $$
      begin
        insert into unverified_totals values (new.reason, new.bytes)
        on conflict (reason) do update set bytes = unverified_totals.bytes + excluded.bytes;
        return null;
      end $$;
      create function paynotify_subtract_unverified() returns trigger language plpgsql as $$
      begin
        update unverified_totals set bytes = bytes - old.bytes where reason = old.reason;
        return null;
      end $$;
      create trigger unverified_added after insert on unverified
        for each row execute function paynotify_add_unverified();
      create trigger unverified_removed after delete on unverified
        for each row execute function paynotify_subtract_unverified();
      create trigger unverified_left after update of reason on unverified
        for each row when (old.reason <> new.reason) execute function paynotify_subtract_unverified();
      create trigger unverified_moved after update of reason on unverified
        for each row when (old.reason <> new.reason) execute function paynotify_add_unverified();
    `,
  },
];

/** The version of this program, as databases count it: that of the newest migration it knows. */
export const PROGRAM = Math.max(...MIGRATIONS.map(({ version }) => version));
