"""Compute a manifest's shards on six hosts while they fail, and compare with one machine.

    go build -o icebox ./cmd/icebox
    go build -o s3 github.com/johannesboyne/gofakes3/cmd/gofakes3
    unshare -rnm python .github/scripts/shards_with_faults.py ./icebox ./s3 IMAGES WEIGHTS [--shards 36] [--limit 1080]

Each host is a network namespace of this machine; a seventh has a store that speaks S3, where images,
manifest and parts lie. Processes are killed (SIGKILL) at random moments, one host is cut off the
network for a while, one is slow, and shards are given to two hosts at once. At last the parts are
merged, and the rows are compared, bit by bit, with those that one process made from the same bucket.
It needs ip (iproute2), and Linux. IMAGES is a folder of class folders; WEIGHTS a file or "random".
"""

import argparse, collections, json, os, pathlib, queue, random, shutil, signal, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request

p = argparse.ArgumentParser()
p.add_argument("icebox")
p.add_argument("s3")
p.add_argument("images")
p.add_argument("weights")
p.add_argument("--shards", type=int, default=36)
p.add_argument("--limit", type=int, default=1080)
p.add_argument("--hosts", type=int, default=6)
p.add_argument("--kills", type=int, default=6)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()

tmp = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
rng = random.Random(a.seed)
STORE = "10.7.0.100:9000"
CUT_OFF, SLOW = 2, 3  # hosts


def sh(line):
    subprocess.run(line, shell=True, check=True)


def network():
    """Hosts of a network of their own: namespaces on a bridge."""
    sh("mount -t tmpfs none /run && mkdir -p /run/netns && ip link set lo up && ip link add br0 type bridge && ip addr add 10.7.0.1/24 dev br0 && ip link set br0 up")
    for n, ip in [(f"h{i}", f"10.7.0.{10 + i}") for i in range(a.hosts)] + [("store", "10.7.0.100")]:
        sh(f"ip netns add {n} && ip link add {n}v type veth peer name eth0 netns {n} && ip link set {n}v master br0 up")
        sh(f"ip -n {n} link set lo up && ip -n {n} addr add {ip}/24 dev eth0 && ip -n {n} link set eth0 up")


