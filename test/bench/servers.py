"""Servers to measure: private clusters made by test/cluster, and a pgbouncer before one of them."""
import os
import re
import shutil
import subprocess
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CLUSTER = os.path.join(TOP, "test", "cluster")
TICKS = os.sysconf("SC_CLK_TCK")


class Sandbox:
    """A directory of its own that goes, with every server in it, when the run ends."""

    def __init__(self):
        self.servers = []
        self.given = "HOOPGUARD_SANDBOX" in os.environ
        if not self.given:
            os.environ["HOOPGUARD_SANDBOX"] = tempfile.mkdtemp(prefix="hoopguard-bench-", dir="/var/tmp")
        self.path = os.environ["HOOPGUARD_SANDBOX"]

    def __enter__(self):
        subprocess.run(["make", "-s", "-C", TOP, f"-j{os.cpu_count()}", "all"], check=True)
        self.bindir = subprocess.run([CLUSTER, "stage"], check=True, capture_output=True, text=True).stdout.strip()
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
        if not self.given:
            shutil.rmtree(self.path, ignore_errors=True)


def process_times():
    """pid → (parent, own ticks, ticks of its ended children)."""
    times = {}
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        times[int(pid)] = (int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]))
    return times


def tree_seconds(root):
    """User and system time of `root`, its live descendants, and those that have ended and were waited for."""
    times = process_times()
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        _, own, ended = times[pid]
        total += own + ended
        pending += [child for child, (parent, _, _) in times.items() if parent == pid]
    return total / TICKS


class Server:
    """What pgbench talks to. `name` is its cluster, `extra` the connection options."""

    def __init__(self, sandbox, name, extra=()):
        self.sandbox, self.name, self.extra = sandbox, name, list(extra)
        sandbox.servers.append(self)

    def attempt(self, *command):
        return subprocess.run([CLUSTER, "run", self.name, *command], capture_output=True, text=True, check=False)

    def run(self, *command, check=True):
        result = self.attempt(*command)
        if check and result.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: {result.stderr[-2000:]}")
        return result.stdout

    def pgbench(self, script, mode, clients, seconds):
        """Number of transactions, and how many a second without connecting."""
        out = self.run("pgbench", "-n", "-M", mode, "-c", str(clients), "-j", "2", "-T", str(seconds),
                       *(["-S"] if script == "-S" else ["-b", script]), *self.extra)
        count = int(re.search(r"number of transactions actually processed: (\d+)", out).group(1))
        rate = re.search(r"tps = ([\d.]+) \(without", out)  # missing when no transaction was done in time
        return count, float(rate.group(1)) if rate else 0.0

    @staticmethod
    def settle():
        """Time for backends to be reaped and for what they left to others (the sealer's ring) to be done."""
        time.sleep(0.5)


class Cluster(Server):
    def __init__(self, sandbox, name, preload, conf):
        super().__init__(sandbox, name)
        subprocess.run([CLUSTER, "start", name, *conf], check=True, env={**os.environ, "PRELOAD": preload})
        with open(f"{sandbox.path}/{name}/data/postmaster.pid", encoding="utf-8") as file:
            self.postmaster = int(file.readline())

    def pgbench_init(self, scale):
        self.run("pgbench", "-i", "-q", "-s", str(scale))
        self.run("psql", "-qc", "VACUUM ANALYZE", "-c", "CHECKPOINT")

    def cpu_seconds(self):
        return tree_seconds(self.postmaster)

    def stop(self):
        subprocess.run([CLUSTER, "stop", self.name], check=False)


class Bouncer(Server):
    """pgbouncer in session mode before `cluster`, on a socket in the same directory."""

    PORT = 6432

    def __init__(self, sandbox, cluster):
        super().__init__(sandbox, cluster.name, ["-p", str(self.PORT)])
        self.cluster = cluster
        folder = f"{sandbox.path}/{cluster.name}"
        lines = ["[databases]", f"* = host={folder}/socket", "[pgbouncer]", f"listen_port = {self.PORT}",
                 "listen_addr =", f"unix_socket_dir = {folder}/socket", "auth_type = any", "pool_mode = session",
                 "ignore_startup_parameters = extra_float_digits", "log_connections = 0", "log_disconnections = 0",
                 "default_pool_size = 50", f"logfile = {folder}/pgbouncer.out", f"pidfile = {folder}/pgbouncer.pid"]
        lines[1] += " user=postgres"
        config = f"{folder}/pgbouncer.ini"
        subprocess.run([CLUSTER, "as", "tee", config], input="\n".join(lines) + "\n", text=True, check=True,
                       stdout=subprocess.DEVNULL)
        binary = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        subprocess.run([CLUSTER, "as", binary, "-q", "-d", config], check=True)
        for _ in range(100):
            if os.path.exists(f"{folder}/pgbouncer.pid"):
                break
            time.sleep(0.1)
        with open(f"{folder}/pgbouncer.pid", encoding="utf-8") as file:
            self.pid = int(file.readline())

    def cpu_seconds(self):
        return self.cluster.cpu_seconds() + tree_seconds(self.pid)

    def stop(self):
        try:
            os.kill(self.pid, 15)
        except ProcessLookupError:
            pass
