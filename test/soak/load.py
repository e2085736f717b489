"""The kinds of load of test/soak/run, each a thread that counts what it did and notes what went wrong. A lost connection is
no problem: backends are killed on purpose."""
import random
import re
import threading
import time

import psycopg2

READS = [
    ("SELECT name, email, card, city FROM customer WHERE id = %(id)s", "name email card city"),
    ("SELECT x AS innocent, city FROM (SELECT email AS x, city FROM customer WHERE id = %(id)s) AS t", "email city"),
    ("WITH c AS MATERIALIZED (SELECT * FROM customer) SELECT card, name FROM c WHERE id = %(id)s", "card name"),
    ("SELECT a.email, b.card FROM customer a JOIN customer b USING (id) WHERE a.id = %(id)s", "email card"),
    ("SELECT max(email), min(city) FROM customer WHERE id = %(id)s GROUP BY name", "email city"),
]


def expected(number, columns):
    """What a masked role must see of a customer."""
    seen = {"name": "***", "email": "c***@e***.com", "card": f"****{number % 10000:04d}", "city": f"city {number % 50}"}
    return tuple(seen[column] for column in columns.split())


class Load(threading.Thread):
    what = ""

    def __init__(self, server, dsn, seed):
        super().__init__(daemon=True)
        self.server, self.dsn, self.random = server, dsn, random.Random(seed)
        self.done, self.problems, self.ending = 0, [], False

    def connect(self, role, name="soak"):
        connection = psycopg2.connect(self.dsn(role) + f" application_name='{name}'")
        connection.autocommit = True
        return connection

    def problem(self, text):
        if len(self.problems) < 20:
            self.problems.append(str(text))

    def run(self):
        while not self.ending:
            try:
                self.work()
            except psycopg2.errors.SerializationFailure as error:
                if "other masks" not in str(error):  # masks changed between a plan and its run: to be sent again
                    self.problem(error)
            except Exception as error:  # pylint: disable=broad-except  # told at the end
                if not is_loss(error):
                    self.problem(f"{type(error).__name__}: {error}")
                time.sleep(0.2)

    def work(self):
        """Does its work until told to end, or the connection is lost."""
        raise NotImplementedError


def is_loss(error):
    """Whether the connection went, or could not be had, because backends are ended or the server recovers."""
    return isinstance(error, psycopg2.Error) and error.pgcode in (None, "57P01", "57P02", "57P03", "57P04")


class PgBench(Load):
    what = "transactions of pgbench"

    def work(self):
        result = self.server.attempt("pgbench", "-n", "-c", "4", "-T", "10", "--rate", "100", "-M", "prepared", "bench")
        count = re.search(r"actually processed: (\d+)", result.stdout)
        self.done += int(count.group(1)) if count else 0
        for line in result.stderr.splitlines():
            if "ERROR:" in line and not re.search(r"server closed|terminating connection", line):
                self.problem(line)
        if not count:
            time.sleep(0.5)


class Reader(Load):
    what = "masked reads, each as it must be"

    def work(self):
        connection = self.connect("agent")
        with connection.cursor() as cursor:
            while not self.ending:
                number = self.random.randrange(1, 2001)
                query, columns = self.random.choice(READS)
                cursor.execute(query, {"id": number})
                rows = cursor.fetchall()
                if rows != [expected(number, columns)]:
                    self.problem(f"{query} of {number}: {rows}")
                self.done += 1
                if self.done % 50 == 0:
                    self.refused(cursor)
        connection.close()

    def refused(self, cursor):
        try:
            cursor.execute("DROP TABLE customer")
            self.problem("DROP TABLE ran")
        except psycopg2.errors.InsufficientPrivilege as error:
            if error.diag.constraint_name != "no-drop":
                self.problem(error)


