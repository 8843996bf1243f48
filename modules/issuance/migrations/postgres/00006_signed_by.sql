-- +goose Up
UPDATE achievement_credentials SET key_ids = (
    SELECT CAST(k.id AS text) FROM issuance_keys k
    WHERE k.issuer_id = achievement_credentials.issuer_id AND achievement_credentials.document LIKE '%#' || k.multikey || '"%'
    LIMIT 1)
WHERE key_ids IS NULL AND document IS NOT NULL;

-- +goose Down
SELECT 1;
