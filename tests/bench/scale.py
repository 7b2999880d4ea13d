#!/usr/bin/env python3
"""Far, big and many: what the links, files and crowds of a large installation cost. Writes SCALE.md beside this file.

  tests/bench/scale.py [--bin DIR] [--place DIR] [--big GIB] [--only REGEX] [--dry]

--bin    the programs (default: target/release, built when it is not given)
--place  where data and files lie (default: /dev/shm)
--big    GiB of the file of `bulk`
--only   of `many`, `fair`, `far20`, `far100`, `bulk`, `names`, `tree`, `keys`
--dry    prints only
Each part starts its own server on loopback and measures it from /proc; each takes less than two minutes.
"""
import argparse, datetime, json, multiprocessing, os, platform, random, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
PASSWORD = "correct horse battery staple"
CONFIG = "[limits]\nidle_seconds = 3600\nmax_connections = 10000\nper_source = 10000\nper_user = 10000\nguests = 1000\nguests_per_source = 1000\nlanes = 10000\n[argon2]\nqueue = 1000\n"


def memory(pid, what="VmRSS"):
    """MiB of a process."""
    line = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line[1]) / 1024


def said(process, pattern):
    """Waits for a line on a process's output."""
    line = process.stdout.readline()
    found = re.search(pattern, line)
    assert found, f"it said {line!r}"
    return found[1] if found.groups() else found[0]