def on(host, *args, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    scratch = tmp / f"host{host}"
    scratch.mkdir(exist_ok=True)
    env |= {"AWS_ENDPOINT_URL": "http://" + STORE, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
            "TMPDIR": str(scratch), "ICEBOX_OFFLINE": "1", "GOMAXPROCS": "1"}
    return subprocess.Popen(["ip", "netns", "exec", f"h{host}", a.icebox, *map(str, args)], env=env, cwd=tmp, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def run(host, *args):
    q = on(host, *args)
    out, err = q.communicate()
    if q.returncode:
        sys.exit(f"icebox {' '.join(map(str, args))}: exit code {q.returncode}\n{err}")
    return out


def upload():
    files = sorted(f for f in pathlib.Path(a.images).rglob("*") if f.suffix.lower() in {".jpg", ".jpeg", ".png"})
    rng.shuffle(files)
    for f in files[: a.limit]:
        name = urllib.parse.quote(str(f.relative_to(a.images)))
        urllib.request.urlopen(urllib.request.Request(f"http://{STORE}/photos/set/{name}", f.read_bytes(), method="PUT"))
    return min(len(files), a.limit)


class Attempt:
    def __init__(self, shard, host):
        self.shard, self.host, self.fault, self.began = shard, host, "", time.monotonic()


attempts, running, lock = [], {}, threading.Lock()
todo = queue.Queue()
done = {}


def host(h):
    """A scheduler's agent: it takes a shard, and gives one back whose process failed."""
    while len(done) < a.shards:
        try:
            shard = todo.get(timeout=0.2)
        except queue.Empty:
            continue
        t = Attempt(shard, h)
        q = on(h, "extract", "--manifest", "s3://photos/job/m", "--shard", f"{shard}/{a.shards}", "--parts", "s3://photos/job/parts", "--json", f"backbone.weights={a.weights}")
        with lock:
            running[q.pid] = (q, t)
        out, t.err = q.communicate()
        with lock:
            del running[q.pid]
        t.seconds, t.code = time.monotonic() - t.began, q.returncode
        t.result = json.loads(out.splitlines()[-1]) if t.code == 0 else {}
        attempts.append(t)
        if t.code == 0:
            done[shard] = t
        elif t.code in (1, 6, 8, 9, 130, -signal.SIGKILL, 137):
            todo.put(shard)
        else:
            sys.exit(f"shard {shard}: exit code {t.code}: {t.err}")


def children(pid):
    return [pid] + [c for line in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for c in children(int(line))]


def torment():
    """What goes wrong. ip netns exec becomes the program, so that the process is icebox itself."""
    kills, cut = a.kills, 0.0
    slow_on = False
    began = time.monotonic()
    next_kill = began + 6
    while len(done) < a.shards:
        time.sleep(0.1)
        now = time.monotonic()
        with lock:
            for q, t in running.values():  # half of the time the slow host stands still
                if t.host == SLOW:
                    t.fault = t.fault or "slow"
                    q.send_signal(signal.SIGSTOP if slow_on else signal.SIGCONT)
            slow_on = not slow_on
            ripe = [(q, t) for q, t in running.values() if now - t.began > 2.5 and not t.fault]
            if kills and now > next_kill and ripe:
                q, t = rng.choice(ripe)
                t.fault = "killed"
                q.kill()
                kills, next_kill = kills - 1, now + rng.uniform(1, 5)
            if not cut and now - began > 10:
                cut = now
                sh(f"ip link set h{CUT_OFF}v down")
            if 0 < cut < now:
                for q, t in running.values():
                    if t.host == CUT_OFF and cut + 25 > now:
                        t.fault = t.fault or "cut off"
            if 0 < cut < now - 25:
                sh(f"ip link set h{CUT_OFF}v up")
                cut = float("inf")
    with lock:
        for q, _ in running.values():
            q.send_signal(signal.SIGCONT)


def exported(cache, where):
    run(0, "cache", "export", "--cache", cache, "--out", tmp / where)
    import numpy as np

    rows = np.load(tmp / where / "features.npy")
    index = (tmp / where / "index.csv").read_text().splitlines()
    return rows, index


network()
data = tmp / "store"
store = subprocess.Popen(["ip", "netns", "exec", "store", a.s3, "-backend", "memory", "-initialbucket", "photos", "-host", ":9000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://{STORE}/photos/", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    images = upload()
    start = time.monotonic()
    run(0, "extract", "--data", "s3://photos/set", "--cache", tmp / "one.db", f"backbone.weights={a.weights}")
    alone = time.monotonic() - start
    run(0, "manifest", "--data", "s3://photos/set", "--out", "s3://photos/job/m", "--cache", tmp / "none.db", f"backbone.weights={a.weights}")
    # A sixth of the shards is given to two hosts.
    order = list(range(a.shards)) + rng.sample(range(a.shards), a.shards // 6)
    order.sort(key=lambda s: (s, rng.random()))
    for s in order:
        todo.put(s)
    start = time.monotonic()
    threads = [threading.Thread(target=host, args=(h,)) for h in range(a.hosts)] + [threading.Thread(target=torment)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.monotonic() - start
    out = json.loads(run(0, "cache", "merge", "s3://photos/job/parts", "--manifest", "s3://photos/job/m", "--cache", tmp / "merged.db", "--json"))
    (one, one_index), (merged, merged_index) = exported(tmp / "one.db", "one"), exported(tmp / "merged.db", "merged")
    identical = one.tobytes() == merged.tobytes() and one_index == merged_index and len(one) == images
    computed = sum(t.result.get("computed", 0) for t in attempts)
    print(f"{images} images, {a.shards} shards, {a.hosts} hosts: {took:.0f} s; one process alone: {alone:.0f} s (two processors in all)")
    print(f"rows of the merged cache identical with those of one process: {identical}")
    print(f"computed in attempts that ended well: {computed} of {images} images")
    print("\n| what happened | attempts | exit codes | seconds, mean | computed | done already |\n|---|---|---|---|---|---|")
    kinds = collections.defaultdict(list)
    twice = {s for s, n in collections.Counter(order).items() if n > 1}
    for t in attempts:
        kinds[t.fault or ("given to two hosts" if t.shard in twice else "nothing")].append(t)
    for kind, of in sorted(kinds.items()):
        codes = ", ".join(f"{c}×{n}" for c, n in sorted(collections.Counter(t.code for t in of).items()))
        print(f"| {kind} | {len(of)} | {codes} | {sum(t.seconds for t in of) / len(of):.1f} | {sum(t.result.get('computed', 0) for t in of)} | {sum(bool(t.result.get('already')) for t in of)} |")
    for t in attempts:
        if t.code and t.fault != "killed":
            print(f"shard {t.shard} on host {t.host} ({t.fault}): {t.err.strip().splitlines()[-2:]}")
    if not identical:
        sys.exit("the rows differ")
finally:
    store.kill()
    shutil.rmtree(tmp, ignore_errors=True)
