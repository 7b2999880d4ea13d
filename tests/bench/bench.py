#!/usr/bin/env python3
"""Our release binaries beside scp, sftp, rsync, tar and cat through ssh, lftp with vsftpd over TLS, and rclone: the same files,
one run, interleaved, medians. Writes RESULTS.md beside this file.

  tests/bench/bench.py [--place DIR …] [--reps N] [--big MIB] [--small N] [--only REGEX] [--install] [--no-peers]

--place    where sources and targets lie, one table each (default: /dev/shm, and target/bench on the disk of the checkout)
--install  gets missing peers with apt-get
Peers run against throw-away servers on loopback. Before each timed run memory is touched and freed (a virtual machine may have
given free pages back to its host, and whoever touched them first would pay), and what is dirty is written to the disk (whoever syncs
would write what others left). Small files of earlier runs are put aside rather than deleted: without a journal ext4 goes past inodes
that were freed within the last minutes one by one, and ten thousand of them cost the next run seconds.
"""
import argparse, datetime, os, platform, random, re, resource, shutil, signal, socket, statistics, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER, CLIENT, PROBE = (ROOT / "target/release" / name for name in ("server", "tui-client", "probe"))
MIB = 1 << 20


def sh(command, **more):
    return subprocess.run(["bash", "-c", command], check=True, **more)


