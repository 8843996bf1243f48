-- +goose Up
ALTER TABLE achievement_credentials ADD COLUMN status_list text;
ALTER TABLE achievement_credentials ADD COLUMN status_index integer;
ALTER TABLE achievement_credentials ADD COLUMN status_purpose text;
CREATE UNIQUE INDEX idx_credentials_status ON achievement_credentials (status_list, status_index);

CREATE TABLE issuance_status_lists (
    id         text PRIMARY KEY,
    issuer_id  text NOT NULL,
    number     integer NOT NULL,
    size       integer NOT NULL,
    taken      integer NOT NULL,
    seed       blob  NOT NULL,
    created_at datetime NOT NULL,
    UNIQUE (issuer_id, number)
);

CREATE TABLE issuance_status_operations (
    id           text PRIMARY KEY,
    act          text   NOT NULL,
    purpose      text   NOT NULL,
    reason       text   NOT NULL,
    principal    text   NOT NULL,
    credentials  integer NOT NULL,
    begins_at    datetime NOT NULL,
    ends_at      datetime NOT NULL
);

CREATE TABLE issuance_status_marks (
    list_id       text NOT NULL,
    list_index    integer NOT NULL,
    purpose       text   NOT NULL,
    ends_at       datetime NOT NULL,
    begins_at     datetime NOT NULL,
    credential_id text NOT NULL,
    operation_id  text NOT NULL,
    PRIMARY KEY (list_id, list_index, purpose, ends_at)
);

CREATE TABLE issuance_status_segments (
    list_id        text NOT NULL,
    purpose        text   NOT NULL,
    number         integer NOT NULL,
    changes        integer NOT NULL,
    packed_changes integer NOT NULL,
    packed         blob,
    crc            integer NOT NULL,
    PRIMARY KEY (list_id, purpose, number)
);

CREATE TABLE issuance_status_signed (
    list_id     text NOT NULL,
    purpose     text   NOT NULL,
    changes     integer NOT NULL,
    method      text   NOT NULL,
    document    text   NOT NULL,
    valid_from  datetime NOT NULL,
    valid_until datetime NOT NULL,
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
