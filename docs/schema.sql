-- The schema as SQLite has it. Written by the store's tests (UPDATE_SCHEMA=1); the reasons are in
-- src-tauri/core/src/store/migrations.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    sign_in      TEXT    NOT NULL,               -- JSON, never the secret
    secrets      TEXT    NOT NULL,
    header_names TEXT    NOT NULL DEFAULT '[]',  -- JSON
    transport    TEXT    NOT NULL DEFAULT '',
    allow_http   INTEGER NOT NULL DEFAULT 0,
    disabled     INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL
, options TEXT NOT NULL DEFAULT '', way TEXT NOT NULL DEFAULT '', made_token TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE subscription (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    topic      TEXT    NOT NULL,
    name       TEXT    NOT NULL DEFAULT '',
    cursor     TEXT    NOT NULL DEFAULT '',      -- opaque
    filled     INTEGER NOT NULL DEFAULT 0,       -- cursor holds a position
    problem    TEXT    NOT NULL DEFAULT '',      -- what the server said about this topic alone
    active     INTEGER NOT NULL DEFAULT 1,       -- 0: left, its rows stay
    since_at   INTEGER NOT NULL DEFAULT 0,       -- unbroken since
    alive_at   INTEGER NOT NULL DEFAULT 0,       -- last known alive
    reused_ids INTEGER NOT NULL DEFAULT 0,       -- the server used an id again for another text
    created_at INTEGER NOT NULL, label TEXT NOT NULL DEFAULT '', icon TEXT NOT NULL DEFAULT '', there INTEGER NOT NULL DEFAULT 0, place TEXT NOT NULL DEFAULT '',
    UNIQUE (account, topic)
) STRICT;

CREATE TABLE gap (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    from_at      INTEGER NOT NULL,
    to_at        INTEGER NOT NULL DEFAULT 0,     -- 0: still away
    filled       INTEGER NOT NULL DEFAULT 0,
    missing TEXT NOT NULL DEFAULT '') STRICT;

CREATE INDEX gap_of ON gap (subscription, id);

CREATE TABLE notification (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of arrival
    account      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    remote_id    TEXT    NOT NULL,
    replace_key  TEXT    NOT NULL DEFAULT '',        -- '': the remote_id
    version      INTEGER NOT NULL DEFAULT 0,
    class        INTEGER NOT NULL DEFAULT 0,         -- 0 persistent, 1 ephemeral
    origin       INTEGER NOT NULL DEFAULT 0,         -- 0 live, 1 backfill, 2 first filling
    kind         TEXT    NOT NULL DEFAULT '',
    tier         INTEGER NOT NULL DEFAULT 0,         -- 0 informational, 1 important, 2 critical
    priority     INTEGER NOT NULL DEFAULT 3,
    format       INTEGER NOT NULL DEFAULT 0,         -- 0 plain, 1 markdown
    silent       INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,                   -- as the server said
    received_at  INTEGER NOT NULL,
    sorted_at    INTEGER NOT NULL,                   -- created_at, never later than received_at
    expires_at   INTEGER NOT NULL DEFAULT 0,
    seen_at      INTEGER NOT NULL DEFAULT 0,
    read_at      INTEGER NOT NULL DEFAULT 0,
    done_at      INTEGER NOT NULL DEFAULT 0,
    deleted_at   INTEGER NOT NULL DEFAULT 0,
    revisions    INTEGER NOT NULL DEFAULT 0,
    -- 0 inbox, 1 archive, 2 deleted, 3 hidden
    given_tier INTEGER NOT NULL DEFAULT 0, snoozed INTEGER NOT NULL DEFAULT 0, opened_at INTEGER NOT NULL DEFAULT 0, place INTEGER NOT NULL GENERATED ALWAYS AS (
    CASE WHEN deleted_at <> 0 THEN 2 WHEN class = 1 THEN 3 WHEN done_at <> 0 THEN 1 WHEN snoozed <> 0 THEN 4 ELSE 0 END
) VIRTUAL, unread INTEGER NOT NULL GENERATED ALWAYS AS (
    deleted_at = 0 AND class = 0 AND done_at = 0 AND read_at = 0 AND snoozed = 0
) VIRTUAL) STRICT;