def cpu_of(pid):
    """CPU seconds of a process and its reaped children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Bench:
    def __init__(self, place, options):
        self.options = options
        self.dir = Path(tempfile.mkdtemp(prefix="catamaran-bench.", dir=place))
        self.src, self.up, self.down = (self.dir / name for name in ("src", "up", "down"))
        for made in (self.src, self.up, self.down, self.dir / "home"):
            made.mkdir()
        self.env = dict(os.environ, HOME=str(self.dir / "home"), CATAMARAN_PASSWORD="bench-password")
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            self.env.pop(name, None)
        self.daemons, self.rows = [], []

    def sources(self):
        rng = random.Random(7)
        with open(self.src / "big", "wb") as big:
            for _ in range(self.options.big):
                big.write(rng.randbytes(MIB))
        for number in range(self.options.small):
            directory = self.src / "small" / f"{number // 100:04d}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"f{number:06d}").write_bytes(rng.randbytes(4096))
        # The same with one block in a hundred changed, under the same name.
        (self.src / "changed").mkdir()
        shutil.copyfile(self.src / "big", self.src / "changed/big")
        with open(self.src / "changed/big", "r+b") as changed:
            for block in range(50, max(self.options.big, 51), 100):
                changed.seek(min(block, self.options.big - 1) * MIB + 4321)
                changed.write(b"changed")

    def start_ours(self):
        data = self.dir / "data"
        sh(f"echo bench-password | {SERVER} --data-dir {data} --add-user bench --quota none --password-stdin", env=self.env)
        out = open(self.dir / "server.out", "w+")
        daemon = subprocess.Popen([SERVER, "--data-dir", data, "--listen", "127.0.0.1:0"], stdout=out,
                                  stderr=open(self.dir / "server.log", "w"), env=self.env)
        self.daemons.append(daemon)
        for _ in range(200):
            found = re.search(r"listening on (\S+)", (self.dir / "server.out").read_text())
            if found:
                break
            time.sleep(0.05)
        self.target, self.files, self.pid = f"bench@{found[1]}", data / "users/bench/files", daemon.pid
        sh(f"{CLIENT} put {self.target} -q --accept-new -r {self.src}/big {self.src}/small /src", env=self.env)

    def start_ssh(self):
        d, port = self.dir, free_port()
        sh(f"ssh-keygen -q -t ed25519 -N '' -f {d}/host && ssh-keygen -q -t ed25519 -N '' -f {d}/id && cp {d}/id.pub {d}/keys && mkdir -p /run/sshd")
        (d / "known").write_text(f"[127.0.0.1]:{port} {(d / 'host.pub').read_text()}")
        (d / "sshd").write_text(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {d}/host\nPidFile none\nAuthorizedKeysFile {d}/keys\n"
                                "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
                                "MaxStartups 200\nSubsystem sftp /usr/lib/openssh/sftp-server\n")
        base = f"Host peer\n HostName 127.0.0.1\n Port {port}\n IdentityFile {d}/id\n IdentitiesOnly yes\n UserKnownHostsFile {d}/known\n LogLevel ERROR\n"
        (d / "ssh").write_text(base)
        (d / "ssh-gcm").write_text(base + " Ciphers aes128-gcm@openssh.com\n")
        daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", d / "sshd", "-E", d / "sshd.log"])
        self.daemons.append(daemon)
        self.ssh_pid = daemon.pid
        for _ in range(100):
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)

    def start_ftp(self):
        """vsftpd, anonymous over forced TLS: no account is made."""
        d, port = self.dir, free_port()
        sh(f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {d}/ftp.pem -out {d}/ftp.crt 2>/dev/null; mkdir -p {d}/empty; "
           f"chmod 755 {d} {self.src}; chmod 777 {self.up}; chmod -R a+rX {self.src}")
        yes = ("listen anonymous_enable write_enable anon_upload_enable anon_mkdir_write_enable anon_other_write_enable no_anon_password "
               "ssl_enable allow_anon_ssl force_anon_logins_ssl force_anon_data_ssl ssl_tlsv1 use_sendfile").split()
        no = "background local_enable anon_world_readable_only require_ssl_reuse xferlog_enable seccomp_sandbox".split()
        (d / "vsftpd").write_text("".join(f"{key}=YES\n" for key in yes) + "".join(f"{key}=NO\n" for key in no) +
                                  f"listen_address=127.0.0.1\nlisten_port={port}\nanon_root={d}\nsecure_chroot_dir={d}/empty\nssl_ciphers=HIGH\n"
                                  f"rsa_cert_file={d}/ftp.crt\nrsa_private_key_file={d}/ftp.pem\nanon_umask=022\n")
        daemon = subprocess.Popen(["/usr/sbin/vsftpd", d / "vsftpd"])
        self.daemons.append(daemon)
        self.ftp_pid, self.lftp = daemon.pid, ("lftp -c 'set ftp:ssl-force true; set ftp:ssl-allow-anonymous true; set ftp:ssl-protect-data true; set ssl:verify-certificate no; "
                                              f"set cmd:fail-exit yes; set net:max-retries 1; set xfer:clobber yes; open ftp://127.0.0.1:{port}; ")
        time.sleep(0.5)

    def start_rclone(self):
        """Through the same sshd."""
        port = re.search(r"Port (\d+)", (self.dir / "ssh").read_text())[1]
        (self.dir / "rclone").write_text(f"[peer]\ntype = sftp\nhost = 127.0.0.1\nport = {port}\nuser = {os.environ.get('USER') or 'root'}\n"
                                         f"key_file = {self.dir}/id\nknown_hosts_file = {self.dir}/known\nshell_type = unix\n")

    def add(self, name, work, way, command, pid=None, tuned=False, prepare=None):
        self.rows.append(dict(name=name, work=work, way=way, command=command, pid=pid, tuned=tuned, prepare=prepare, runs=[]))

    def ours(self):
        put, get, s, t = f"{CLIENT} put {self.target} -q", f"{CLIENT} get {self.target} -q", self.src, self.target
        aside = f"{CLIENT} mv {t} /up/small /aside-$(date +%s%N) 2>/dev/null; {CLIENT} rm -r {t} /up 2>/dev/null"
        clear = f"{aside}; {CLIENT} mkdir {t} /up; ln -sfn {self.files}/up {self.dir}/seen"
        again = f"{aside}; {put} "
        self.add("catamaran", "big", "up", f"{put} {s}/big /up", self.pid, prepare=clear)
        # What was received past the cache is read once, as the sources of the others were when they were made.
        self.add("catamaran", "big", "down", f"{get} /src/big {self.down}", self.pid, prepare=f"cat {self.files}/src/big >/dev/null")
        self.add("catamaran", "small", "up", f"{put} -r {s}/small /up", self.pid, prepare=clear)
        self.add("catamaran", "small", "down", f"{get} -r /src/small {self.down}", self.pid)
        self.add("catamaran", "again", "up", f"{put} --if-exists update -r {s}/small /up", self.pid, prepare=f"{again} -r {s}/small /up; ln -sfn {self.files}/up {self.dir}/seen")
        self.add("catamaran", "again", "down", f"{get} --if-exists update -r /src/small {self.down}", self.pid, prepare=f"{get} -r /src/small {self.down}")
        self.add("the same blocks from memory to memory (`probe`)", "big", "up", f"{PROBE} {self.options.big}")
        self.add("catamaran", "delta", "up", f"{put} --if-exists overwrite {s}/changed/big /up", self.pid, prepare=f"{again} {s}/big /up; ln -sfn {self.files}/up {self.dir}/seen")

    def peers(self):
        plain, gcm, s, u, w = f"ssh -F {self.dir}/ssh", f"ssh -F {self.dir}/ssh-gcm", self.src, self.up, self.down
        sftp = lambda config, more: f"sftp -q {more} -b - -F {self.dir}/{config} peer >/dev/null"
        for way, a, b in (("up", f"{s}/big", f"peer:{u}/"), ("down", f"peer:{s}/big", f"{w}/")):
            self.add("scp", "big", way, f"scp -q -F {self.dir}/ssh {a} {b}", self.ssh_pid)
            self.add("rsync -a", "big", way, f"rsync -a -e '{plain}' {a} {b}", self.ssh_pid)
            self.add("scp -O, aes128-gcm", "big", way, f"scp -q -O -F {self.dir}/ssh-gcm {a} {b}", self.ssh_pid, True)
            self.add("rsync -aW, aes128-gcm", "big", way, f"rsync -aW -e '{gcm}' {a} {b}", self.ssh_pid, True)
        self.add("sftp", "big", "up", f"echo put {s}/big {u}/ | {sftp('ssh', '')}", self.ssh_pid)
        self.add("sftp", "big", "down", f"echo get {s}/big {w}/ | {sftp('ssh', '')}", self.ssh_pid)
        self.add("cat through ssh, aes128-gcm", "big", "up", f"{gcm} peer 'cat >{u}/big' <{s}/big", self.ssh_pid, True)
        self.add("cat through ssh, aes128-gcm", "big", "down", f"{gcm} peer 'cat {s}/big' >{w}/big", self.ssh_pid, True)
        for way, a, b in (("up", f"{s}/small", f"peer:{u}/"), ("down", f"peer:{s}/small", f"{w}/")):
            self.add("scp -r", "small", way, f"scp -q -r -F {self.dir}/ssh {a} {b}", self.ssh_pid)
            self.add("rsync -a", "small", way, f"rsync -a -e '{plain}' {a} {b}", self.ssh_pid)
            self.add("rsync -aW, aes128-gcm", "small", way, f"rsync -aW -e '{gcm}' {a} {b}", self.ssh_pid, True)
        self.add("sftp", "small", "up", f"printf 'mkdir {u}/small\\nput -r {s}/small {u}/\\n' | {sftp('ssh', '')}", self.ssh_pid)
        self.add("sftp", "small", "down", f"echo get -r {s}/small {w}/ | {sftp('ssh', '')}", self.ssh_pid)
        self.add("tar through ssh, aes128-gcm", "small", "up", f"tar -C {s} -cf - small | {gcm} peer 'tar -C {u} -xf -'", self.ssh_pid, True)
        self.add("tar through ssh, aes128-gcm", "small", "down", f"{gcm} peer 'tar -C {s} -cf - small' | tar -C {w} -xf -", self.ssh_pid, True)
        self.add("rsync -a", "again", "down", f"rsync -a -e '{plain}' peer:{s}/small {w}/", self.ssh_pid, prepare=f"cp -a {s}/small {w}/")
        self.add("rsync -a", "again", "up", f"rsync -a -e '{plain}' {s}/small peer:{u}/", self.ssh_pid, prepare=f"cp -a {s}/small {u}/; ln -sfn {u} {self.dir}/seen")
        self.add("rsync -a", "delta", "up", f"rsync -aI --no-whole-file -e '{plain}' {s}/changed/big peer:{u}/", self.ssh_pid, prepare=f"cp -a {s}/big {u}/; ln -sfn {u} {self.dir}/seen")

    def more_peers(self):
        s, u, w, lftp = self.src, self.up, self.down, getattr(self, "lftp", None)
        if lftp:
            self.add("lftp, FTP over TLS", "big", "up", f"{lftp} put {s}/big -o up/big'", self.ftp_pid)
            self.add("lftp, FTP over TLS", "big", "down", f"{lftp} get src/big -o {w}/big'", self.ftp_pid)
            self.add("lftp pget -n 4, FTP over TLS", "big", "down", f"{lftp} pget -n 4 src/big -o {w}/big'", self.ftp_pid, True)
        if (self.dir / "rclone").exists():
            rclone = f"rclone --config {self.dir}/rclone --sftp-disable-hashcheck --sftp-concurrency 128 --sftp-chunk-size 255k copy"
            self.add("rclone, sftp, no check", "big", "up", f"{rclone} {s}/big peer:{u}/", self.ssh_pid, True)
            self.add("rclone, sftp, no check", "big", "down", f"{rclone} peer:{s}/big {w}/", self.ssh_pid, True)

    def same(self, row):
        if row["name"].startswith("the same blocks"):
            return True
        where = self.down if row["way"] == "down" else self.dir / "seen"
        source = {"delta": "changed/big", "again": "small"}.get(row["work"], row["work"])
        name = Path(source).name
        return subprocess.run(["diff", "-rq", self.src / source, where / name], stdout=subprocess.DEVNULL).returncode == 0

    def run_one(self, row):
        for directory in (self.up, self.down):
            if (directory / "small").exists():
                (directory / "small").rename(self.dir / f"aside-{time.monotonic_ns()}")
            shutil.rmtree(directory)
            directory.mkdir()
            directory.chmod(0o777)
        sh(f"ln -sfn {self.up} {self.dir}/seen")
        if row["prepare"]:
            subprocess.run(["bash", "-c", row["prepare"]], check=True, env=self.env, stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, "-c", f"b=b'\\1'*({self.options.big * 3 // 2 + 256}<<20)"], check=True)
        os.sync()
        before, server = resource.getrusage(resource.RUSAGE_CHILDREN), cpu_of(row["pid"]) if row["pid"] else 0
        start = time.monotonic()
        # A timeout of Python's own would look for the end every 50 ms only.
        done = subprocess.run(["timeout", "600", "bash", "-c", row["command"]], env=self.env, stdout=subprocess.DEVNULL)
        wall = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        time.sleep(0.15)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + (cpu_of(row["pid"]) if row["pid"] else 0) - server
        good = done.returncode == 0 and self.same(row)
        print(f"{row['name']:30} {row['work']:6} {row['way']:5} {wall:7.2f} s {cpu:7.2f} s CPU  {'ok' if good else 'BAD'}", file=sys.stderr)
        if good:
            row["runs"].append((wall, cpu))

    def run(self):
        self.sources()
        self.start_ours()
        self.ours()
        if not self.options.no_peers:
            self.start_ssh()
            self.peers()
            if self.options.more_peers:
                self.start_ftp()
                self.start_rclone()
                self.more_peers()
        wanted = [row for row in self.rows if re.search(self.options.only, f"{row['name']} {row['work']} {row['way']}")]
        for _ in range(self.options.reps):
            for row in wanted:
                self.run_one(row)
        return wanted

    def close(self):
        for daemon in self.daemons:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
        shutil.rmtree(self.dir)


def table(rows):
    """Lines of Markdown: per work and way, seconds, how much longer than ours, CPU of both ends."""
    lines = ["| work | way | who | seconds (median) | ours is faster by | CPU s | ours takes of it | least and most |", "|---|---|---|---|---|---|---|---|"]
    median = lambda row, what: statistics.median(run[what] for run in row["runs"])
    for work, way in dict.fromkeys((row["work"], row["way"]) for row in rows):
        group = [row for row in rows if (row["work"], row["way"]) == (work, way)]
        own = next((row for row in group if row["name"] == "catamaran" and row["runs"]), None)
        for row in sorted(group, key=lambda row: median(row, 0) if row["runs"] else 1e9):
            if not row["runs"]:
                lines.append(f"| {work} | {way} | {row['name']} | failed | | | | |")
                continue
            walls = [run[0] for run in row["runs"]]
            ratio, share = ("", "") if own in (None, row) else (f"{median(row, 0) / median(own, 0):.2f} ×", f"{median(own, 1) / median(row, 1):.0%}")
            name = f"**{row['name']}**" if row is own else row["name"] + (" (tuned)" if row["tuned"] else "")
            lines.append(f"| {work} | {way} | {name} | {median(row, 0):.2f} | {ratio} | {median(row, 1):.2f} | {share} | {min(walls):.2f} – {max(walls):.2f} |")
    return lines


def chart(rows, work):
    """Bars of text: the longer, the slower."""
    shown = [(f"{row['name']}, {row['way']}", statistics.median(run[0] for run in row["runs"])) for row in rows if row["work"] == work and row["runs"]]
    longest = max((seconds for _, seconds in shown), default=1)
    return [f"{name:52} {'█' * max(1, round(40 * seconds / longest))} {seconds:.2f} s" for name, seconds in sorted(shown, key=lambda one: one[1])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--place", action="append")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--big", type=int, default=1024)
    parser.add_argument("--small", type=int, default=10000)
    parser.add_argument("--only", default="")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    if options.install:
        sh("apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server openssh-client rsync lftp vsftpd rclone openssl")
    if not options.no_peers and not (shutil.which("rsync") and Path("/usr/sbin/sshd").exists()):
        print("rsync or sshd is missing: only our own rows (--install gets them)", file=sys.stderr)
        options.no_peers = True
    options.more_peers = not options.no_peers and all(map(shutil.which, ("lftp", "rclone", "openssl"))) and Path("/usr/sbin/vsftpd").exists()
    sh(f"cd {ROOT} && cargo build --release --quiet -p server -p tui-client -p tests --bins")
    disk = ROOT / "target/bench"
    disk.mkdir(parents=True, exist_ok=True)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    lines = ["# Measurements", "", f"`{' '.join(['tests/bench/bench.py', *sys.argv[1:]])}`, {datetime.date.today()}, {os.cpu_count()} processors "
             f"({model[1] if model else platform.machine()}), Linux {platform.release()}.", "",
             f"big: one file of {options.big} MiB. small: {options.small} files of 4 KiB in directories of 100. again: the small files a second time, unchanged.",
             "delta: the big file with one block in a hundred changed. Medians of interleaved runs over loopback; CPU of both ends together.",
             "Ours proves every file by BLAKE3 and syncs it to the disk before it is acknowledged; no other syncs, and only rsync compares a hash. Compare only within a table.",
             "lftp and rclone take minutes for the small files and are left out there."]
    for place in options.place or ["/dev/shm", disk]:
        bench = Bench(place, options)
        try:
            rows = bench.run()
        finally:
            bench.close()
        kind = subprocess.run(["stat", "-f", "-c", "%T", place], capture_output=True, text=True).stdout.strip()
        kind = kind.replace("ext2/ext3", "ext4")  # They share a number.
        lines += ["", f"## {kind}", "", *table(rows)]
        for work in ("big", "small"):
            lines += ["", f"{work}:", "```", *chart(rows, work), "```"]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "RESULTS.md").write_text(text)
    print(text)


main()