class Place:
    """A server with a user, and somewhere to keep files."""

    def __init__(self, options):
        self.bin, self.big = Path(options.bin), options.big
        self.dir = Path(tempfile.mkdtemp(prefix="catamaran-scale.", dir=options.place))
        self.env = dict(os.environ, HOME=str(self.dir / "home"), CATAMARAN_PASSWORD=PASSWORD)
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            self.env.pop(name, None)
        (self.dir / "home").mkdir()
        (self.dir / "down").mkdir()
        (self.dir / "server.toml").write_text(CONFIG)
        data = self.dir / "data"
        subprocess.run([self.bin / "server", "--data-dir", data, "--add-user", "bench", "--quota", "none", "--password-stdin"],
                       input=PASSWORD, text=True, check=True, env=self.env, stdout=subprocess.DEVNULL)
        self.server = self.start(self.bin / "server", "--config", self.dir / "server.toml", "--data-dir", data, "--listen", "127.0.0.1:0")
        self.address = said(self.server, r"listening on (\S+)")
        self.files = data / "users/bench/files"
        self.target = f"bench@{self.address}"
        self.idle = memory(self.server.pid)

    def start(self, *command):
        return subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=open(self.dir / "log", "a"), text=True, env=self.env)

    def client(self, verb, *rest, target=None):
        """Runs a one-shot command: wall seconds, the seconds of its transfers, peak MiB."""
        command = [self.bin / "tui-client", verb, target or self.target, "--accept-new", *rest]
        begun = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=open(self.dir / "out", "w"), stderr=open(self.dir / "log", "a"), env=self.env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        assert status == 0, f"{command}: {(self.dir / 'log').read_text()[-2000:]}"
        # Only the end: a process begins with the peak of the one that started it.
        with open(self.dir / "out", "rb") as out:
            out.seek(max(0, os.fstat(out.fileno()).st_size - 4096))
            last = out.read().decode(errors="replace").splitlines()[-1:]
        seconds = json.loads(last[0]).get("seconds") if last and '"seconds"' in last[0] else None
        return wall, seconds, usage.ru_maxrss / 1024

    def crowd(self, *arguments):
        return self.start(self.bin / "crowd", self.address, "bench", *arguments)

    def far(self, rtt, target=None):
        far = self.start(self.bin / "far", "127.0.0.1:0", target or self.address, "--rtt-ms", rtt, "--mbit", 1000)
        return far, said(far, r"listening on (\S+)")

    def close(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def end(process):
    process.stdin.close()
    process.terminate()
    process.wait()


def many(place, rows):
    for what, shown in (("idle", "logged in, nothing else"), ("rested", "after a listing, 3 MiB up and down on a lane, and 14 s of rest")):
        one = place.crowd(what, 1)
        said(one, "ready")
        time.sleep(14)
        first = memory(place.server.pid)
        end(one)
        crowd = place.crowd(what, 1000)
        said(crowd, "ready")
        time.sleep(14)
        each = (memory(place.server.pid) - first) * 1024 / 999
        end(crowd)
        rows.append((f"1,000 sessions, {shown}: memory of the server for each", "48 KiB", f"{each:.1f} KiB"))


def fair(place, rows):
    with open(place.files / "big", "wb") as big:
        big.write(random.randbytes(64 * MIB))
    for what, more in (("get", ["15", "big"]), ("put", ["15"])):
        crowd = place.crowd(what, 64, *more)
        moved = sorted(int(line) for line in crowd.communicate()[0].splitlines())
        assert len(moved) == 64, moved
        rows.append((f"64 sessions {what} at once for 15 s: the slowest of the fastest", "50 %",
                     f"{moved[0] / moved[-1]:.0%} ({moved[0] / MIB:.0f} to {moved[-1] / MIB:.0f} MiB, {sum(moved) / 15e6:.0f} MB/s together)"))


def blast(place):
    """What plain bytes reach through the link, in bytes a second."""
    sink = socket.create_server(("127.0.0.1", 0))
    far, address = place.far(20, "127.0.0.1:%d" % sink.getsockname()[1])
    host, port = address.split(":")
    source = socket.create_connection((host, int(port)))
    there, _ = sink.accept()
    count = 250 * MIB

    def send():
        piece = bytes(MIB)
        for _ in range(250):
            source.sendall(piece)
    threading.Thread(target=send, daemon=True).start()
    there.recv(1)
    begun, got, room = time.monotonic(), 1, bytearray(MIB)
    while got < count:
        got += there.recv_into(room)
    rate = got / (time.monotonic() - begun)
    end(far)
    return rate


def listing(place, address, name, seconds):
    asked = place.start(place.bin / "crowd", address, "bench", "list", 1, seconds, name)
    times = [tuple(map(float, line.split())) for line in asked.communicate()[0].splitlines()]
    return [statistics.median(column) for column in zip(*times)] + [max(last for _, last in times)]


def far(place, rows, rtt):
    small = place.dir / "small"
    for number in range(10000):
        directory = small / f"{number // 100:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"f{number:05d}").write_bytes(random.randbytes(4096))
    (place.files / "thousand").mkdir()
    for number in range(1000):
        (place.files / "thousand" / f"entry-{number}").touch()
    with open(place.dir / "big", "wb") as big:
        for _ in range(1024):
            big.write(random.randbytes(MIB))
    plain = blast(place)
    rows.append(("the link itself: plain bytes through it", "95 % of 1 Gbit/s", f"{plain / 125e6:.1%}"))
    link, address = place.far(rtt)
    target, name = f"bench@{address}", f"{rtt} ms, 1 Gbit/s"
    _, middle, most = listing(place, address, "thousand", 3)
    rows.append((f"{name}: a list of 1,000 entries", "one round trip", f"{middle / rtt:.2f} round trips ({middle:.0f} ms, at most {most:.0f})"))
    for way, verb, rest in (("up", "put", ["--json", place.dir / "big", "/"]), ("down", "get", ["--json", "/big", place.dir / "down"])):
        wall, seconds, _ = place.client(verb, *rest, target=target)
        rows.append((f"{name}: 1 GiB {way}", "90 %", f"{1024 * MIB / seconds / 125e6:.0%} ({seconds:.2f} s; {wall:.2f} s with the login)"))
    bytes_alone = 10000 * 4096 / 125e6
    for way, verb, rest in (("up", "put", ["--json", "-r", small, "/"]), ("down", "get", ["--json", "-r", "/small", place.dir / "down"])):
        runs = []
        for _ in range(3):
            shutil.rmtree(place.files / "small" if way == "up" else place.dir / "down/small", ignore_errors=True)
            runs.append(place.client(verb, *rest, target=target)[:2])
        wall, seconds = sorted(runs, key=lambda run: run[1])[1]
        rows.append((f"{name}: 10,000 files of 4 KiB {way}", "2 × the bytes alone", f"{seconds / bytes_alone:.2f} × ({seconds:.2f} s of {bytes_alone:.2f} s; {wall:.2f} s with the login)"))
    busy = subprocess.Popen([str(part) for part in (place.bin / "tui-client", "get", target, "-q", "--accept-new", "--if-exists", "rename", "/big", place.dir / "down")], env=place.env)
    _, middle, most = listing(place, address, "thousand", 4)
    busy.wait()
    rows.append((f"{name}: the same list while 1 GiB comes down", "one round trip", f"{middle / rtt:.2f} round trips ({middle:.0f} ms, at most {most:.0f})"))
    end(link)


def bulk(place, rows):
    """A file with data in one block of a hundred."""
    size, sparse = place.big << 30, place.dir / "sparse"
    with open(sparse, "wb") as file:
        file.truncate(size)
        for at in range(0, size, 100 * MIB):
            file.seek(at)
            file.write(random.randbytes(MIB))
    for way, verb, rest in (("up", "put", ["--json", sparse, "/"]), ("down", "get", ["--json", "/sparse", place.dir / "down"])):
        wall, _, peak = place.client(verb, *rest)
        sent = json.loads((place.dir / "out").read_text().splitlines()[-1])["sent"]
        (place.dir / "down/sparse").unlink(missing_ok=True)
        rows.append((f"{place.big} GiB, mostly holes, {way}: peak memory of the client", "64 MiB", f"{peak:.0f} MiB ({wall:.0f} s, {sent >> 20} MiB travelled)"))
        sparse.unlink(missing_ok=True)
    rows.append(("the same: peak of the server above idle", "64 MiB", f"{memory(place.server.pid, 'VmHWM') - place.idle:.0f} MiB"))


def names(place, rows):
    million = place.files / "million"
    million.mkdir()
    for number in range(1_000_000):
        os.close(os.open(f"{million}/entry-number-{number:07d}", os.O_CREAT | os.O_WRONLY))
    first, whole, _ = listing(place, place.address, "million", 8)
    rows.append(("1,000,000 entries: first page", "100 ms", f"{first:.1f} ms (all of them: {whole / 1000:.1f} s)"))
    rows.append(("the same: peak of the server above idle", "64 MiB", f"{memory(place.server.pid, 'VmHWM') - place.idle:.0f} MiB"))
    for what, more in (("ls", []), ("ls --json", ["--json"])):
        wall, _, peak = place.client("ls", *more, "/million")
        rows.append((f"the same with `{what}`: peak of the client", "64 MiB", f"{peak:.0f} MiB ({wall:.1f} s)"))
    screen(place, rows)


def screen(place, rows):
    """The full-screen client in a directory of a million entries."""
    subprocess.run([place.bin / "tui-client", "ls", place.target, "--accept-new", "/"], env=place.env, stdout=subprocess.DEVNULL)
    tmux = ["tmux", "-L", f"scale-{os.getpid()}", "-f", "/dev/null"]
    local = place.dir / "empty"
    local.mkdir(exist_ok=True)
    command = f"exec {place.bin}/tui-client --local {local} {place.target}"
    subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "40", command], env=place.env, check=True)
    keys = lambda *names: subprocess.run([*tmux, "send-keys", *names], check=True)
    shown = lambda: subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout
    def until(text, there=True):
        begun = time.monotonic()
        while (text in shown()) != there:
            assert time.monotonic() - begun < 60, shown()
            time.sleep(0.01)
        return (time.monotonic() - begun) * 1000
    pid = int(subprocess.run([*tmux, "list-panes", "-F", "#{pane_pid}"], capture_output=True, text=True, check=True).stdout)
    until("million")
    idle = memory(pid)
    keys("Tab"), time.sleep(0.3), keys("Down"), time.sleep(0.3), keys("Enter")
    first = until("entry-number")
    keys("C-s", "entry-number-")
    early = until("find: entry-number-_")
    keys("Home")
    whole = until("reading…", False) / 1000
    time.sleep(1)
    peak, now = memory(pid, "VmHWM"), memory(pid)
    keys("End")
    last = until("entry-number-0999999")
    keys("F10")
    rows.append(("the same on the full screen: first entries shown", "100 ms", f"{first:.0f} ms"))
    rows.append(("the same on the full screen: a quick search of 13 letters while it reads", "", f"{early:.0f} ms"))
    rows.append(("the same on the full screen: all entries shown", "", f"{whole:.1f} s"))
    rows.append(("the same on the full screen: memory of the client above idle", "64 MiB", f"{peak - idle:.0f} MiB at its peak, {now - idle:.0f} MiB then"))
    rows.append(("the same on the full screen: from End to the last entry", "", f"{last:.0f} ms"))
    time.sleep(0.5)
    subprocess.run([*tmux, "kill-server"], stderr=subprocess.DEVNULL)


