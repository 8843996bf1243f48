-- +goose Up
CREATE TABLE issuance_batches (
    id              text PRIMARY KEY,
    owner           text    NOT NULL,
    idempotency_key text,
    request_hash    text,
    dry_run         boolean NOT NULL,
    state           text    NOT NULL,
    total           integer  NOT NULL,
    processed       integer  NOT NULL,
    succeeded       integer  NOT NULL,
    failed          integer  NOT NULL,
    trouble         text    NOT NULL,
    lease_until     datetime NOT NULL,
    created_at      datetime NOT NULL,
    updated_at      datetime NOT NULL,
    UNIQUE (owner, idempotency_key)
);
CREATE INDEX idx_issuance_batches_created ON issuance_batches (created_at, id);
CREATE INDEX idx_issuance_batches_running ON issuance_batches (lease_until) WHERE state = 'running';

CREATE TABLE issuance_batch_lines (
    batch_id      text NOT NULL,
    number        integer NOT NULL,
    state         text   NOT NULL,
    credential_id text NOT NULL,
    sealed        blob,
    problem       text,
    PRIMARY KEY (batch_id, number)
);

-- +goose Down
DROP TABLE issuance_batch_lines;
DROP TABLE issuance_batches;
