-- +goose Up
ALTER TABLE achievement_credentials ADD COLUMN status_list uuid;
ALTER TABLE achievement_credentials ADD COLUMN status_index bigint;
ALTER TABLE achievement_credentials ADD COLUMN status_purpose text;
CREATE UNIQUE INDEX idx_credentials_status ON achievement_credentials (status_list, status_index);

CREATE TABLE issuance_status_lists (
    id         uuid PRIMARY KEY,
    issuer_id  uuid   NOT NULL,
    number     bigint NOT NULL,
    size       bigint NOT NULL,
    taken      bigint NOT NULL,
    seed       bytea  NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (issuer_id, number)
);

CREATE TABLE issuance_status_operations (
    id           uuid PRIMARY KEY,
    act          text   NOT NULL,
    purpose      text   NOT NULL,
    reason       text   NOT NULL,
    principal    text   NOT NULL,
    credentials  bigint NOT NULL,
    begins_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL
);

CREATE TABLE issuance_status_marks (
    list_id       uuid   NOT NULL,
    list_index    bigint NOT NULL,
    purpose       text   NOT NULL,
    ends_at       timestamptz NOT NULL,
    begins_at     timestamptz NOT NULL,
    credential_id uuid   NOT NULL,
    operation_id  uuid   NOT NULL,
    PRIMARY KEY (list_id, list_index, purpose, ends_at)
);

CREATE TABLE issuance_status_segments (
    list_id        uuid   NOT NULL,
    purpose        text   NOT NULL,
    number         bigint NOT NULL,
    changes        bigint NOT NULL,
    packed_changes bigint NOT NULL,
    packed         bytea,
    crc            bigint NOT NULL,
    PRIMARY KEY (list_id, purpose, number)
);

CREATE TABLE issuance_status_signed (
    list_id     uuid   NOT NULL,
    purpose     text   NOT NULL,
    changes     bigint NOT NULL,
    method      text   NOT NULL,
    document    text   NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    PRIMARY KEY (list_id, purpose)
);

-- +goose Down
DROP TABLE issuance_status_signed;
DROP TABLE issuance_status_segments;
DROP TABLE issuance_status_marks;
DROP TABLE issuance_status_operations;
DROP TABLE issuance_status_lists;
DROP INDEX idx_credentials_status;
ALTER TABLE achievement_credentials DROP COLUMN status_purpose;
ALTER TABLE achievement_credentials DROP COLUMN status_index;
ALTER TABLE achievement_credentials DROP COLUMN status_list;
