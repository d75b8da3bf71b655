"""The fleet that chaos happens to: the real programs, each agent behind a relay, spools and store on small disks of their own."""
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from relay import Loop, Relay

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPOOL_DISK, STORE_DISK, KEEP_BYTES = "2m", "48m", 16 << 20  # retention keeps the store from filling up by itself
FAKE_TIME = "/usr/lib/*/faketime/libfaketime.so.1"
PROGRAMS = ("trawl", "trawl-collectord", "trawl-runner", "trawl-agentd")


class Disk:
    """A tmpfs that can be filled up and emptied again."""

    def __init__(self, path, size, mode):
        self.path = path
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode={mode}", "tmpfs", path], check=True)

    def fill(self):
        with open(self.path + "/.filler", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
            except OSError:
                pass

    def empty(self):
        if os.path.exists(self.path + "/.filler"):
            os.unlink(self.path + "/.filler")


class Clock:
    """The wall clock that one program believes in, by libfaketime."""

    def __init__(self, path, program):
        self.path = path
        self.env = {}
        linked = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        library = next(iter(glob.glob(FAKE_TIME)), None)
        if library and not any("libtsan" in word for word in linked):  # TSan and libfaketime do not go together
            first = [word for word in linked if word.startswith("/") and "libasan" in word]
            self.env = {"LD_PRELOAD": " ".join(first + [library]), "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_NO_CACHE": "1",
                        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}
        self.set(0)

    def set(self, offset_s):
        with open(self.path + ".new", "w", encoding="ascii") as f:
            f.write(f"{offset_s:+d}\n")
        os.replace(self.path + ".new", self.path)

    def wrapper(self, path, program):
        """A script that starts the program with this clock, for who starts it with an environment of its own."""
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + "".join(f"export {k}='{v}'\n" for k, v in self.env.items()) + f'exec {program} "$@"\n')
        os.chmod(path, 0o755)
        return path


class Process:
    """One program and its log."""

    def __init__(self, fleet, name, argv, env=None):
        self.log = f"{fleet.dir}/log/{name}"
        self.argv = argv
        self.env = dict(os.environ, **(env or {}))
        self.child = None

    def start(self):
        """It may run already: two faults killed it, and the first to end has started it again."""
        if self.alive():
            return
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env, start_new_session=True)

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        if self.alive():
            self.child.kill()
        if self.child:
            self.child.wait()

    def stop(self):
        if not self.alive():
            return
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


