#!/usr/bin/env python3
"""What share of the peak llvm-mca predicts for the inner loops of arm64, on processors that nobody has at hand.

It builds the kernel tests for arm64, takes the loops apart with llvm-objdump, and asks llvm-mca (Debian's llvm-19 has
both). The peak is what it says of a loop of multiply-adds alone. The model knows no caches: a real machine does no
better, and may do worse.

    LLVM=-19 .github/scripts/arm64_model.py
"""
import os
import re
import subprocess
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LLVM = os.environ.get("LLVM", "")  # what the tools' names end in
CORES = ["apple-m1", "neoverse-v1", "neoverse-n1", "cortex-a76", "cortex-a55"]
KERNEL = "icebox/extract/internal/kernel."


def loop(binary, symbol, multiplies):
    """The body of the loop with so many multiply-adds."""
    text = subprocess.run([f"llvm-objdump{LLVM}", "-d", "--no-show-raw-insn", f"--disassemble-symbols={symbol}", binary],
                          capture_output=True, text=True, check=True).stdout
    lines = [m.groups() for m in re.finditer(r"^\s*([0-9a-f]+):\s+(.*)$", text, re.M)]
    at = {int(address, 16): n for n, (address, _) in enumerate(lines)}
    for n, (_, op) in enumerate(lines):
        back = re.match(r"b\.ne\s+0x([0-9a-f]+)", op)
        if not back or int(back.group(1), 16) not in at:
            continue
        body = [op for _, op in lines[at[int(back.group(1), 16)]:n]]
        if sum("fmla" in op for op in body) == multiplies and not any(op.startswith("b") for op in body):
            return body
    raise SystemExit(f"no loop of {multiplies} multiply-adds in {symbol}")


def cycles(body, cpu):
    """Cycles that a turn of the loop takes; None where llvm-mca has no model."""
    out = subprocess.run([f"llvm-mca{LLVM}", "-mtriple=aarch64", f"-mcpu={cpu}", "-iterations=500"],
                         input="\n".join(re.sub(r"\s*//.*| <.*>", "", op) for op in body) + "\n",
                         capture_output=True, text=True)
    found = re.search(r"Total Cycles:\s+(\d+)", out.stdout)
    return int(found.group(1)) / 500 if found else None


def main():
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "kernel.test")
        subprocess.run(["go", "test", "-c", "-o", binary, "./extract/internal/kernel"], cwd=ROOT, check=True,
                       env={**os.environ, "GOOS": "linux", "GOARCH": "arm64", "CGO_ENABLED": "0"})
        alone = [f"fmla v{n}.4s, v24.4s, v25.s[{n % 4}]" for n in range(24)]
        peak = {cpu: cycles(alone, cpu) for cpu in CORES}
        print("| loop | instructions | " + " | ".join(CORES) + " |\n|---|---|" + "---|" * len(CORES))
        print("| multiply-adds alone, in a cycle | | " + " | ".join(f"{24 / peak[cpu]:.1f}" if peak[cpu] else "no model" for cpu in CORES) + " |")
        for name in ("gemm", "gemmHalf"):
            for rows in (10, 9, 7, 4):
                body = loop(binary, f"{KERNEL}{name}NEON.abi0", 8 * rows)
                took = {cpu: cycles(body, cpu) for cpu in CORES}
                shares = [f"{8 * rows * peak[cpu] / 24 / took[cpu]:.0%}" if took[cpu] else "" for cpu in CORES]
                print(f"| {name}, {rows} rows | {len(body) + 1} | " + " | ".join(shares) + " |")


main()
