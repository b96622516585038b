-- What a search asks of every record that has one of its words, without the pages of the texts.
CREATE INDEX records_for_search ON records (id, active, kind);
