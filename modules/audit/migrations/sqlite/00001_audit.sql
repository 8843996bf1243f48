-- +goose Up

-- Events that were recorded with their deeds and wait for their place in the chain.
CREATE TABLE audit_pending (
    id             text PRIMARY KEY,
    at             datetime NOT NULL,
    principal      text NOT NULL,
    principal_kind text NOT NULL,
    action         text NOT NULL,
    target         text NOT NULL,
    outcome        text NOT NULL,
    reason         text NOT NULL,
    detail         text NOT NULL,
    remote_ip      text NOT NULL,
    request_id     text NOT NULL,
    count          integer NOT NULL,
    mark           blob NOT NULL
);

-- The chain: rows are inserted and never changed.
CREATE TABLE audit_events (
    sequence       integer PRIMARY KEY,
    id             text NOT NULL,
    at             datetime NOT NULL,
    principal      text NOT NULL,
    principal_kind text NOT NULL,
    action         text NOT NULL,
    target         text NOT NULL,
    outcome        text NOT NULL,
    reason         text NOT NULL,
    detail         text NOT NULL,
    remote_ip      text NOT NULL,
    request_id     text NOT NULL,
    count          integer NOT NULL,
    forged         boolean NOT NULL,
    hash           blob NOT NULL
);
CREATE INDEX idx_audit_events_id ON audit_events (id);
CREATE INDEX idx_audit_events_at ON audit_events (at);
CREATE INDEX idx_audit_events_principal ON audit_events (principal, sequence);
CREATE INDEX idx_audit_events_target ON audit_events (target, sequence);

-- The last link of the chain; whoever seals holds this row.
CREATE TABLE audit_head (
    id        integer PRIMARY KEY CHECK (id = 1),
    sequence  integer NOT NULL,
    hash      blob NOT NULL,
    signature blob NOT NULL
);
INSERT INTO audit_head (id, sequence, hash, signature) VALUES (1, 0, x'', x'');

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit_events;
DROP TABLE audit_pending;
