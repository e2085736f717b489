#!/usr/bin/python3
"""Listens for requests, shows each to a person, and decides as that person.

    approver.py [--webhook URL] [--decide] [CONNECTION]

CONNECTION is a libpq connection string of the control database, for the approver's own role: whoever it logs in
as is who decides. Each request is printed, or with --webhook posted as JSON; with --decide it is asked about on the
terminal: a (approve), r (reject), anything else leaves it. Needs psycopg2.

A notice is only a hint that there is something to see. What is shown is read from hoopguard.request under the
approver's own rights, so that a forged notice shows nothing; and what was missed while the connection was down is
caught up with, because every pending request that was not seen yet is read after each (re)connection.
"""
import argparse
import json
import select
import sys
import time
import urllib.request

import psycopg2
import psycopg2.extras

PATIENCE = 30  # seconds without a notice before looking anyway
FACTS = """SELECT id, kind, actor, actor_kind, role, database, client_addr, application_name, classes, objects,
                  estimated_rows, reason, request_id, guardrail, statement, parameters, plan, access_role, unmask,
                  duration::text, votes, min_approvals, created_at::text, expires_at::text
             FROM hoopguard.request WHERE state = 'pending' AND expires_at > now() ORDER BY id"""


class Approver:
    def __init__(self, arguments):
        self.arguments = arguments
        self.seen = set()

    def run(self):
        pause = 1
        while True:
            try:
                with_connection = psycopg2.connect(self.arguments.connection)
                pause = 1
                self.listen(with_connection)
            except psycopg2.OperationalError as error:
                print(f"connection lost, again in {pause} s: {str(error).strip()}", file=sys.stderr, flush=True)
                time.sleep(pause)
                pause = min(2 * pause, 60)

    def listen(self, connection):
        connection.autocommit = True
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        # First the ear, then the look: what comes in between is heard.
        cursor.execute("LISTEN hoopguard_request")
        print("listening", file=sys.stderr, flush=True)
        while True:
            self.catch_up(cursor)
            select.select([connection], [], [], PATIENCE)
            connection.poll()
            connection.notifies.clear()

    def catch_up(self, cursor):
        cursor.execute(FACTS)
        for request in cursor.fetchall():
            if request["id"] not in self.seen:
                self.seen.add(request["id"])
                self.tell(request)
                if self.arguments.decide:
                    self.decide(cursor, request)

    def tell(self, request):
        facts = {name: value for name, value in request.items() if value not in (None, [], "")}
        if self.arguments.webhook:
            body = json.dumps(facts, default=str).encode()
            post = urllib.request.Request(self.arguments.webhook, body, {"Content-Type": "application/json"})
            try:
                urllib.request.urlopen(post, timeout=10).close()
            except OSError as error:
                # Told at the next look, as if it had not been seen.
                self.seen.discard(request["id"])
                print(f"request {request['id']}: {error}", file=sys.stderr, flush=True)
            return
        print(f"\n--- request {request['id']} ---")
        for name, value in facts.items():
            # Control characters of somebody else's text must not command this terminal.
            text = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in str(value))
            print(f"{name:>16}: " + text.replace("\n", "\n" + " " * 18))
        sys.stdout.flush()

    def decide(self, cursor, request):
        answer = input("approve (a), reject (r), leave (other)? ").strip()
        function = {"a": "approve", "r": "reject"}.get(answer)
        if function is None:
            return
        comment = input("comment: ").strip() or None
        try:
            cursor.execute(f"SELECT hoopguard.{function}(%s, %s) AS state", (request["id"], comment))
            print(f"request {request['id']} is {cursor.fetchone()['state']}", flush=True)
        except psycopg2.OperationalError:
            raise
        except psycopg2.Error as error:
            print(str(error).strip(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--webhook", metavar="URL", help="post each request there as JSON")
    parser.add_argument("--decide", action="store_true", help="ask on the terminal and decide")
    parser.add_argument("connection", nargs="?", default="")
    try:
        Approver(parser.parse_args()).run()
    except (KeyboardInterrupt, EOFError):
        sys.exit(0)
