"""Names that a hostile or careless user may give to tasks, files and hosts."""

NASTY = [
    b"bash", b"kworker/0:1H", b"two words", b"a;b;c", b"[kworker/0:1]", b"k=v a=b", b"pid = 1234", b"disk = vda", b"usecs : count",
    b"0 -> 1 : 5 |**", b"-> x", b"a -> b", b"PCOMM  PID", b"TIME COMM PID", b"PID COMM", b"nan", b"NaN", b"inf", b"007", b"1e3", b"0x10", b"-1", b"12", b"4 5 6 7", b"null",
    b"true", b"", b" ", b" lead", b"  lead2", b"trail ", b"tab\tcomm", b"\ttab", b"\x1b[31mred", b"\xff\xfelatin\xe9", b"na\xc3\xafve\xe2\x98\x83", b"\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83",
    b"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc3(", b"\xf5\x80\x80", b"\x80", b"nl\ncomm", b"a\nb\nc", b"nl\n", b"\"q,u'o\\te", b"b'x'", b"(sd-pam)", b"- (99)", b"x (1)", b"x (1) (2)",
    b"100%d%s", b"ABCDEFGHIJKLMNO", b"12:34:56", b"a\n12:34:56", b"lost 5 events", b"ERROR: no", b"Tracing x", b"-", b"--", b"[unknown]", b"a,b,c", b"1,2,3", b"*", b"avg = 1", b"cpu = 0", b"\r", b"x\r", b"\x0b\x0c", b"\xa0x\xa0", b"\x85",
]
FRAMES = ["main", "do_syscall_64", "[unknown]", "operator new(unsigned long)", "std::vector<int, std::allocator<int> >::push_back(int&&)", "[Missed User Stack]", "foo.isra.0", "a b c",
          "0x7f12", "12", "nan", "-x", "f(char const*, ...)", "__x64_sys_read", "\u00fcmlaut", "<lambda#1>::operator()() const", "bpf_prog_8831d4a4090f78e6_sched_switch", "x -> y", "(1)"]
FILES = [b"bash", b"a b", b"k,v", b"averyveryveryveryveryverylongfil", b"\xff", b"n\nl", b" lead", b"trail ", b"12", b"nan", b"1,2,R,3", b"-> x", b"x\ty", b"", b"0.12 x", b"10 20 0.30 y", b"\xe2\x98", b"a\nb\nc"]
WORDS = [b"/bin/true", b"-c", b"x", b"two words", b"; rm -rf /", b"nan", b"007", b"--pw=hunter2", b"", b" ", b"\xff\xfe", b"caf\xc3\xa9", b"PCOMM PID PPID RET ARGS", b"12 34 0 x", b"'q'", b"a\tb", b"\x1b[31m", b"%s%n", b"new\nline", b"import os\ntry: x\nexcept: y"]


def comm(rng, newlines=True, avoid=None):
    """A task's name: at most 15 bytes.  `avoid` tells names that no reader could tell from something else."""
    while True:
        if rng.random() < 0.8:
            name = rng.choice(NASTY)
        else:
            name = bytes(rng.choice(b"\n ;:,.->=()[]|*0123456789abcXYZ\t\xc3\xa9\xff\x80\"'\\%") for _ in range(rng.randrange(16)))
        name = name[:15]
        if (newlines or b"\n" not in name) and not (avoid and avoid(name)):
            return name
