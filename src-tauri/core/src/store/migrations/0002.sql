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