class Asker(Load):
    """Statements that wait for a person; `told`: what became of each, as its client saw it."""
    what = "statements that waited for a person"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.told, self.next = {}, 1

    def work(self):
        owner, connection = self.connect("postgres"), self.connect("agent")
        with owner.cursor() as admin, connection.cursor() as cursor:
            while not self.ending:
                number, self.next = self.next, self.next + 1
                admin.execute("INSERT INTO task VALUES (%s)", (number,))
                self.ask(admin, cursor, number)
        owner.close()
        connection.close()

    def ask(self, admin, cursor, number):
        text = f"DELETE FROM task WHERE id = {number}"
        try:
            cursor.execute(text)
            self.told[text], left = "ok", 0
        except psycopg2.Error as error:
            if error.pgcode not in ("HG001", "HG002"):
                raise
            self.told[text], left = "refused", 1
        admin.execute("SELECT count(*) FROM task WHERE id = %s", (number,))
        count = admin.fetchone()[0]
        if count != left:
            self.problem(f"{text}: told {self.told[text]}, and {count} rows are there")
        self.done += 1


class Approver(Load):
    what = "decisions of a person"

    def work(self):
        connection = self.connect("dana")
        with connection.cursor() as cursor:
            while not self.ending:
                cursor.execute("SELECT id FROM hoopguard.pending")
                for (request,) in cursor.fetchall():
                    self.decide(cursor, request)
                time.sleep(0.1)
        connection.close()

    def decide(self, cursor, request):
        call = self.random.choice(["approve(%s)", "approve(%s, 'fine')", "reject(%s, 'no')"])
        try:
            cursor.execute(f"SELECT hoopguard.{call}", (request,))
            self.done += 1
        except psycopg2.errors.ObjectNotInPrerequisiteState:
            pass  # whoever asked has gone


class Policy(Load):
    what = "changes of policy, each in force soon"

    def work(self):
        owner, connection = self.connect("postgres"), self.connect("agent")
        with owner.cursor() as admin, connection.cursor() as cursor:
            while not self.ending:
                admin.execute("SELECT hoopguard.guard('shut', 'block', '{write.insert}', roles => '{agent}', "
                              "objects => '{public.door}')")
                self.comes(cursor, "shut")
                admin.execute("SELECT hoopguard.set_mask('city', %s)", (self.random.choice(["redact", "hash"]),))
                admin.execute("SELECT hoopguard.drop_mask('city')")
                admin.execute("SELECT hoopguard.unguard('shut')")
                self.comes(cursor, None)
                time.sleep(0.2)
        owner.close()
        connection.close()

    def comes(self, cursor, guardrail):
        end = time.monotonic() + 20
        while self.refused_by(cursor) != guardrail:
            if time.monotonic() > end:
                self.problem(f"after 20 s the agent's INSERT is not refused by {guardrail}")
                return
            time.sleep(0.02)
        self.done += 1

    @staticmethod
    def refused_by(cursor):
        try:
            cursor.execute("INSERT INTO door DEFAULT VALUES")
            return None
        except psycopg2.errors.InsufficientPrivilege as error:
            return error.diag.constraint_name


class Logins(Load):
    what = "logins"

    def work(self):
        connection = self.connect(self.random.choice(["agent", "app", "dana"]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT session_user")
            if cursor.fetchone()[0] not in ("agent", "app", "dana"):
                self.problem("session_user is another")
        connection.close()
        self.done += 1
        time.sleep(0.05)


class Ender(Load):
    what = "backends ended"

    def work(self):
        connection = self.connect("postgres", "soak ender")
        with connection.cursor() as cursor:
            while not self.ending:
                time.sleep(self.random.uniform(1, 4))
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                               "AND application_name IN ('soak', 'pgbench') ORDER BY random() LIMIT 1")
                self.done += len(cursor.fetchall())
        connection.close()


class Steady(Load):
    """A session that nobody ends: its memory must stay as it is."""
    what = "statements of one session"

    def work(self):
        connection = self.connect("agent", "soak steady")
        with connection.cursor() as cursor:
            while not self.ending:
                number = self.random.randrange(1, 2001)
                # Always another text, so that nothing is found that was kept.
                cursor.execute(f"{READS[0][0]} AND id < {self.random.randrange(10_000, 1 << 30)}", {"id": number})
                if cursor.fetchall() != [expected(number, READS[0][1])]:
                    self.problem(f"customer {number} is not as it must be")
                self.done += 1
                time.sleep(0.01)
        connection.close()
