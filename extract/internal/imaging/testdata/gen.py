"""Makes the fixtures of this folder. Needs Pillow, torch, torchvision, numpy:

    python gen.py

Every picture is drawn here from formulas; the expected results are those of
Pillow and torchvision. See README.md for what each file holds.
"""
import hashlib, io, json, os, struct, warnings, zlib
import numpy as np
import torch
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin
from torchvision import transforms as T
from torchvision.transforms import v2

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)
os.makedirs("images", exist_ok=True)
CROP = T.Compose([T.Resize(256), T.CenterCrop(224)])
NORMALISE = T.Compose([T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
RNG = np.random.default_rng(7)


def sha(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()


def pattern(w, h):
    """The formula that the Go tests draw too."""
    y, x = np.mgrid[0:h, 0:w].astype(np.int64)
    return np.stack([((x * x * 3 + y * y * 5 + x * y * (c + 1) * 7 + (x ^ y) * 11) >> 3) & 255 for c in range(3)], -1).astype(np.uint8)


def smooth(w, h, channels=3):
    y, x = np.mgrid[0:h, 0:w] / max(w, h)
    waves = [127 + 60 * np.sin(9 * x + c) + 60 * np.cos(7 * y * (c + 1)) for c in range(channels)]
    a = np.stack(waves, -1) + RNG.normal(0, 4, (h, w, channels))
    return np.clip(a, 0, 255).astype(np.uint8)


images = []


def add(name, data, want=None):
    """Records a file with the crops that Pillow gets from it. want replaces
    Pillow's reading where ours differs on purpose."""
    with open(f"images/{name}", "wb") as f:
        f.write(data)
    im = Image.open(io.BytesIO(data))
    orientation = im.getexif().get(274, 1)
    width, height = im.size
    if im.format == "TIFF":
        width, height = im.tag_v2[256], im.tag_v2[257]
    raw = Image.fromarray(want) if want is not None else Image.open(io.BytesIO(data)).convert("RGB")
    turned = raw if want is not None else ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    images.append(dict(file=name, format=im.format.replace("MPO", "JPEG").replace("WEBP", "WebP"), width=width, height=height,
                       orientation=orientation if isinstance(orientation, int) and 2 <= orientation <= 8 else 1,
                       crop=sha(np.asarray(CROP(turned))), stored=sha(np.asarray(CROP(raw)))))


def saved(im, fmt, **kw):
    b = io.BytesIO()
    im.save(b, fmt, **kw)
    return b.getvalue()


# ---- JPEG whose blocks are flat: the inverse DCT is exact in any decoder ----

def segment(mark, body):
    return struct.pack(">BBH", 0xFF, mark, len(body) + 2) + body


def flat_jpeg(w, h, factors, apps=b"", ids=(1, 2, 3, 4), rng=RNG):
    """Baseline JPEG with random DC coefficients only. factors: (h, v) per component."""
    maxh, maxv = max(f[0] for f in factors), max(f[1] for f in factors)
    lengths = [0, 0, 0, 12] + [0] * 12  # twelve codes of 4 bits: DC categories 0..11
    out = b"\xff\xd8" + apps + segment(0xDB, b"\x00" + bytes([8] * 64))
    out += segment(0xC0, struct.pack(">BHHB", 8, h, w, len(factors)) +
                   b"".join(bytes([ids[i], f[0] << 4 | f[1], 0]) for i, f in enumerate(factors)))
    out += segment(0xC4, b"\x00" + bytes(lengths) + bytes(range(12)))
    out += segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00")  # one AC code: end of block
    out += segment(0xDA, bytes([len(factors)]) + b"".join(bytes([ids[i], 0]) for i in range(len(factors))) + b"\x00\x3f\x00")
    bits, last = [], [0] * len(factors)
    single = len(factors) == 1
    mw, mh = (8, 8) if single else (8 * maxh, 8 * maxv)
    for _ in range(-(-w // mw) * -(-h // mh)):
        for i, (fh, fv) in enumerate(factors):
            for _ in range(1 if single else fh * fv):
                value = int(rng.integers(-128, 128))
                diff, last[i] = value - last[i], value
                n = abs(diff).bit_length()
                bits.append(f"{n:04b}")
                if n:
                    bits.append(f"{diff if diff > 0 else diff + (1 << n) - 1:0{n}b}")
                bits.append("0")
    s = "".join(bits)
    s += "1" * (-len(s) % 8)
    data = int(s, 2).to_bytes(len(s) // 8, "big")
    return out + data.replace(b"\xff", b"\xff\x00") + b"\xff\xd9"


JFIF = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")


def adobe(transform):
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


def exif(orientation, order="<"):
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def flat_jpegs():
    full, half = (1, 1), (2, 2)
    for name, f in dict(f444=[full] * 3, f422=[(2, 1), full, full], f440=[(1, 2), full, full], f420=[half, full, full],
                        f411=[(4, 1), full, full], f410=[(4, 2), full, full], f400=[full]).items():
        for w, h in [(61, 47), (32, 64), (1, 9), (5, 1), (4, 4), (3, 3), (83, 30), (4, 33)]:
            if (w, h) in [(61, 47), (3, 3)] or name in ("f420", "f422", "f440"):
                add(f"{name}-{w}x{h}.jpg", flat_jpeg(w, h, f, JFIF))
    c420 = [half, full, full]
    add("rgb-adobe.jpg", flat_jpeg(40, 30, [full] * 3, adobe(0)))
    add("rgb-adobe-420.jpg", flat_jpeg(41, 31, c420, adobe(0)))
    add("rgb-names.jpg", flat_jpeg(40, 30, [full] * 3, b"", b"RGB"))
    add("ycc-adobe-rgb-names.jpg", flat_jpeg(40, 30, c420, adobe(1), b"RGB"))
    add("ycc-no-app.jpg", flat_jpeg(40, 30, c420))
    add("rgb-adobe-but-jfif.jpg", flat_jpeg(40, 30, c420, JFIF + adobe(0)))
    add("cmyk-adobe.jpg", flat_jpeg(40, 30, [full] * 4, adobe(0)))
    add("cmyk-no-app.jpg", flat_jpeg(40, 30, [full] * 4))
    add("cmyk-420.jpg", flat_jpeg(45, 33, [half, full, full, half], adobe(0)))
    add("ycck.jpg", flat_jpeg(40, 30, [full] * 4, adobe(2)))
    add("ycck-420.jpg", flat_jpeg(45, 33, [half, full, full, half], adobe(2)))
    for o in range(0, 10):
        add(f"exif{o}.jpg", flat_jpeg(51, 37, c420, segment(0xE1, b"Exif\0\0" + exif(o, "<>"[o % 2]))))
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    add("xmp6.jpg", flat_jpeg(51, 37, c420, segment(0xE1, xmp)))
    add("xmp6-element.jpg", flat_jpeg(51, 37, c420, segment(0xE1, xmp.replace(b'="6"', b">6<"))))
    blob = exif(8)
    add("exif-split.jpg", flat_jpeg(30, 20, c420, b"".join(segment(0xE1, b"Exif\0\0" + p) for p in (blob[:12], blob[12:]))))


def real_jpegs():
    for name, kw in dict(q75=dict(quality=75), q95_444=dict(quality=95, subsampling=0), q85_422=dict(quality=85, subsampling=1),
                         progressive=dict(quality=80, progressive=True), restart=dict(quality=75, restart_marker_blocks=2)).items():
        add(f"{name}.jpg", saved(Image.fromarray(smooth(61, 47)), "JPEG", **kw))
    add("grey.jpg", saved(Image.fromarray(smooth(61, 47, 1)[..., 0]), "JPEG", quality=75))
    add("grey-progressive.jpg", saved(Image.fromarray(smooth(61, 47, 1)[..., 0]), "JPEG", quality=75, progressive=True))
    cmyk = saved(Image.fromarray(smooth(48, 40, 4), "CMYK"), "JPEG", quality=90)
    add("cmyk-real.jpg", cmyk)
    at = cmyk.index(b"\xff\xee")  # Adobe's segment
    add("cmyk-real-no-app.jpg", cmyk[:at] + cmyk[at + 2 + struct.unpack(">H", cmyk[at + 2:at + 4])[0]:])


# ---- JPEG of every shape that a sequential one can have ----

def codes():
    """Counts and symbols of an AC table that has all 162 symbols and codes of
    2, 8, 12 and 16 bits; and how each is written."""
    symbols = [0x00] + [(i * 16 + size) for size in range(1, 11) for i in range(16)] + [0xF0]
    counts = [0] * 16
    counts[1], counts[7], counts[11], counts[15] = 1, 100, 30, 31
    written, code, at = {}, 0, 0
    for n, count in enumerate(counts, 1):
        for _ in range(count):
            written[symbols[at]] = f"{code:0{n}b}"
            code, at = code + 1, at + 1
        code <<= 1
    return bytes(counts), bytes(symbols), written


def coef_jpeg(rng, w, h, factors, apps=b"", size=4, density=0.2, quant=8, wide=False, restart=0, split=False, sof=0xC0, table=0, ids=(1, 2, 3)):
    """Sequential JPEG with random coefficients of up to size bits. wide: 16-bit
    quantisation; split: a scan a component, or the components of each; table: the number of its tables."""
    counts, symbols, written = codes()
    maxh, maxv = max(f[0] for f in factors), max(f[1] for f in factors)
    out = b"\xff\xd8" + apps
    out += segment(0xDB, b"\x10" + struct.pack(">64H", *[quant] * 64) if wide else b"\x00" + bytes([quant] * 64))
    out += segment(sof, struct.pack(">BHHB", 8, h, w, len(factors)) +
                   b"".join(bytes([ids[i], f[0] << 4 | f[1], 0]) for i, f in enumerate(factors)))
    out += segment(0xC4, bytes([table]) + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    out += segment(0xC4, bytes([0x10 | table]) + counts + symbols)
    if restart:
        out += segment(0xDD, struct.pack(">H", restart))

    def value(v):
        n = abs(v).bit_length()
        return n, f"{v if v > 0 else v + (1 << n) - 1:0{n}b}" if n else ""

    def block(last):
        dc = int(rng.integers(-127, 128))
        n, text = value(dc - last)
        text, run = f"{n:04b}" + text, 0
        for _ in range(63):
            v = int(rng.integers(-(1 << size) + 1, 1 << size)) if rng.random() < density else 0
            if v == 0:
                run += 1
                continue
            while run > 15:
                text, run = text + written[0xF0], run - 16
            n, low = value(v)
            text, run = text + written[run * 16 + n] + low, 0
        return dc, text + (written[0x00] if run else "")

    def packed(s):
        s += "1" * (-len(s) % 8)
        return int(s, 2).to_bytes(len(s) // 8, "big").replace(b"\xff", b"\xff\x00")

    if split is True:
        split = [[i] for i in range(len(factors))]
    for scan in split or [list(range(len(factors)))]:
        out += segment(0xDA, bytes([len(scan)]) + b"".join(bytes([ids[i], table * 17]) for i in scan) + b"\x00\x3f\x00")
        if len(scan) == 1:
            fh, fv = factors[scan[0]]
            if len(factors) == 1:
                fh = fv = maxh = maxv = 1
            cw, ch = -(-w * fh // maxh), -(-h * fv // maxv)
            mcus, blocks = -(-cw // 8) * -(-ch // 8), [(scan[0], 1)]
        else:
            mcus, blocks = -(-w // (8 * maxh)) * -(-h // (8 * maxv)), [(i, factors[i][0] * factors[i][1]) for i in scan]
        bits, last = "", [0] * len(factors)
        for mcu in range(mcus):
            if restart and mcu and mcu % restart == 0:
                out += packed(bits) + bytes([0xFF, 0xD0 + (mcu // restart - 1) % 8])
                bits, last = "", [0] * len(factors)
            for i, n in blocks:
                for _ in range(n):
                    last[i], text = block(last[i])
                    bits += text
        out += packed(bits)
    return out + b"\xff\xd9"


def sequential_jpegs():
    rng = np.random.default_rng(11)  # of its own, so that other fixtures stay
    full, half = (1, 1), (2, 2)
    layouts = {"444": [full] * 3, "422": [(2, 1), full, full], "440": [(1, 2), full, full], "420": [half, full, full], "400": [half]}
    for n in range(1, 18):
        for name, f in layouts.items():
            if name == "420" or n in (1, 2, 3, 5, 8, 9, 16, 17):
                add(f"s{name}-{n}x{18 - n}.jpg", coef_jpeg(rng, n, 18 - n, f, JFIF))
    for name, f in layouts.items():
        add(f"s{name}-restart.jpg", coef_jpeg(rng, 61, 47, f, JFIF, restart=3))
        add(f"s{name}-restart-1.jpg", coef_jpeg(rng, 83, 30, f, JFIF, restart=1, density=0.05))
        add(f"s{name}-scans.jpg", coef_jpeg(rng, 61, 47, f, JFIF, split=True))
    add("s420-scans-restart.jpg", coef_jpeg(rng, 37, 53, layouts["420"], JFIF, split=True, restart=5))
    add("s411.jpg", coef_jpeg(rng, 61, 47, [(4, 1), full, full], JFIF))
    add("s410.jpg", coef_jpeg(rng, 61, 47, [(4, 2), full, full], JFIF))
    add("s-small-luma.jpg", coef_jpeg(rng, 61, 47, [full, half, half], JFIF))
    add("s-mixed.jpg", coef_jpeg(rng, 61, 47, [half, (2, 1), (1, 2)], JFIF))
    add("s-all-double.jpg", coef_jpeg(rng, 61, 47, [(2, 1)] * 3, JFIF))
    add("s-wide-quant.jpg", coef_jpeg(rng, 61, 47, layouts["420"], JFIF, wide=True, quant=300, size=2, density=0.05))
    add("s-extended.jpg", coef_jpeg(rng, 61, 47, layouts["420"], JFIF, sof=0xC1, table=3))
    add("s-harsh.jpg", coef_jpeg(rng, 61, 47, layouts["420"], JFIF, size=8, density=0.5))
    add("s-harshest.jpg", coef_jpeg(rng, 61, 47, layouts["444"], JFIF, size=10, density=0.9, quant=255))
    add("s-long-codes.jpg", coef_jpeg(rng, 32, 32, layouts["444"], JFIF, size=9, density=0.12, quant=1))
    add("s-rgb.jpg", coef_jpeg(rng, 61, 47, layouts["444"], adobe(0)))
    for q in (1, 5, 10, 25, 50, 60, 90, 100):
        add(f"quality{q}.jpg", saved(Image.fromarray(pattern(83, 70) if q < 50 else np.asarray(Image.fromarray(pattern(20, 17)).resize((83, 70)))),
                                     "JPEG", quality=q, subsampling=q % 3, optimize=q % 2 == 0))


# ---- JPEG in many scans ----

def scans_of(data):
    """Offsets of the headers of a JPEG's scans."""
    at, found = 2, []
    while data[at:at + 2] != b"\xff\xd9":
        if data[at] != 0xFF or data[at + 1] in (0, 0xFF) or 0xD0 <= data[at + 1] <= 0xD7:
            at += 1
            continue
        if data[at + 1] == 0xDA:
            found.append(at)
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return found


def in_header(data, keep):
    """Whether the first keep bytes of a JPEG end within a segment before one of its later scans."""
    at, inside = scans_of(data)[0], False
    while data[at:at + 2] != b"\xff\xd9":
        if data[at] != 0xFF or data[at + 1] in (0, 0xFF) or 0xD0 <= data[at + 1] <= 0xD7:
            at += 1
            continue
        end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        inside, at = inside or at + 1 < keep < end, end
    return inside


def waves(rng, w, h, channels):
    y, x = np.mgrid[0:h, 0:w] / max(w, h)
    a = np.stack([127 + 60 * np.sin(9 * x + c) + 60 * np.cos(7 * y * (c + 1)) for c in range(channels)], -1)
    return np.clip(a + rng.normal(0, 9, a.shape), 0, 255).astype(np.uint8)


def dc_progressive(rng, w, h, factors, groups, low, refined, declared=None):
    """Progressive JPEG of nothing but DC: a first scan of each group of components, without
    the lowest bits, and scans of the groups in refined, a bit each, for those."""
    out = b"\xff\xd8" + JFIF + segment(0xDB, b"\x00" + bytes([8 + i % 7 for i in range(64)]))
    out += segment(0xC2, struct.pack(">BHHB", 8, h, w, len(factors)) +
                   b"".join(bytes([i + 1, f[0] << 4 | f[1], 0]) for i, f in enumerate(declared or factors)))
    out += segment(0xC4, b"\x00" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    maxh, maxv = max(f[0] for f in factors), max(f[1] for f in factors)
    levels = {}
    for n, (group, high) in enumerate([(g, 0) for g in groups] + [(g, low - k) for k, g in enumerate(refined)]):
        al = low if high == 0 else high - 1
        out += segment(0xDA, bytes([len(group)]) + b"".join(bytes([i + 1, 0]) for i in group) + bytes([0, 0, high << 4 | al]))
        if len(group) == 1:
            fh, fv = factors[group[0]]
            mcus = -(-(-(-w * fh // maxh)) // 8) * -(-(-(-h * fv // maxv)) // 8)
        else:
            mcus = -(-w // (8 * maxh)) * -(-h // (8 * maxv))
        bits, last = "", [0] * len(factors)
        for _ in range(mcus):
            for i in group:
                for _ in range(1 if len(group) == 1 else factors[i][0] * factors[i][1]):
                    if high:
                        bits += str(rng.integers(0, 2))
                        continue
                    value = int(rng.integers(-60, 60))
                    diff, last[i] = value - last[i], value
                    size = abs(diff).bit_length()
                    bits += f"{size:04b}" + (f"{diff if diff > 0 else diff + (1 << size) - 1:0{size}b}" if size else "")
        bits += "1" * (-len(bits) % 8)
        out += int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return out + b"\xff\xd9"


def progressive_jpegs():
    rng = np.random.default_rng(13)
    for name, kw in {"444": dict(subsampling=0), "422": dict(subsampling=1), "420": dict(subsampling=2),
                     "low": dict(quality=10), "high": dict(quality=98, subsampling=2)}.items():
        for w, h in [(61, 47), (17, 9), (8, 33)] if name == "420" else [(43, 38)]:
            im = Image.fromarray(waves(rng, w, h, 3))
            add(f"p{name}-{w}x{h}.jpg", saved(im, "JPEG", progressive=True, **{"quality": 85, **kw}))
    data = saved(Image.fromarray(waves(rng, 69, 55, 3)), "JPEG", progressive=True, subsampling=2, restart_marker_blocks=3)
    add("p420-restart.jpg", data)
    for color in ("RGB", "L", "CMYK"):
        im = Image.fromarray(waves(rng, 70, 51, 4), "CMYK").convert(color)
        data = saved(im, "JPEG", progressive=True, quality=90, subsampling=2)
        add(f"p-{color}.jpg", data)
        for n, at in list(enumerate(scans_of(data)))[1:]:  # the first scans alone, which libjpeg-turbo smooths
            add(f"p-{color}-{n}.jpg", data[:at] + b"\xff\xd9")
    half, full = (2, 2), (1, 1)
    for n, (w, h, factors, groups, low, refined) in enumerate([
            (61, 47, [half, full, full], [[0], [1, 2]], 1, [[0, 1, 2]]), (33, 17, [half, full, full], [[0, 1, 2]], 2, [[0, 1, 2], [0], ]),
            (20, 40, [(1, 4), full, full], [[0, 1, 2]], 0, []), (40, 70, [(2, 4), (2, 1), full], [[0, 2], [1]], 0, []),
            (41, 30, [full], [[0]], 0, []), (7, 90, [half, full, full], [[0, 1, 2]], 0, [])]):
        add(f"p-dc-{n}.jpg", dc_progressive(rng, w, h, factors, groups, low, refined))
    add("p-dc-grey-declared-2x2.jpg", dc_progressive(rng, 41, 70, [full], [[0]], 0, [], [half]))


def forgiven_jpegs():
    """What libjpeg warns of, at most."""
    rng = np.random.default_rng(17)
    for name, kw in dict(baseline={}, progressive=dict(progressive=True)).items():
        data = saved(Image.fromarray(waves(rng, 61, 47, 3)), "JPEG", restart_marker_blocks=2, **kw)
        at = scans_of(data)[0]
        tables, end = data.index(b"\xff\xc4"), len(data) - 2
        restart = data.index(b"\xff\xd0", at)
        for what, where, extra in [("stray", tables, b"\0stray\0bytes"), ("fill", tables, b"\xff\xff\xff"), ("zero", tables, b"\xff\0"),
                                   ("alone", max(end if name == "baseline" else 0, data.rindex(b"\xff\xc4")), b"\xff\xd3\xff\x01"), ("before-scan", at, b"\0\0\xff"), ("padded", restart, b"\0\0\0"),
                                   ("surplus", end, b"\x12\x34\x56\xff\0"), ("behind", len(data), b"\xff\xd8behind")]:
            add(f"forgiven-{name}-{what}.jpg", data[:where] + extra + data[where:])
    full = (1, 1)
    add("ycc-adobe-2.jpg", flat_jpeg(40, 30, [full] * 3, adobe(2), rng=rng))
    add("ycck-adobe-1.jpg", flat_jpeg(40, 30, [full] * 4, adobe(1), rng=rng))
    add("rgb-names-adobe-1.jpg", flat_jpeg(40, 30, [full] * 3, adobe(1), b"RGB", rng=rng))
    with open("images/fractional-factors.jpg", "wb") as f:
        f.write(flat_jpeg(30, 20, [(3, 1), (2, 1), full], JFIF, rng=rng))
    add("f-two-scans.jpg", coef_jpeg(rng, 61, 47, [(2, 2), full, full], JFIF, split=[[0], [1, 2]]))


# ---- PNG of every kind, which Pillow reads but does not write ----

def png_rows(a, bits):
    """Filter-0 rows of samples a (h, w, channels)."""
    out = b""
    for row in a.reshape(a.shape[0], -1):
        if bits == 16:
            out += b"\0" + row.astype(">u2").tobytes()
        elif bits == 8:
            out += b"\0" + row.astype("u1").tobytes()
        else:
            s = "".join(f"{v:0{bits}b}" for v in row)
            s += "0" * (-len(s) % 8)
            out += b"\0" + int(s, 2).to_bytes(len(s) // 8, "big")
    return out


def png(a, bits, color, chunks=(), interlaced=False, late=()):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    h, w = a.shape[:2]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        raw = b"".join(png_rows(a[y::dy, x::dx], bits) for x, y, dx, dy in passes if a[y::dy, x::dx].size)
    else:
        raw = png_rows(a, bits)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, color, 0, 0, int(interlaced)))
    out += b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", zlib.compress(raw, 9))
    return out + b"".join(chunk(*c) for c in late) + chunk(b"IEND", b"")


def pngs():
    w, h = 37, 29
    for bits in (1, 2, 4, 8):
        a = RNG.integers(0, 1 << bits, (h, w, 1))
        add(f"grey{bits}.png", png(a, bits, 0))
        add(f"grey{bits}-trns.png", png(a, bits, 0, [(b"tRNS", b"\0\1")]))
        palette = (b"PLTE", RNG.integers(0, 256, 3 << bits, dtype=np.uint8).tobytes())
        add(f"palette{bits}.png", png(a, bits, 3, [palette]))
        add(f"palette{bits}-trns.png", png(a, bits, 3, [palette, (b"tRNS", b"\x00\x80")], interlaced=True))
    for name, color, channels in (("rgb", 2, 3), ("la", 4, 2), ("rgba", 6, 4)):
        for bits in (8, 16):
            a = RNG.integers(0, 1 << bits, (h, w, channels))
            add(f"{name}{bits}.png", png(a, bits, color, interlaced=bits == 16))
    add("rgb8-trns.png", png(RNG.integers(0, 4, (h, w, 3)), 8, 2, [(b"tRNS", b"\0\1\0\2\0\3")]))
    add("rgb16-trns.png", png(RNG.integers(0, 4, (h, w, 3)) * 257, 16, 2, [(b"tRNS", b"\1\1\2\2\3\3")]))
    grey = RNG.integers(0, 65536, (h, w, 1))
    add("grey16.png", png(grey, 16, 0), want=np.repeat(grey >> 8, 3, -1).astype(np.uint8))
    a = RNG.integers(0, 256, (h, w, 3))
    add("exif6.png", png(a, 8, 2, [(b"eXIf", exif(6))]))
    add("exif3-late.png", png(a, 8, 2, late=[(b"eXIf", exif(3, ">"))]))
    add("xmp5.png", png(a, 8, 2, [(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<r tiff:Orientation="5"/>')]))
    frames = [Image.fromarray(pattern(20, 15)), Image.fromarray(pattern(20, 15)[::-1])]
    add("animated.png", saved(frames[0], "PNG", save_all=True, append_images=frames[1:]))


def filtered_pngs():
    """Rows of every filter in turn, in several chunks of pixels."""
    rng = np.random.default_rng(19)

    def paeth(a, b, c):
        pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
        return np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))

    for name, color, n in (("grey", 0, 1), ("la", 4, 2), ("rgb", 2, 3), ("rgba", 6, 4)):
        for w, h in (67, 41), (1, 9), (2, 7), (13, 11):
            a = waves(rng, w, h, 4)[..., :n].astype(np.int64)
            above, raw = np.zeros((w, n), np.int64), b""
            for y, row in enumerate(a):
                left, corner = np.vstack([np.zeros((1, n), np.int64), row[:-1]]), np.vstack([np.zeros((1, n), np.int64), above[:-1]])
                f = (y + y // 5) % 5
                raw += bytes([f]) + ((row - [0, left, above, (left + above) // 2, paeth(left, above, corner)][f]) & 255).astype(np.uint8).tobytes()
                above = row
            packed = zlib.compress(raw, 6)
            parts = [packed[at:at + 1 + len(packed) // 3] for at in range(0, len(packed), 1 + len(packed) // 3)] + [b""]
            out = b"\x89PNG\r\n\x1a\n"
            for kind, body in [(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, color, 0, 0, 0)), (b"gAMA", struct.pack(">I", 100000))] + \
                    [(b"IDAT", p) for p in parts] + [(b"tEXt", b"a\0b"), (b"IEND", b"")]:
                out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            add(f"filters-{name}-{w}x{h}.png", out)


def gifs():
    w, h = 37, 29
    a = RNG.integers(0, 16, (h, w), dtype=np.uint8)
    p = Image.fromarray(a, "P")
    p.putpalette(RNG.integers(0, 256, 48, dtype=np.uint8).tobytes())
    add("plain.gif", saved(p, "GIF"))
    add("transparent.gif", saved(p, "GIF", transparency=5))
    add("interlaced.gif", saved(p, "GIF", interlace=1))
    q = Image.fromarray(a[::-1].copy(), "P")
    q.putpalette(p.getpalette())
    add("animated.gif", saved(p, "GIF", save_all=True, append_images=[q], transparency=3))
    for name, transparency in (("part", None), ("part-transparent", 2)):
        data = saved(p, "GIF", **({} if transparency is None else dict(transparency=transparency, interlace=0)))
        at = data.index(b"\x2c\0\0\0\0" + struct.pack("<HH", w, h))
        canvas = data[:6] + struct.pack("<HH", w + 9, h + 7) + data[10:at] + b"\x2c" + struct.pack("<HH", 4, 3) + data[at + 5:]
        add(f"{name}.gif", canvas)


def bmps():
    rgba = Image.fromarray(RNG.integers(0, 256, (29, 37, 4), dtype=np.uint8), "RGBA")
    p = Image.fromarray(RNG.integers(0, 256, (29, 37), dtype=np.uint8), "P")
    p.putpalette(RNG.integers(0, 256, 768, dtype=np.uint8).tobytes())
    add("rgb.bmp", saved(rgba.convert("RGB"), "BMP"))
    add("rgba.bmp", saved(rgba, "BMP"))
    add("palette.bmp", saved(p, "BMP"))
    add("grey.bmp", saved(rgba.convert("L"), "BMP"))
    add("bilevel.bmp", saved(rgba.convert("1"), "BMP"))


def bmp_file(w, h, bits, pixels, compression=0, size=40, palette=b"", masks=(), top_down=False, gap=0, colours=None):
    """A BMP with any header. masks lie in it, or behind it if it has 40 bytes."""
    if size == 12:
        info = struct.pack("<IHHHH", 12, w, h, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", size, w, -h if top_down else h, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4 if colours is None else colours, 0)
        info += b"".join(struct.pack("<I", m) for m in masks) if size > 40 else b""
        info += b"\0" * (size - len(info))
        info += b"".join(struct.pack("<I", m) for m in masks) if size == 40 else b""
    at = 14 + len(info) + len(palette) + gap
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + info + palette + b"\0" * gap + pixels


def bmp_kinds():
    rng = np.random.default_rng(23)

    def raw(w, h, bits):
        return rng.integers(0, 256, ((w * bits + 31) // 32 * 4) * h, dtype=np.uint8).tobytes()

    def palette(n, entry=4):
        return rng.integers(0, 256, (n, entry), dtype=np.uint8).tobytes()

    w, h = 37, 29
    for bits in (1, 4, 8):
        add(f"os2-{bits}.bmp", bmp_file(w, h, bits, raw(w, h, bits), size=12, palette=palette(1 << bits, 3)))
        add(f"os2-v2-{bits}.bmp", bmp_file(w, h, bits, raw(w, h, bits), size=64, palette=palette(1 << bits)))
    add("few-colours.bmp", bmp_file(w, h, 8, bytes(rng.integers(0, 40, 40 * h, dtype=np.uint8)), size=52, palette=palette(40), top_down=True))
    add("os2-24.bmp", bmp_file(w, h, 24, raw(w, h, 24), size=12))
    add("gap-24.bmp", bmp_file(w, h, 24, raw(w, h, 24), gap=6))
    add("gap-32.bmp", bmp_file(w, h, 32, raw(w, h, 32), gap=6, top_down=True))
    add("raw-16.bmp", bmp_file(w, h, 16, raw(w, h, 16)))
    for name, bits, masks in [("565", 16, (0xF800, 0x7E0, 0x1F)), ("555", 16, (0x7C00, 0x3E0, 0x1F)), ("888", 24, (0xFF0000, 0xFF00, 0xFF)), ("bgrx", 32, (0xFF0000, 0xFF00, 0xFF)),
                              ("xbgr", 32, (0xFF000000, 0xFF0000, 0xFF00)), ("bgxr", 32, (0xFF000000, 0xFF00, 0xFF))]:
        add(f"fields-{name}.bmp", bmp_file(w, h, bits, raw(w, h, bits), 3, 40, masks=masks))
        add(f"fields-{name}-v2.bmp", bmp_file(w, h, bits, raw(w, h, bits), 3, 52, masks=masks, top_down=True))
    for name, masks in [("abgr", (0xFF000000, 0xFF0000, 0xFF00, 0xFF)), ("rgba", (0xFF, 0xFF00, 0xFF0000, 0xFF000000)), ("bgra", (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
                        ("bgar", (0xFF000000, 0xFF00, 0xFF, 0xFF0000)), ("none", (0, 0, 0, 0))]:
        add(f"fields-{name}.bmp", bmp_file(w, h, 32, raw(w, h, 32), 3, 56, masks=masks))
    for bits in (8, 4):
        rows = b""
        for y in range(h):
            x = 0
            if y == 9:  # a step: to the right and up
                rows += bytes([5, 0x31, 0, 2, 3, 2])
                continue
            if y == 10:
                continue
            if y == 11:
                x = 8
            while x < w:
                n = int(rng.integers(1, 12))
                if n > 2 and rng.random() < 0.5:  # pixels one by one
                    n = min(n, w - x)
                    if n > 2:
                        size = n if bits == 8 else (n + 1) // 2
                        rows += bytes([0, n]) + rng.integers(0, 256, size, dtype=np.uint8).tobytes() + b"\0" * (size % 2)
                        x += n
                    continue
                rows += bytes([n, int(rng.integers(0, 256))])  # the last one may be too long
                x += n
            if y != 20 or x < w:
                rows += b"\0\0"
        add(f"runs-{bits}.bmp", bmp_file(w, h, bits, rows + b"\0\1", 1 if bits == 8 else 2, palette=palette(1 << bits)))


def webps():
    for w, h in [(61, 47), (48, 32), (1, 1), (2, 5), (5, 2), (17, 1)]:
        add(f"lossy-{w}x{h}.webp", saved(Image.fromarray(smooth(w, h)), "WEBP", quality=60))
    rgba = Image.fromarray(np.concatenate([smooth(45, 33), RNG.integers(0, 3, (33, 45, 1), dtype=np.uint8) * 127], -1), "RGBA")
    add("lossy-alpha.webp", saved(rgba, "WEBP", quality=60))
    add("lossless.webp", saved(rgba.convert("RGB"), "WEBP", lossless=True))
    add("lossless-alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))
    add("exif6.webp", saved(rgba.convert("RGB"), "WEBP", quality=50, exif=b"Exif\0\0" + exif(6)))
    frames = [Image.fromarray(smooth(30, 22)) for _ in range(2)]
    add("animated-lossy.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=50))
    frames = [rgba, rgba.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    add("animated-lossless.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exact=True))
    add("animated-alpha.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=50))


def tiff(a, photometric, order="<", extra=(), tags=()):
    """One uncompressed strip of 8- or 16-bit samples."""
    h, w, n = a.shape
    bits = 8 * a.dtype.itemsize
    body = a.astype(a.dtype.newbyteorder(order)).tobytes()
    depth_at = 8 + len(body)
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", depth_at + 2 * n) + body
    out += struct.pack(order + "H" * n, *[bits] * n)

    def entry(tag, value, count=1, typ=4):
        if typ == 3 and count == 1:
            return struct.pack(order + "HHIHH", tag, 3, 1, value, 0)
        return struct.pack(order + "HHII", tag, typ, count, value)
    depths = entry(258, bits, 1, 3) if n == 1 else entry(258, depth_at, n, 3)
    entries = [entry(256, w), entry(257, h), depths, entry(259, 1, 1, 3), entry(262, photometric, 1, 3), entry(273, 8),
               entry(277, n, 1, 3), entry(278, h), entry(279, len(body))]
    entries += [entry(338, e, 1, 3) for e in extra] + [entry(t, v, 1, 3) for t, v in tags]
    entries.sort(key=lambda e: struct.unpack(order + "H", e[:2]))
    return out + struct.pack(order + "H", len(entries)) + b"".join(entries) + b"\0\0\0\0"


def tiffs():
    w, h = 37, 29
    rgb = Image.fromarray(smooth(w, h))
    for c in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        add(f"rgb-{c}.tif", saved(rgb, "TIFF", compression=c))
    add("grey.tif", saved(rgb.convert("L"), "TIFF"))
    add("bilevel-g4.tif", saved(rgb.convert("1"), "TIFF", compression="group4"))
    add("bilevel-g4-white-is-zero.tif", saved(rgb.convert("1"), "TIFF", compression="group4", tiffinfo={262: 0}))
    add("bilevel-g3.tif", saved(rgb.convert("1"), "TIFF", compression="group3"))
    add("bilevel.tif", saved(rgb.convert("1"), "TIFF"))
    add("palette.tif", saved(rgb.quantize(32), "TIFF"))
    a = RNG.integers(0, 256, (h, w, 4), dtype=np.uint8)
    add("rgba.tif", tiff(a, 2, extra=[2]))
    add("premultiplied.tif", tiff(a, 2, extra=[1], order=">"))
    a16 = RNG.integers(0, 65536, (h, w, 3)).astype(np.uint16)
    add("rgb16.tif", tiff(a16, 2))
    add("rgb16-be.tif", tiff(a16, 2, order=">"))
    add("rgba16.tif", tiff(RNG.integers(0, 65536, (h, w, 4)).astype(np.uint16), 2, extra=[2]))
    add("white-is-zero.tif", tiff(a[..., :1], 0))
    for o in (3, 6):
        add(f"orientation{o}.tif", tiff(a[..., :3], 2, tags=[(274, o)]))


def odd_jpegs():
    full = (1, 1)
    add("odd-factors.jpg", flat_jpeg(30, 20, [(3, 1), full, full], JFIF))
    add("black-at-half-size.jpg", saved(Image.fromarray(smooth(40, 30, 4), "CMYK"), "JPEG", subsampling=2))
    for n in (3, 4):  # which fixtures were once made of; what is drawn after them stays as it was
        RNG.integers(0, 256, (9, 11, n), dtype=np.uint8)


def lzw(data):
    """LZW of TIFF 6.0."""
    bits, codes, width, word = "", {}, 9, b""

    def put(code):
        nonlocal bits
        bits += format(code, f"0{width}b")
    put(256)
    for v in data:
        if not word or word + bytes([v]) in codes:
            word += bytes([v])
            continue
        put(codes[word] if len(word) > 1 else word[0])
        codes[word + bytes([v])] = 258 + len(codes)
        word = bytes([v])
        if len(codes) + 258 == 4094:
            put(256)
            codes, width = {}, 9
        else:
            width = max(9, (len(codes) + 258).bit_length())
    put(codes[word] if len(word) > 1 else word[0])
    width = max(9, (len(codes) + 259).bit_length())
    put(257)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def packbits(data):
    out = b""
    while data:
        n = 1
        while n < min(len(data), 128) and data[n] == data[0]:
            n += 1
        if n > 1:
            out, data = out + bytes([257 - n, data[0]]), data[n:]
        else:
            n = min(len(data), 3)
            out, data = out + bytes([n - 1]) + data[:n], data[n:]
    return out


PACKERS = {1: bytes, 5: lzw, 8: zlib.compress, 32946: zlib.compress, 32773: packbits}


def samples(a, bits, order):
    """Rows of samples of any depth."""
    if bits >= 8 and bits % 8 == 0:
        return a.astype(a.dtype.newbyteorder(order)).tobytes()
    out = b""
    for row in a.reshape(len(a), -1):
        text = "".join(format(int(v), f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        out += int(text, 2).to_bytes(len(text) // 8, "big")
    return out


def differences(a, predictor, order):
    """What the predictors make of the samples of a block."""
    if predictor == 2:
        d = a.copy()
        d[:, 1:] -= a[:, :-1]
        return d
    h, w, n = a.shape
    raw = a.astype(">f4").view(np.uint8).reshape(h, w * n, 4).transpose(0, 2, 1).reshape(h, -1)
    d = raw.copy()
    d[:, n:] -= raw[:, :-n]
    return d.reshape(h, w, 4 * n)


def tiff_of(a, photometric, bits=None, order="<", big=False, planar=False, tile=None, rows=None, compression=1, predictor=1, reverse=False,
            padded=False, kind=1, extra=(), tags=(), pack=None):
    """A TIFF of any kind. pack makes bytes of the samples of a block, in place of a compression of PACKERS."""
    h, w, n = a.shape
    bits = bits or 8 * a.dtype.itemsize
    tw, th = tile or (w, rows or h)
    blocks = []
    for plane in ([a[..., i:i + 1] for i in range(n)] if planar else [a]):
        for y in range(0, h, th):
            for x in range(0, w, tw):
                b = plane[y:y + th, x:x + tw]
                if tile or padded:
                    b = np.pad(b, [(0, th - b.shape[0]), (0, tw - b.shape[1]), (0, 0)], mode="edge")
                if pack:
                    blocks.append(pack(b))
                    continue
                if predictor > 1:
                    b = differences(b, predictor, order)
                data = PACKERS[compression](samples(b, bits if predictor < 3 else 8, order))
                blocks.append(bytes(int(format(v, "08b")[::-1], 2) for v in data) if reverse else data)
    fields = {256: (4, [w]), 257: (4, [h]), 258: (3, [bits] * n), 259: (3, [compression]), 262: (3, [photometric]), 277: (3, [n])}
    if tile:
        fields |= {322: (3, [tw]), 323: (3, [th])}
    else:
        fields |= {278: (3, [th])}
    for present, tag, typ, values in [(predictor > 1, 317, 3, [predictor]), (reverse, 266, 3, [2]), (planar, 284, 3, [2]), (kind != 1, 339, 3, [kind] * n), (extra, 338, 3, list(extra))]:
        if present:
            fields[tag] = (typ, values)
    fields |= dict(tags)
    head = (b"II" if order == "<" else b"MM") + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    word, room = ("Q", 8) if big else ("I", 4)
    offsets, counts = (324, 325) if tile else (273, 279)
    fields[offsets], fields[counts] = (16 if big else 4, [0] * len(blocks)), (4, [len(b) for b in blocks])
    sizes = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}
    at = len(head) + (8 if big else 2) + len(fields) * (4 + 2 * room) + room
    late = {t: struct.calcsize(order + sizes[typ] * len(v)) for t, (typ, v) in fields.items()}
    place = {}
    for t, size in late.items():
        if size > room:
            place[t] = at
            at += size + size % 2
    for i, b in enumerate(blocks):
        fields[offsets][1][i] = at
        at += len(b)
    entries, rest = b"", b""
    for t in sorted(fields):
        typ, values = fields[t]
        data = struct.pack(order + sizes[typ] * len(values), *values)
        entries += struct.pack(order + "HH" + word, t, typ, len(values))
        if t in place:
            entries += struct.pack(order + word, place[t])
        else:
            entries += data.ljust(room, b"\0")
    for t in place:
        typ, values = fields[t]
        rest += struct.pack(order + sizes[typ] * len(values), *values) + b"\0" * (late[t] % 2)
    return head + struct.pack(order + ("Q" if big else "H"), len(fields)) + entries + struct.pack(order + word, 0) + rest + b"".join(blocks)


def drawn(name, data, want):
    """Records a file that Pillow does not read, or reads otherwise than it should."""
    with open(f"images/{name}", "wb") as f:
        f.write(data)
    crop = sha(np.asarray(CROP(Image.fromarray(want).convert("RGB"))))
    images.append(dict(file=name, format="TIFF", width=want.shape[1], height=want.shape[0], orientation=1, crop=crop, stored=crop))


def jpeg_blocks(mode, **options):
    """A packer of blocks as JPEGs, without the tables, which are the same for all, and what lies in the tag of tables."""
    def parts(b):
        data = saved(Image.fromarray(b[..., 0] if mode == "L" else b, mode), "JPEG", **options)
        tables, rest, at = b"", data[:2], 2
        while data[at + 1] != 0xDA:
            end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
            if data[at + 1] in (0xDB, 0xC4):
                tables += data[at:end]
            elif data[at + 1] in (0xC0, 0xC1, 0xC2):
                rest += data[at:end]
            at = end
        return b"\xff\xd8" + tables + b"\xff\xd9", rest + data[at:]
    shape = (16, 16, {"L": 1, "RGB": 3, "CMYK": 4}[mode])
    return lambda b: parts(b)[1], {347: (7, list(parts(np.zeros(shape, np.uint8))[0]))}


def tiff_kinds():
    """TIFFs of the kinds that scanners, cameras and programs for printing, maps and microscopes write."""
    global RNG
    rng, before, RNG = np.random.default_rng(31), RNG, np.random.default_rng(32)
    w, h = 37, 29
    cmyk, rgb = smooth(w, h, 4), smooth(w, h)
    noise = rng.integers(0, 256, (h, w, 6), dtype=np.uint8)
    wide = rng.integers(0, 65536, (h, w, 4)).astype(np.uint16)
    tile, rows = dict(tile=(16, 16)), dict(rows=8)

    # colours
    add("t-cmyk.tif", tiff_of(cmyk, 5))
    add("t-cmyk-lzw.tif", tiff_of(cmyk, 5, compression=5, predictor=2, **rows))
    add("t-cmyk-16.tif", tiff_of(wide, 5, order=">"))
    add("t-cmyk-spot.tif", tiff_of(noise[..., :5], 5, extra=[0], **rows))
    add("t-cmyk-planes.tif", tiff_of(cmyk, 5, planar=True, **rows))
    add("t-cmyk-planes-deflate.tif", tiff_of(cmyk, 5, planar=True, compression=8, order=">", **tile))
    drawn("t-cmyk-4.tif", tiff_of(cmyk >> 4, 5, bits=4), np.asarray(Image.fromarray((cmyk >> 4) * 17, "CMYK").convert("RGB")))
    add("t-rgbx.tif", tiff_of(noise[..., :4], 2, extra=[0]))
    add("t-rgbxxx.tif", tiff_of(noise, 2, extra=[0, 0, 0], compression=5, **tile))
    add("t-rgb-alpha-unsaid.tif", tiff_of(noise[..., :4], 2))
    add("t-rgb-alpha-corel.tif", tiff_of(noise[..., :4], 2, extra=[999]))
    add("t-rgb-premultiplied-x.tif", tiff_of(noise[..., :5], 2, extra=[1, 0]))
    add("t-rgb-premultiplied-16.tif", tiff_of(wide, 2, extra=[1]))
    add("t-rgb-alpha-16.tif", tiff_of(wide, 2, extra=[2], order=">", compression=8, predictor=2))
    add("t-la.tif", tiff_of(noise[..., :2], 1, extra=[2]))
    add("t-lx.tif", tiff_of(noise[..., :2], 1, extra=[0]))
    dim, a = noise[..., 0].astype(int), noise[..., 1].astype(int)
    drawn("t-la-premultiplied.tif", tiff_of(noise[..., :2], 1, extra=[1]), np.where(a == 0, 0, np.minimum(dim * 255 // np.maximum(a, 1), 255)).astype(np.uint8))

    # planes
    add("t-planes.tif", tiff_of(rgb, 2, planar=True))
    add("t-planes-tiles.tif", tiff_of(rgb, 2, planar=True, compression=5, predictor=2, **tile))
    add("t-planes-x.tif", tiff_of(noise[..., :4], 2, planar=True, extra=[0], compression=32773, **rows))
    add("t-planes-premultiplied.tif", tiff_of(noise[..., :4], 2, planar=True, extra=[1], compression=8, **rows))
    add("t-planes-16.tif", tiff_of(wide[..., :3], 2, planar=True, compression=5, order=">", **rows))
    drawn("t-planes-16-raw.tif", tiff_of(wide[..., :3], 2, planar=True), (wide[..., :3] >> 8).astype(np.uint8))

    # depths; Pillow's own reader of raw pixels lacks some that libtiff has
    TiffImagePlugin.READ_LIBTIFF = True
    for bits, photometric, fill in [(1, 0, False), (1, 1, True), (2, 0, False), (2, 1, True), (4, 0, True), (4, 1, False), (8, 0, True)]:
        a = (noise[..., :1] >> (8 - bits))
        add(f"t-grey{bits}-{photometric}{'-reversed' if fill else ''}.tif", tiff_of(a, photometric, bits=bits, reverse=fill, **rows))
    TiffImagePlugin.READ_LIBTIFF = False
    add("t-grey2-tiles.tif", tiff_of(noise[..., :1] >> 6, 1, bits=2, compression=32773, **tile))
    for bits in (1, 2, 4):
        colours = {320: (3, rng.integers(0, 65536, 3 << bits).tolist())}
        add(f"t-palette{bits}.tif", tiff_of(noise[..., :1] >> (8 - bits), 3, bits=bits, tags=colours, order="<>"[bits // 2 % 2], **rows))
    twelve = rng.integers(0, 4096, (h, w, 3)).astype(np.uint16)
    for name, order, n in [("grey12", "<", 1), ("grey12-be", ">", 1), ("rgb12", "<", 3)]:
        drawn(f"t-{name}.tif", tiff_of(twelve[..., :n], n // 2 + 1, bits=12, order=order, **rows), (twelve[..., :n] >> 4).astype(np.uint8).squeeze())
    for bits in (1, 2, 4):
        a = noise[..., :3] >> (8 - bits)
        drawn(f"t-rgb{bits}.tif", tiff_of(a, 2, bits=bits, compression=5), a * (255 // ((1 << bits) - 1)))
    for order in "<>":
        drawn(f"t-grey16-{'be' if order == '>' else 'le'}.tif", tiff_of(wide[..., :1], 1, order=order, compression=5, predictor=2, **rows), (wide[..., 0] >> 8).astype(np.uint8))
        levels = np.concatenate([rng.uniform(-50, 300, (h, w - 3, 1)), np.full((h, 3, 1), [[np.inf], [-np.inf], [1e20]])], 1)
        levels[:, :9] = np.round(levels[:, :9])
        end = "be" if order == ">" else "le"
        add(f"t-float-{end}.tif", tiff_of(levels.astype(np.float32), 0, order=order, kind=3))
        clipped = np.clip(levels[..., 0], 0, 255).astype(np.uint8)  # Pillow takes packed numbers of 32 bits for little-endian ones
        drawn(f"t-float-predicted-{end}.tif", tiff_of(levels.astype(np.float32), 1, order=order, kind=3, compression=8, predictor=3, **tile), clipped)
        levels = np.clip(levels, -1e9, 1e9)
        add(f"t-int16-{end}.tif", tiff_of(np.clip(levels * 3, -32768, 32767).astype(np.int16), 1, order=order, kind=2))
        add(f"t-int32-{end}.tif", tiff_of(levels.astype(np.int32), 1, order=order, kind=2))
        drawn(f"t-int32-predicted-{end}.tif", tiff_of(levels.astype(np.int32), 1, order=order, kind=2, compression=5, predictor=2), clipped)
    add("t-uint32.tif", tiff_of(levels.astype(np.int64).astype(np.uint32), 1))
    add("t-int8.tif", tiff_of(noise[..., :1].view(np.int8), 1, kind=2))

    # offsets of 64 bits
    add("t-big.tif", tiff_of(rgb, 2, big=True, **rows))
    add("t-big-tiles.tif", tiff_of(rgb, 2, big=True, compression=5, tags={274: (3, [6])}, **tile))
    drawn("t-big-be.tif", tiff_of(rgb, 2, big=True, order=">", compression=8, **rows), rgb)

    # compressions
    add("t-tiles.tif", tiff_of(rgb, 2, **tile))
    add("t-one-tile.tif", tiff_of(rgb, 2, tile=(64, 48), compression=8))
    add("t-tiles-16.tif", tiff_of(wide[..., :3], 2, compression=5, predictor=2, tags={274: (3, [5])}, **tile))
    add("t-tiles-grey.tif", tiff_of(rgb[..., :1], 0, compression=32946, predictor=2, **tile))
    add("t-lzw-many-codes.tif", tiff_of(rng.integers(0, 256, (60, 71, 3), dtype=np.uint8), 2, compression=5))
    add("t-lzw-long-strings.tif", tiff_of(np.full((150, 90, 3), 77, np.uint8), 2, compression=5))
    for c in (5, 8, 32773):
        add(f"t-padded-{c}.tif", tiff_of(rgb, 2, compression=c, padded=True, **rows))
        add(f"t-reversed-{c}.tif", tiff_of(rgb, 2, compression=c, reverse=True, **rows))
    add("t-reversed.tif", tiff_of(rgb, 2, reverse=True))
    for name, c in [("g3", "group3"), ("g4", "group4")]:
        bilevel = Image.fromarray(rgb).convert("1")
        add(f"t-{name}-reversed.tif", saved(bilevel, "TIFF", compression=c, tiffinfo={266: 2}))
        add(f"t-{name}-strips.tif", saved(bilevel, "TIFF", compression=c, strip_size=40))

    # JPEG
    photo = smooth(75, 50)
    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        pack, tables = jpeg_blocks("RGB", subsampling=subsampling, quality=80)
        factors = {530: (3, [1 + (subsampling > 0), 1 + (subsampling > 1)])}
        add(f"t-jpeg-{name}.tif", tiff_of(photo, 6, compression=7, rows=16, pack=pack, tags=tables | factors))
        add(f"t-jpeg-{name}-tiles.tif", tiff_of(photo, 6, compression=7, tile=(32, 32), pack=pack, tags=tables | factors))
    add("t-jpeg-own-tables.tif", tiff_of(photo, 6, compression=7, rows=16, padded=True, tags={530: (3, [2, 2])},
                                         pack=lambda b: saved(Image.fromarray(b), "JPEG", quality=70)))
    pack, tables = jpeg_blocks("RGB", keep_rgb=True)
    add("t-jpeg-rgb.tif", tiff_of(photo, 2, compression=7, rows=24, pack=pack, tags=tables))
    pack, tables = jpeg_blocks("L")
    add("t-jpeg-grey.tif", tiff_of(photo[..., :1], 1, compression=7, tile=(48, 32), pack=pack, tags=tables))
    add("t-jpeg-white-is-zero.tif", tiff_of(photo[..., :1], 0, compression=7, pack=pack, tags=tables))
    add("t-jpeg-planes.tif", tiff_of(photo, 2, planar=True, compression=7, rows=16, pack=pack, tags=tables))
    pack, tables = jpeg_blocks("CMYK")
    add("t-jpeg-cmyk.tif", tiff_of(smooth(75, 50, 4), 5, compression=7, rows=16, pack=pack, tags=tables))
    add("t-jpeg-whole.tif", saved(Image.fromarray(photo), "TIFF", compression="jpeg"))
    RNG = before


def exif_blobs():
    """EXIF streams, sound and mutilated, with the orientation Pillow sees."""
    def entry(order, tag, typ, count, value):
        return struct.pack(order + "HHI", tag, typ, count) + value

    def stream(order, entries, count=None):
        head = b"II*\0" if order == "<" else b"MM\0*"
        n = len(entries) if count is None else count
        return head + struct.pack(order + "IH", 8, n) + b"".join(entries) + b"\0\0\0\0tail of the stream"
    blobs = []
    for order in "<>":
        six = entry(order, 274, 3, 1, struct.pack(order + "HH", 6, 0))
        eight = entry(order, 274, 3, 1, struct.pack(order + "HH", 8, 0))
        long6 = struct.pack(order + "I", 6)
        make = entry(order, 271, 2, 12, struct.pack(order + "I", 24))
        blobs += [stream(order, e) for e in (
            [six], [make, six], [six, eight], [eight, six], [],
            [entry(order, 274, 4, 1, long6)], [entry(order, 274, 9, 1, long6)], [entry(order, 274, 13, 1, long6)],
            [entry(order, 274, 8, 1, struct.pack(order + "hh", 6, 0))], [entry(order, 274, 8, 1, struct.pack(order + "hh", -6, 0))],
            [entry(order, 274, 1, 1, b"\6\0\0\0")], [entry(order, 274, 7, 1, b"\6\0\0\0")], [entry(order, 274, 2, 2, b"6\0\0\0")],
            [entry(order, 274, 3, 2, struct.pack(order + "HH", 6, 3))], [entry(order, 274, 3, 0, struct.pack(order + "HH", 6, 3)), eight],
            [entry(order, 274, 99, 1, long6), eight], [entry(order, 274, 0, 1, long6), eight],
            [entry(order, 271, 2, 12, struct.pack(order + "I", 5000)), six],
            [entry(order, 271, 2, 1 << 30, struct.pack(order + "I", 24)), six],
            [entry(order, 700, 1, 40, struct.pack(order + "I", 24))])]
        blobs += [stream(order, [six], 40), stream(order, [make, six], 1), b"Exif\0\0" + stream(order, [six]), stream(order, [six])[:20],
                  stream(order, [six])[:9], b"XX" + stream(order, [six])[2:], stream(order, [make, six]).replace(b"*\0", b"\0*")]
    table = []
    for b in blobs:
        im = Image.open(io.BytesIO(flat_jpeg(8, 8, [(1, 1)], segment(0xE1, b"Exif\0\0" + b))))
        try:
            o = im.getexif().get(274, 1)
        except Exception:
            o = 1
        table.append(dict(blob=b.hex(), orientation=o if isinstance(o, int) and 2 <= o <= 8 else 1))
    return table


def resizes():
    sizes = [(1, 1), (1, 2), (2, 1), (1, 300), (300, 1), (1, 5000), (5000, 1), (2, 4001), (32, 32), (31, 33), (224, 224), (255, 257),
             (256, 256), (256, 300), (300, 256), (256, 257), (257, 256), (500, 375), (375, 500), (640, 427), (257, 1031), (1024, 700), (3, 7),
             (300, 600), (300, 601), (300, 604), (400, 1700), (512, 1023), (512, 1030)]
    sizes += [tuple(int(v) for v in RNG.integers(1, 700, 2)) for _ in range(30)]
    return [dict(width=w, height=h, crop=sha(np.asarray(CROP(Image.fromarray(pattern(w, h)))))) for w, h in sizes]


def fits():
    """What squash and pad make of the formula. The padding is as functional.pad makes it."""
    sizes = [(1, 1), (1, 5000), (5000, 1), (32, 32), (31, 33), (224, 224), (223, 224), (224, 225), (300, 300), (500, 375), (375, 500), (640, 427),
             (1600, 400), (400, 1600), (113, 700), (1031, 257), (224, 100), (100, 224), (2, 449), (449, 2), (1000, 301)]
    squash, longer = v2.Resize((224, 224)), v2.Resize(None, max_size=224)
    table = []
    for w, h in sizes:
        im = Image.fromarray(pattern(w, h))
        row = dict(width=w, height=h, squash=sha(np.asarray(squash(im))))
        if min(w, h) * 224 >= max(w, h):  # else torchvision fails: nothing is left of the shorter side
            small = longer(im)
            left, top = (224 - small.width) // 2, (224 - small.height) // 2
            for name, fill in (("pad", (0, 0, 0)), ("grey", (18, 171, 159))):
                padded = v2.functional.pad(small, [left, top, 224 - small.width - left, 224 - small.height - top], fill=fill)
                row[name] = sha(np.asarray(padded))
        table.append(row)
    return table


def backgrounds():
    """The fixtures with an alpha channel, laid over a colour by alpha_composite."""
    table = []
    for i in images:
        try:
            im = Image.open(f"images/{i['file']}")
        except OSError:  # drawn, of a kind that Pillow does not read, and opaque
            continue
        if im.mode == "La":
            im = im.convert("LA")
        if im.mode not in ("RGBA", "LA", "PA") and "transparency" not in im.info:
            continue
        im = ImageOps.exif_transpose(im).convert("RGBA")
        over = Image.alpha_composite(Image.new("RGBA", im.size, (18, 171, 159, 255)), im)
        table.append(dict(file=i["file"], used=bool((np.asarray(im)[..., 3] < 255).any()), crop=sha(np.asarray(CROP(over.convert("RGB"))))))
    return table


def truncated():
    """What Pillow makes of the beginnings of files, if it is told to accept them."""
    table = []
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    for name in ["q75.jpg", "q95_444.jpg", "restart.jpg", "grey.jpg", "quality60.jpg", "s420-restart.jpg", "s444-restart-1.jpg", "s440-scans.jpg",
                 "s420-scans-restart.jpg", "s-rgb.jpg", "s-long-codes.jpg", "exif6.jpg", "f411-61x47.jpg", "cmyk-real.jpg", "ycck-420.jpg",
                 "progressive.jpg", "p420-61x47.jpg", "p420-restart.jpg", "p-L.jpg", "p-CMYK.jpg", "p-dc-1.jpg", "p-RGB-3.jpg",
                 "rgb8.png", "rgb16.png", "la8.png", "rgba16.png", "palette4.png", "palette8-trns.png", "grey1.png", "grey8-trns.png"]:
        with open(f"images/{name}", "rb") as f:
            data = f.read()
        start = data.index(b"\xff\xda") + 20 if name.endswith("jpg") else data.index(b"IDAT") + 12
        for keep in sorted({len(data) - 2, len(data) - 15, len(data) - 57} | {start + (len(data) - start) * n // 12 for n in range(12)}):
            # A file that ends within the header of a scan is refused, where Pillow returns a black picture.
            if keep < start or name.endswith("jpg") and in_header(data, keep):
                continue
            im = ImageOps.exif_transpose(Image.open(io.BytesIO(data[:keep]))).convert("RGB")
            table.append(dict(file=name, keep=keep, crop=sha(np.asarray(CROP(im)))))
    return table


flat_jpegs(); real_jpegs(); pngs(); gifs(); bmps(); webps(); tiffs(); odd_jpegs(); sequential_jpegs(); progressive_jpegs(); forgiven_jpegs(); filtered_pngs(); bmp_kinds(); tiff_kinds()
ramp = np.stack([np.arange(256, dtype=np.uint8)] * 3, -1)[None]
NORMALISE(Image.fromarray(ramp)).numpy().astype("<f4").tofile("lut.f32")
tensor = NORMALISE(CROP(Image.fromarray(pattern(320, 240)))).numpy().astype("<f4")
golden = dict(images=images, resizes=resizes(), exif=exif_blobs(), fits=fits(), backgrounds=backgrounds(), truncated=truncated(), tensor=dict(width=320, height=240, sha256=sha(tensor)))
with open("golden.json", "w") as f:
    json.dump(golden, f, indent=0)
