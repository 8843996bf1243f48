-- +goose Up

-- The people of the organisation. Operators query email, name and is_active.
-- doc is the resource as it is answered; everything else is there to find it by,
-- written in the same statement. What ends in _fold, and the texts in search, were
-- folded by the program, since engines fold differently.
CREATE TABLE users (
    id               text PRIMARY KEY,
    user_name        text NOT NULL,
    user_name_fold   text NOT NULL,
    external_id      text,
    external_id_fold text,
    email            text,
    name             text NOT NULL,
    is_active        boolean NOT NULL,
    is_linked        boolean NOT NULL, -- external_id is an object id of Entra
    doc              text NOT NULL,
    search           text NOT NULL,
    version          integer NOT NULL,
    created_us       integer NOT NULL,
    modified_us      integer NOT NULL
);
CREATE UNIQUE INDEX idx_users_user_name ON users (user_name_fold);
CREATE INDEX idx_users_external_id ON users (external_id_fold);
CREATE INDEX idx_users_inactive ON users (id) WHERE NOT is_active;
CREATE INDEX idx_users_unlinked ON users (id) WHERE NOT is_linked;

-- Values of multi-valued attributes by which users are looked up, cut off where an
-- index could not hold them.
CREATE TABLE scim_user_values (
    attribute  text NOT NULL,
    value_fold text NOT NULL,
    user_id    text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (attribute, value_fold, user_id)
) WITHOUT ROWID;
CREATE INDEX idx_scim_user_values_user ON scim_user_values (user_id);

-- name_key is display_name_fold while no two groups may bear one name, else NULL.
CREATE TABLE groups (
    id                text PRIMARY KEY,
    display_name      text NOT NULL,
    display_name_fold text NOT NULL,
    name_key          text,
    external_id       text,
    external_id_fold  text,
    member_count      integer NOT NULL,
    is_linked         boolean NOT NULL,
    doc               text NOT NULL,
    search            text NOT NULL,
    version           integer NOT NULL,
    created_us        integer NOT NULL,
    modified_us       integer NOT NULL
);
CREATE UNIQUE INDEX idx_groups_name_key ON groups (name_key);
CREATE INDEX idx_groups_display_name ON groups (display_name_fold);
CREATE INDEX idx_groups_external_id ON groups (external_id_fold);
CREATE INDEX idx_groups_unlinked ON groups (id) WHERE NOT is_linked;

-- A member is a user or another group, hence no foreign key on it.
CREATE TABLE scim_group_members (
    group_id    text NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    member_id   text NOT NULL,
    member_type text NOT NULL CHECK (member_type IN ('User', 'Group')),
    PRIMARY KEY (group_id, member_id)
) WITHOUT ROWID;
CREATE INDEX idx_scim_group_members_member ON scim_group_members (member_id);

-- What a list of members is compared with while it replaces another; always empty
-- outside of the unit that does so.
CREATE TABLE scim_member_stage (
    stage_id    text NOT NULL,
    member_id   text NOT NULL,
    member_type text NOT NULL,
    PRIMARY KEY (stage_id, member_id)
) WITHOUT ROWID;

-- Who provisions, and what was refused lately; both are written down now and then.
CREATE TABLE scim_contacts (
    principal  text PRIMARY KEY,
    first_at   datetime NOT NULL,
    last_at    datetime NOT NULL,
    requests   integer NOT NULL,
    failures   integer NOT NULL
);
CREATE TABLE scim_failures (
    id         text PRIMARY KEY,
    at         datetime NOT NULL,
    principal  text NOT NULL,
    request_id text NOT NULL,
    method     text NOT NULL,
    route      text NOT NULL,
    status     integer NOT NULL,
    scim_type  text NOT NULL,
    code       text NOT NULL,
    detail     text NOT NULL,
    request    text NOT NULL,
    count      integer NOT NULL
);

-- +goose Down
DROP TABLE scim_failures;
DROP TABLE scim_contacts;
DROP TABLE scim_member_stage;
DROP TABLE scim_group_members;
DROP TABLE groups;
DROP TABLE scim_user_values;
DROP TABLE users;
