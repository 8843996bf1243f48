-- +goose Up
CREATE TABLE issuance_forms (
    issuer_id text PRIMARY KEY,
    form      text NOT NULL
);
ALTER TABLE achievement_credentials ADD COLUMN holder_document text;
ALTER TABLE achievement_credentials ADD COLUMN token text;
ALTER TABLE achievement_credentials ADD COLUMN key_ids text;
ALTER TABLE achievement_credentials ADD COLUMN form text;

-- +goose Down
ALTER TABLE achievement_credentials DROP COLUMN form;
ALTER TABLE achievement_credentials DROP COLUMN key_ids;
ALTER TABLE achievement_credentials DROP COLUMN token;
ALTER TABLE achievement_credentials DROP COLUMN holder_document;
DROP TABLE issuance_forms;
