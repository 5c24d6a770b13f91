#!/usr/bin/python3
"""Keeps every reading of fieldpost once, in SQLite or PostgreSQL.

Needs python3-paho-mqtt (1.6 or 2.x), and for PostgreSQL python3-psycopg2. The password comes from MQTT_PASSWORD.

    readings-to-sql.py --host localhost --database readings.db
    readings-to-sql.py --host localhost --database postgresql://reader@localhost/readings

QoS 1 and a persistent session: the broker keeps what comes while this is away, as far as its queue goes. A message is
acknowledged when `on_message` returns, so after the commit: killed at any moment, what was not committed comes again.
What comes twice meets its primary key. The view `missing` lists what never came, with the gateway's reason if it told one.
"""

import argparse
import json
import os
import sqlite3
import ssl
import sys

import paho.mqtt.client as mqtt

SCHEMA = """
CREATE TABLE IF NOT EXISTS reading(
  gateway TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, device TEXT NOT NULL,
  time {time} NOT NULL, clock TEXT NOT NULL, "values" {json} NOT NULL, PRIMARY KEY(gateway, epoch, seq));
CREATE TABLE IF NOT EXISTS gap(
  gateway TEXT NOT NULL, epoch BIGINT NOT NULL, from_seq BIGINT NOT NULL, to_seq BIGINT NOT NULL,
  reason TEXT NOT NULL, PRIMARY KEY(gateway, epoch, from_seq, to_seq));
DROP VIEW IF EXISTS missing;
CREATE VIEW missing AS
SELECT gateway, epoch, prior + 1 AS from_seq, seq - 1 AS to_seq,
  (SELECT MIN(reason) FROM gap WHERE gap.gateway = hole.gateway AND gap.epoch = hole.epoch
    AND gap.from_seq < hole.seq AND gap.to_seq > hole.prior) AS reason
FROM (
  SELECT gateway, epoch, seq, COALESCE(
    LAG(seq) OVER (PARTITION BY gateway, epoch ORDER BY seq),
    -- What the gateway took before this began to listen is not missed; each later epoch begins with 1.
    CASE WHEN epoch = MIN(epoch) OVER (PARTITION BY gateway) THEN seq - 1 ELSE 0 END) AS prior
  FROM reading
) AS hole
WHERE seq > prior + 1;
"""

READING = 'INSERT INTO reading VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'
GAP = "INSERT INTO gap VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


class Sqlite:
    def __init__(self, path):
        self.connection = sqlite3.connect(path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        # In WAL only FULL has a commit on the disk before it returns.
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.executescript(SCHEMA.format(time="TEXT", json="TEXT"))

    def insert(self, statement, row):
        with self.connection:
            self.connection.execute(statement, row)


class Postgres:
    def __init__(self, dsn):
        import psycopg2

        self.connection = psycopg2.connect(dsn)
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(SCHEMA.format(time="TIMESTAMPTZ", json="JSONB"))

    def insert(self, statement, row):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(statement.replace("?", "%s"), row)


def reading_row(gateway, device, fields):
    numbers = int(fields["epoch"]), int(fields["seq"])
    return (gateway, *numbers, device, str(fields["time"]), str(fields["clock"]), json.dumps(fields["values"]))


def gap_row(gateway, fields):
    return gateway, int(fields["epoch"]), int(fields["from"]), int(fields["to"]), str(fields["reason"])


def store(database, topic, payload):
    """Rejects what is no reading with ValueError, KeyError or TypeError; what the database says goes through."""
    fields = json.loads(payload)
    *_, gateway, leaf = topic.split("/")
    if leaf != "gaps":
        *_, gateway, device, _ = topic.split("/")
        statement, row = READING, reading_row(gateway, device, fields)
    elif "consumer" in fields or "from" not in fields:
        return  # another consumer's loss, or one before any number was given
    else:
        statement, row = GAP, gap_row(gateway, fields)
    database.insert(statement, row)


def make_client(name):
    api = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
    return mqtt.Client(*api, client_id=name, clean_session=False, protocol=mqtt.MQTTv311)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="a file of SQLite, or postgresql://…")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username")
    parser.add_argument("--tls", action="store_true", help="verified against the system's authorities, or --ca")
    parser.add_argument("--ca", help="the authority's certificate")
    parser.add_argument("--base-topic", default="fieldpost")
    parser.add_argument("--client-id", default="readings-to-sql", help="the session's name: one for each database")
    options = parser.parse_args()

    is_postgres = options.database.startswith(("postgresql://", "postgres://"))
    database = (Postgres if is_postgres else Sqlite)(options.database)

    def on_connect(client, _data, _flags, reason, *_):
        if reason != 0:
            sys.exit(f"refused by the broker: {reason}")
        client.subscribe([(f"{options.base_topic}/+/+/readings", 1), (f"{options.base_topic}/+/gaps", 1)])

    def on_subscribe(*_):
        print("subscribed", flush=True)

    def on_message(_client, _data, message):
        try:
            store(database, message.topic, message.payload)
        except (ValueError, KeyError, TypeError) as error:
            print(f"{message.topic}: no reading: {error!r}", file=sys.stderr, flush=True)

    client = make_client(options.client_id)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    if options.username:
        client.username_pw_set(options.username, os.environ.get("MQTT_PASSWORD"))
    if options.tls or options.ca:
        client.tls_set(options.ca, cert_reqs=ssl.CERT_REQUIRED)
    client.connect(options.host, options.port)
    client.loop_forever()


if __name__ == "__main__":
    main()
