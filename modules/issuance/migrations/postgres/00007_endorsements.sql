-- +goose Up
CREATE TABLE issuance_endorsements (
    id             uuid PRIMARY KEY,
    endorser_id    uuid   NOT NULL,
    subject_kind   text   NOT NULL,
    subject_id     uuid   NOT NULL,
    subject_issuer uuid   NOT NULL,
    subject_uri    text   NOT NULL,
    subject_name   text   NOT NULL,
    state          text   NOT NULL,
    note           text   NOT NULL,
    document       text,
    token          text,
    valid_from     timestamptz,
    valid_until    timestamptz,
    status_list    uuid,
    status_index   bigint,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    UNIQUE (status_list, status_index)
);
CREATE INDEX idx_issuance_endorsements_endorser ON issuance_endorsements (endorser_id, created_at, id);
CREATE INDEX idx_issuance_endorsements_subject ON issuance_endorsements (subject_id, created_at, id);
CREATE INDEX idx_issuance_endorsements_created ON issuance_endorsements (created_at, id);

-- +goose Down
DROP TABLE issuance_endorsements;