CREATE UNIQUE INDEX notification_remote ON notification (subscription, remote_id);

CREATE UNIQUE INDEX notification_replaces ON notification (subscription, replace_key) WHERE replace_key <> '';

CREATE INDEX notification_kind ON notification (account, kind, sorted_at);

CREATE INDEX notification_deleted ON notification (deleted_at) WHERE deleted_at <> 0;

CREATE TABLE content (
    id         INTEGER PRIMARY KEY REFERENCES notification (id) ON DELETE CASCADE,
    url        TEXT NOT NULL DEFAULT '',
    icon       TEXT NOT NULL DEFAULT '',
    actions    TEXT NOT NULL DEFAULT '[]',  -- JSON
    attachment TEXT NOT NULL DEFAULT '',    -- JSON
    tags       TEXT NOT NULL DEFAULT '[]',  -- JSON
    title      TEXT NOT NULL DEFAULT '',
    body       TEXT NOT NULL DEFAULT '',
    raw        TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (
    title, body, tags,
    content = 'content', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2"
);

CREATE TRIGGER content_added AFTER INSERT ON content BEGIN
    INSERT INTO search (rowid, title, body, tags) VALUES (new.id, new.title, new.body, new.tags);
END;

CREATE TRIGGER content_removed AFTER DELETE ON content BEGIN
    INSERT INTO search (search, rowid, title, body, tags) VALUES ('delete', old.id, old.title, old.body, old.tags);
END;

CREATE TRIGGER content_changed AFTER UPDATE OF title, body, tags ON content BEGIN
    INSERT INTO search (search, rowid, title, body, tags) VALUES ('delete', old.id, old.title, old.body, old.tags);
    INSERT INTO search (rowid, title, body, tags) VALUES (new.id, new.title, new.body, new.tags);
END;

CREATE TABLE revision (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    notification INTEGER NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
    replaced_at  INTEGER NOT NULL,
    title        TEXT    NOT NULL,
    body         TEXT    NOT NULL
) STRICT;

CREATE INDEX revision_of ON revision (notification, id);

CREATE TABLE alias (
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    remote_id    TEXT    NOT NULL,
    notification INTEGER NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
    PRIMARY KEY (subscription, remote_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX alias_of ON alias (notification);

CREATE TABLE tombstone (
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    remote_id    TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (subscription, remote_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_at ON tombstone (at);

CREATE TABLE mark (
    subscription    INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    replace_key     TEXT    NOT NULL,
    read_version    INTEGER NOT NULL DEFAULT -9223372036854775808,
    deleted_version INTEGER NOT NULL DEFAULT -9223372036854775808,
    at              INTEGER NOT NULL,
    PRIMARY KEY (subscription, replace_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX mark_at ON mark (at);

CREATE TABLE tally (
    subscription INTEGER PRIMARY KEY REFERENCES subscription (id) ON DELETE CASCADE,
    inbox        INTEGER NOT NULL DEFAULT 0,
    archive      INTEGER NOT NULL DEFAULT 0,
    unread       INTEGER NOT NULL DEFAULT 0,
    critical     INTEGER NOT NULL DEFAULT 0   -- of the unread
) STRICT;

CREATE TRIGGER subscription_added AFTER INSERT ON subscription BEGIN
    INSERT INTO tally (subscription) VALUES (new.id);
END;

CREATE TABLE undo (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    change TEXT    NOT NULL
) STRICT;

CREATE TABLE undo_row (
    step         INTEGER NOT NULL REFERENCES undo (id) ON DELETE CASCADE,
    notification INTEGER NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
    read_at      INTEGER NOT NULL,
    done_at      INTEGER NOT NULL, snoozed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (step, notification)
) STRICT, WITHOUT ROWID;

CREATE INDEX undo_row_of ON undo_row (notification);

CREATE TABLE delivery (
    notification INTEGER PRIMARY KEY REFERENCES notification (id) ON DELETE CASCADE,
    state        TEXT    NOT NULL,
    due_at       INTEGER NOT NULL DEFAULT 0,   -- of a hold; 0: when its cause ends
    batch        TEXT    NOT NULL DEFAULT '',
    cause        TEXT    NOT NULL DEFAULT '',  -- JSON
    shown_at     INTEGER NOT NULL DEFAULT 0,
    says         TEXT    NOT NULL DEFAULT '', fingerprint INTEGER NOT NULL DEFAULT 0, wanted INTEGER NOT NULL DEFAULT 0, again_at INTEGER NOT NULL DEFAULT 0, rung INTEGER NOT NULL DEFAULT 0,  -- why it was dropped
    CHECK (state IN ('ready', 'held', 'inbox', 'shown', 'dropped'))
) STRICT;

CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'held' AND due_at <> 0;

CREATE INDEX delivery_batch ON delivery (batch) WHERE state = 'held';

CREATE TABLE ledger (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    notification INTEGER NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
    at           INTEGER NOT NULL,
    disposition  TEXT    NOT NULL,  -- JSON
    trace        TEXT    NOT NULL   -- JSON
) STRICT;

CREATE INDEX ledger_of ON ledger (notification, id);

CREATE TABLE bucket (
    name   TEXT    PRIMARY KEY NOT NULL,  -- overall, critical, or a subscription's id
    tokens REAL    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE toast (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    batch      TEXT    NOT NULL DEFAULT '',
    tier       INTEGER NOT NULL,
    sound      INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    pending_at INTEGER NOT NULL,             -- waits since
    shown_at   INTEGER NOT NULL DEFAULT 0,   -- first shown
    closed_at  INTEGER NOT NULL DEFAULT 0, made_at INTEGER NOT NULL DEFAULT 0,
    CHECK (state IN ('pending', 'claimed', 'shown', 'closed'))
) STRICT;

CREATE INDEX toast_pending ON toast (pending_at) WHERE state = 'pending';

CREATE INDEX toast_open ON toast (batch) WHERE state <> 'closed';

CREATE INDEX toast_closed ON toast (closed_at) WHERE state = 'closed';

CREATE TABLE toast_member (
    toast        INTEGER NOT NULL REFERENCES toast (id) ON DELETE CASCADE,
    notification INTEGER NOT NULL REFERENCES delivery (notification) ON DELETE CASCADE,
    told         INTEGER NOT NULL DEFAULT 0,  -- 0 not yet, 1 on its way to the screen, 2 shown
    PRIMARY KEY (toast, notification)
) STRICT, WITHOUT ROWID;

CREATE INDEX toast_member_of ON toast_member (notification);

CREATE INDEX toast_member_told ON toast_member (toast, told) WHERE told <> 2;

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    notification INTEGER NOT NULL,
    replace_key  TEXT    NOT NULL,
    mirror       TEXT    NOT NULL,
    also_read    INTEGER NOT NULL DEFAULT 0,  -- a delete that took the place of a read
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    gave_up      INTEGER NOT NULL DEFAULT 0,
    says         TEXT    NOT NULL DEFAULT '',
    UNIQUE (subscription, replace_key)
) STRICT;

CREATE INDEX outbox_account ON outbox (account, id) WHERE gave_up = 0;

CREATE INDEX outbox_due ON outbox (due_at) WHERE gave_up = 0;

CREATE INDEX outbox_of ON outbox (notification);

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

CREATE INDEX delivery_fingerprint ON delivery (fingerprint) WHERE fingerprint <> 0;

CREATE INDEX toast_batch ON toast (batch, id) WHERE batch <> '';

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

CREATE INDEX delivery_again ON delivery (again_at) WHERE again_at <> 0;

CREATE TABLE storm (
    subscription INTEGER PRIMARY KEY REFERENCES subscription (id) ON DELETE CASCADE,
    since        INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    dismissed    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX ledger_at ON ledger (at);