def tree(place, rows):
    for number in range(100_000):
        directory = place.dir / "tree" / f"{number // 1000:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"f{number:05d}").touch()
    wall, _, peak = place.client("put", "-q", "-r", place.dir / "tree", "/")
    rows.append(("a tree of 100,000 files up: peak of the client", "64 MiB", f"{peak:.0f} MiB ({wall:.1f} s)"))
    wall, _, peak = place.client("get", "-q", "-r", "/tree", place.dir / "down")
    rows.append(("the same down: peak of the client", "64 MiB", f"{peak:.0f} MiB ({wall:.1f} s)"))
    rows.append(("the same: peak of the server above idle", "64 MiB", f"{memory(place.server.pid, 'VmHWM') - place.idle:.0f} MiB"))


def keys(place, rows):
    """A server of its own in the measuring program: one process more would only be one more to wait for the processors."""
    said = subprocess.run([place.bin / "keys", place.bin / "tui-client"], capture_output=True, text=True, check=True, env=dict(place.env, TMPDIR=str(place.dir)))
    found = json.loads(said.stdout)
    assert found["busy"], "the transfers were over before the last key"
    rows.append(("four transfers run: a key is on the screen after, median", "16 ms", f"{found['median_ms']:.1f} ms ({found['keys']} keys)"))
    rows.append(("the same: 99 of 100 keys", "50 ms", f"{found['p99_ms']:.1f} ms"))
    rows.append(("a client at rest wakes up", "less than once a second", f"{found['wakeups_per_second']:.1f} times a second, {found['idle_cpu']:.1%} of a processor"))