class Agent:
    def __init__(self, fleet, host):
        self.host = host
        self.relay = Relay(fleet.relays, fleet.agents_port)
        self.clock = Clock(f"{fleet.dir}/clock/{host}", fleet.bin + "/trawl-agentd")
        agentd = self.clock.wrapper(f"{fleet.bin}/agentd-{host}", fleet.bin + "/trawl-agentd")
        fleet.shell(f"fleet_agents_port={self.relay.port}; fleet_agent_make {host} role=web 'tool_dir = {fleet.dir}/tools'")
        self.folder = f"{fleet.dir}/agents/{host}"
        fleet.edit(self.folder + "/agent.conf", f"agentd = {fleet.bin}/trawl-agentd", f"agentd = {agentd}")
        self.disk = Disk(self.folder + "/spool", SPOOL_DISK, "0700")
        shutil.chown(self.disk.path, "nobody")
        self.runner = Process(fleet, "agent-" + host, [fleet.bin + "/trawl-runner", "--config", self.folder + "/agent.conf"])
        self.seen = set()  # names of all the parts that its spool has ever had

    def kill_agentd(self):
        """The runner ends with it."""
        pid = str(self.runner.child.pid)
        children = subprocess.run(["pgrep", "-P", pid, "-f", "trawl-agentd"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        if children:
            self.runner.child.wait(20)

    def start(self):
        self.runner.start()

    def parts(self):
        names = {os.path.basename(p) for p in glob.glob(self.disk.path + "/*.part")}
        self.seen |= names
        return names


class Fleet:
    def __init__(self, bin_dir, hosts, tools):
        """tools: {name: (print-out, seconds)}, what each fake tool prints when its time is over or it is stopped."""
        self.dir = tempfile.mkdtemp(prefix="trawl-chaos.", dir="/var/lib")
        os.chmod(self.dir, 0o755)
        self.bin = self.dir + "/bin"
        self.agents, self.disks, self.collector = [], [], None
        os.mkdir(self.bin)
        os.mkdir(self.dir + "/clock")
        for program in PROGRAMS:
            shutil.copy(f"{bin_dir}/{program}", self.bin)
        self.relays = Loop()
        try:
            self._make_tools(bin_dir, tools)
            self.shell("fleet_certs")
            self._start_collector()
            for host in hosts:
                self.agents.append(Agent(self, host))
            for agent in self.agents:
                agent.start()
        except BaseException:
            self.down()
            raise

    def shell(self, script):
        env = dict(os.environ, FLEET_DIR=self.dir, FLEET_BIN=self.bin, FLEET_CERTS=TOP + "/certs/trawl-certs")
        subprocess.run(["sh", "-ec", f". {TOP}/deploy/fleet.sh; {script}"], check=True, env=env)

    @staticmethod
    def edit(path, old, new):
        with open(path, encoding="ascii") as f:
            text = f.read()
        with open(path, "w", encoding="ascii") as f:
            f.write(text.replace(old, new))

    def _make_tools(self, bin_dir, tools):
        for name, (text, seconds) in tools.items():
            recording = f"{self.dir}/{name}.txt"
            with open(recording, "w", encoding="ascii") as f:
                f.write(text)
            subprocess.run([TOP + "/tests/fake/fake.sh", self.dir + "/tools", name, bin_dir + "/fake_tool", "replay", recording, str(seconds)],
                           check=True)

    # ---- the collector ----
    def _write_conf(self, agents_port, consoles_port):
        self.shell(f"fleet_collector_conf {agents_port} {consoles_port}")
        self.edit(self.dir + "/collector.conf", self.dir + "/store.sqlite", f"{self.dir}/store/store.sqlite\nkeep_bytes = {KEEP_BYTES}")

    def _start_collector(self):
        self.store_disk = Disk(self.dir + "/store", STORE_DISK, "0700")
        self._write_conf(0, 0)
        self.clock = Clock(self.dir + "/clock/collector", self.bin + "/trawl-collectord")
        self.collector = Process(self, "collector", [self.bin + "/trawl-collectord", "--config", self.dir + "/collector.conf"], self.clock.env)
        self.collector.start()
        line = self.wait("the collector listens", 30, self._ready_line)
        self.agents_port = int(line.split("agents=")[1].split()[0].strip('"').rsplit(":", 1)[-1])
        self.consoles_port = int(line.split("consoles=")[1].split()[0].strip('"').rsplit(":", 1)[-1])
        self._write_conf(self.agents_port, self.consoles_port)
        certs = self.dir + "/certs"
        with open(self.dir + "/console.conf", "w", encoding="ascii") as f:
            f.write(f"fleet = quickstart\ncollector = 127.0.0.1:{self.consoles_port}\ntls_ca = {certs}/fleet-ca.pem\n"
                    f"cert = {certs}/operators/admin.pem\nkey = {certs}/operators/admin.key\n")

    def _ready_line(self):
        with open(self.collector.log, encoding="utf-8", errors="replace") as f:
            lines = [line for line in f if "collector.ready" in line]
        return lines[-1] if lines else None

    # ---- looking at it ----
    def wait(self, what, seconds, condition):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            got = condition()
            for agent in self.agents:
                agent.parts()
            if got:
                return got
            time.sleep(0.03)
        raise TimeoutError(f"waited {seconds} s in vain: {what}")

    def trawl(self, *args):
        """Exit status and what it printed."""
        env = dict(os.environ, TRAWL_CONFIG=self.dir + "/console.conf")
        run = subprocess.run([self.bin + "/trawl", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, check=False,
                             timeout=60)
        return run.returncode, run.stdout, run.stderr

    def answer(self, *args):
        """The JSON of an answer, or None.  There is one too of a campaign that failed, whatever the exit status says of it."""
        _, out, _ = self.trawl(*args, "-o", "json")
        try:
            return json.loads(out)
        except ValueError:
            return None

    def online(self):
        status, out, _ = self.trawl("hosts", "-o", "csv")
        return status == 0 and out.count(",online,") == len(self.agents)

    def stored_parts(self, campaign):
        """{(host, round, part): how often}"""
        db = sqlite3.connect(f"file:{self.dir}/store/store.sqlite?mode=ro", uri=True, timeout=10)
        try:
            rows = db.execute("select host, round, part, count(*) from part where lower(hex(campaign)) = ? group by host, round, tool, part",
                              (campaign,)).fetchall()
        finally:
            db.close()
        return {(host, nth, part): n for host, nth, part, n in rows}

    def log_tail(self, lines=12):
        for path in sorted(glob.glob(self.dir + "/log/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                for line in f.readlines()[-lines:]:
                    print(f"    {os.path.basename(path)}: {line.rstrip()}")

    def sanitizers_spoke(self):
        words = ("ThreadSanitizer", "AddressSanitizer", "LeakSanitizer", "runtime error", "ssertion")
        said = []
        for path in glob.glob(self.dir + "/log/*"):
            with open(path, encoding="utf-8", errors="replace") as f:
                said += [line.rstrip() for line in f if any(w in line for w in words)]
        return said

    def down(self):
        for agent in self.agents:
            agent.runner.stop()
        if self.collector:
            self.collector.stop()
        self.relays.stop()
        for mount in glob.glob(self.dir + "/agents/*/spool") + [self.dir + "/store"]:
            if os.path.ismount(mount):
                subprocess.run(["umount", "--lazy", mount], check=True)  # a process that was killed may take a moment to let go
        shutil.rmtree(self.dir, ignore_errors=True)
