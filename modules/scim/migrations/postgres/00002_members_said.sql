-- +goose Up
-- What a client said of a member beyond its id: 1 its type, 2 its address. What it said it finds again; what it did
-- not say would confuse it.
ALTER TABLE scim_group_members ADD COLUMN said smallint NOT NULL DEFAULT 0;
ALTER TABLE scim_member_stage ADD COLUMN said smallint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE scim_member_stage DROP COLUMN said;
ALTER TABLE scim_group_members DROP COLUMN said;