PARTS = {"many": many, "fair": fair, "far20": lambda place, rows: far(place, rows, 20), "far100": lambda place, rows: far(place, rows, 100),
         "bulk": bulk, "names": names, "tree": tree, "keys": keys}


def run_part(name, options):
    place, found = Place(options), []
    try:
        PARTS[name](place, found)
    finally:
        place.close()
    for row in found:
        print(" | ".join(row), flush=True)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin")
    parser.add_argument("--place", default="/dev/shm")
    parser.add_argument("--only", default="")
    parser.add_argument("--big", type=int, default=20)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    if not options.bin:
        subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "server", "-p", "tui-client", "-p", "tests"], cwd=ROOT, check=True)
        options.bin = ROOT / "target/release"
    rows = []
    for name in PARTS:
        if re.search(options.only, name):
            # In a process of its own: a program inherits the peak of memory of the one that starts it.
            with multiprocessing.get_context("fork").Pool(1) as alone:
                rows += alone.apply(run_part, (name, options))
    if options.dry:
        return
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    kind = subprocess.run(["stat", "-f", "-c", "%T", options.place], capture_output=True, text=True).stdout.strip()
    lines = ["# Far, big and many", "", f"`{' '.join(['tests/bench/scale.py', *sys.argv[1:]])}`, {datetime.date.today()}, {os.cpu_count()} processors "
             f"({model[1] if model else platform.machine()}), Linux {platform.release()}, {kind}.", "",
             "Client, server and the link (`far`) share these processors. Seconds of transfers begin when the session stands.", "",
             "| what | target | measured |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    (Path(__file__).parent / "SCALE.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
