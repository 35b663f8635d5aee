-- What a server family wants to know besides: JSON, checked by its backend; empty for none.
ALTER TABLE account ADD COLUMN options TEXT NOT NULL DEFAULT '';

-- How its server is reached: JSON; empty: as everywhere.
ALTER TABLE account ADD COLUMN way TEXT NOT NULL DEFAULT '';

-- What the server calls it, where the topic is only its number there, and where its icon is.
ALTER TABLE subscription ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE subscription ADD COLUMN icon TEXT NOT NULL DEFAULT '';

-- Why a gap could not be filled, in a word; empty: it could.
ALTER TABLE gap ADD COLUMN missing TEXT NOT NULL DEFAULT '';
UPDATE gap SET missing = 'no_longer_held' WHERE incomplete <> 0;
ALTER TABLE gap DROP COLUMN incomplete;

-- Whether its user's account on the server has it, as last seen (0: not known, 1: it has, 2: it has not), and
-- under which of the server's addresses.
ALTER TABLE subscription ADD COLUMN there INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN place TEXT NOT NULL DEFAULT '';

-- What names the token there that took a password's place; empty: its user entered one.
ALTER TABLE account ADD COLUMN made_token TEXT NOT NULL DEFAULT '';

-- Pictures that were fetched. The files are beside the database, named by what is in them; several keys may
-- share one.
CREATE TABLE picture (
    -- SHA-256 of account, use and address: no address is kept twice.
    key TEXT NOT NULL PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    -- When its server drops it; 0: it does not say.
    expires_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX picture_account ON picture (account);
CREATE INDEX picture_file ON picture (file);
CREATE INDEX picture_used ON picture (used_at);

-- What the user set about accounts and subscriptions is in the preferences, a document of its own.
DELETE FROM setting WHERE key = 'preferences';
INSERT INTO setting (key, value)
SELECT 'preferences', json_object('version', 1, 'rows', json_group_array(json(said)))
FROM (
    SELECT json_patch(
        json_object('account', id),
        json_patch(
            CASE muted WHEN 0 THEN '{}' ELSE '{"mute":true}' END,
            CASE min_tier WHEN 1 THEN '{"min_tier":"important"}' WHEN 2 THEN '{"min_tier":"critical"}' ELSE '{}' END
        )
    ) AS said
    FROM account WHERE muted <> 0 OR min_tier <> 0
    UNION ALL
    SELECT json_patch(
        json_object('account', account, 'subscription', id),
        json_patch(
            CASE muted WHEN 0 THEN '{}' ELSE '{"mute":true}' END,
            CASE min_tier WHEN 1 THEN '{"min_tier":"important"}' WHEN 2 THEN '{"min_tier":"critical"}' ELSE '{}' END
        )
    )
    FROM subscription WHERE muted <> 0 OR min_tier <> 0
)
HAVING count(*) > 0;
ALTER TABLE account DROP COLUMN muted;
ALTER TABLE account DROP COLUMN min_tier;
ALTER TABLE subscription DROP COLUMN muted;
ALTER TABLE subscription DROP COLUMN min_tier;

-- The types of each subscription, as they came, and how they are treated. Unread and critical are kept as rows
-- change, as in the tally.
CREATE TABLE kind (
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    came         INTEGER NOT NULL DEFAULT 0,   -- ever
    opened       INTEGER NOT NULL DEFAULT 0,   -- of these, by the user
    unread       INTEGER NOT NULL DEFAULT 0,
    critical     INTEGER NOT NULL DEFAULT 0,   -- of the unread
    ask          INTEGER NOT NULL DEFAULT 0,   -- the user has not said yet what to do with it: its first notification
    PRIMARY KEY (subscription, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX kind_unread ON kind (subscription) WHERE unread > 0;
INSERT INTO kind (subscription, kind, first_at, last_at, came, opened, unread, critical)
SELECT subscription, kind, min(received_at), max(received_at), count(*), sum(read_at <> 0), sum(unread),
       sum(unread AND tier = 2)
FROM notification WHERE class = 0 GROUP BY subscription, kind;

-- The tier that a notification's backend said; `tier` is what the preferences made of it when it came.
ALTER TABLE notification ADD COLUMN given_tier INTEGER NOT NULL DEFAULT 0;
UPDATE notification SET given_tier = tier;

-- What was said, in a number; 0 where it is nobody's twin.
ALTER TABLE delivery ADD COLUMN fingerprint INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_fingerprint ON delivery (fingerprint) WHERE fingerprint <> 0;

-- When a toast was made: its type's window opened then.
ALTER TABLE toast ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;
UPDATE toast SET made_at = pending_at;
CREATE INDEX toast_batch ON toast (batch, id) WHERE batch <> '';

-- Snoozed: out of the inbox until a time; -1: until the session is unlocked, -2: until a server is connected
-- again; 0: not snoozed. Where a row belongs, and whether it counts, follows from it: both are computed anew.
DROP TRIGGER notification_added;
DROP TRIGGER notification_changed;
DROP TRIGGER notification_removed;
DROP INDEX notification_place;
DROP INDEX notification_account;
DROP INDEX notification_subscription;
DROP INDEX notification_unread;
DROP INDEX notification_unread_account;
DROP INDEX notification_unread_subscription;
DROP INDEX notification_critical_backfill;
ALTER TABLE notification DROP COLUMN place;
ALTER TABLE notification DROP COLUMN unread;
ALTER TABLE notification ADD COLUMN snoozed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notification ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;
-- 0 inbox, 1 archive, 2 deleted, 3 hidden, 4 snoozed
ALTER TABLE notification ADD COLUMN place INTEGER NOT NULL GENERATED ALWAYS AS (
    CASE WHEN deleted_at <> 0 THEN 2 WHEN class = 1 THEN 3 WHEN done_at <> 0 THEN 1 WHEN snoozed <> 0 THEN 4 ELSE 0 END
) VIRTUAL;
ALTER TABLE notification ADD COLUMN unread INTEGER NOT NULL GENERATED ALWAYS AS (
    deleted_at = 0 AND class = 0 AND done_at = 0 AND read_at = 0 AND snoozed = 0
) VIRTUAL;
CREATE INDEX notification_place ON notification (place, sorted_at);
CREATE INDEX notification_account ON notification (account, place, sorted_at);
CREATE INDEX notification_subscription ON notification (subscription, place, sorted_at);
CREATE INDEX notification_unread ON notification (sorted_at) WHERE unread = 1;
CREATE INDEX notification_unread_account ON notification (account, sorted_at) WHERE unread = 1;
CREATE INDEX notification_unread_subscription ON notification (subscription, sorted_at) WHERE unread = 1;
CREATE INDEX notification_critical_backfill ON notification (sorted_at)
    WHERE unread = 1 AND tier = 2 AND origin = 1;
CREATE TRIGGER notification_added AFTER INSERT ON notification BEGIN
    UPDATE tally SET
        inbox    = inbox    + (new.place = 0),
        archive  = archive  + (new.place = 1),
        unread   = unread   + new.unread,
        critical = critical + (new.unread AND new.tier = 2)
    WHERE subscription = new.subscription;
END;
CREATE TRIGGER notification_changed AFTER UPDATE OF class, tier, read_at, done_at, deleted_at, snoozed ON notification
BEGIN
    UPDATE tally SET
        inbox    = inbox    + (new.place = 0) - (old.place = 0),
        archive  = archive  + (new.place = 1) - (old.place = 1),
        unread   = unread   + new.unread - old.unread,
        critical = critical + (new.unread AND new.tier = 2) - (old.unread AND old.tier = 2)
    WHERE subscription = new.subscription;
END;
CREATE TRIGGER notification_removed AFTER DELETE ON notification BEGIN
    UPDATE tally SET
        inbox    = inbox    - (old.place = 0),
        archive  = archive  - (old.place = 1),
        unread   = unread   - old.unread,
        critical = critical - (old.unread AND old.tier = 2)
    WHERE subscription = old.subscription;
END;
CREATE TRIGGER kind_came AFTER INSERT ON notification WHEN new.class = 0 BEGIN
    INSERT INTO kind (subscription, kind, first_at, last_at, came, unread, critical)
    VALUES (new.subscription, new.kind, new.received_at, new.received_at, 1, new.unread, new.unread AND new.tier = 2)
    ON CONFLICT (subscription, kind) DO UPDATE SET
        last_at  = max(last_at, excluded.last_at),
        came     = came + 1,
        unread   = unread + excluded.unread,
        critical = critical + excluded.critical;
END;
CREATE TRIGGER kind_changed AFTER UPDATE OF class, kind, tier, read_at, done_at, deleted_at, snoozed ON notification
WHEN new.class = 0 OR old.class = 0 BEGIN
    UPDATE kind SET unread = unread - old.unread, critical = critical - (old.unread AND old.tier = 2)
    WHERE subscription = old.subscription AND kind = old.kind;
    INSERT INTO kind (subscription, kind, first_at, last_at, came, unread, critical)
    VALUES (new.subscription, new.kind, new.received_at, new.received_at, new.kind <> old.kind, new.unread,
            new.unread AND new.tier = 2)
    ON CONFLICT (subscription, kind) DO UPDATE SET
        came     = came + excluded.came,
        unread   = unread + excluded.unread,
        critical = critical + excluded.critical;
END;
CREATE TRIGGER kind_removed AFTER DELETE ON notification WHEN old.unread BEGIN
    UPDATE kind SET unread = unread - 1, critical = critical - (old.tier = 2)
    WHERE subscription = old.subscription AND kind = old.kind;
END;
ALTER TABLE undo_row ADD COLUMN snoozed INTEGER NOT NULL DEFAULT 0;

-- The user asked for what waits; and when a critical one that stays unread rings again, and how often it has.
ALTER TABLE delivery ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN again_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN rung INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_again ON delivery (again_at) WHERE again_at <> 0;

-- Subscriptions over their limit: since when, and the last time.
CREATE TABLE storm (
    subscription INTEGER PRIMARY KEY REFERENCES subscription (id) ON DELETE CASCADE,
    since        INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    dismissed    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX ledger_at ON ledger (at);
