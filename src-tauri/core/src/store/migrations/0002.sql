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
