#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: docs_test.py VRSEQ - do the manual pages, the completion, the library and its headers
agree with the tool VRSEQ and with the interface of the module? Prints TAP."""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OBJECTS = ("group", "member", "counter", "log", "record", "health", "stats", "status", "doctor",
           "bench", "journal")
INCLUDES = ["-I", os.path.join(TOP, "uapi"), "-I", os.path.join(TOP, "userspace/libvrseq")]


class Skip(Exception):
    pass


def text_of(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def compiles(compiler, language, source, flags=()):
    with tempfile.TemporaryDirectory() as directory:
        result = run([compiler, "-x", language, "-Wall", "-Wextra", "-Werror", *flags, *INCLUDES,
                      "-c", "-o", os.path.join(directory, "out.o"), "-"], input=source)
    return [] if result.returncode == 0 else result.stderr.splitlines()


def missing(what, wanted, found):
    return [f"{what}: no {item}" for item in sorted(set(wanted) - set(found))]


def errnos():
    """The table of the header is the one of vrseq(4), and each errno has a sentence."""
    table = text_of("uapi/linux/vrseq.h").split("errno ", 1)[1].split("#ifndef")[0]
    rows = re.findall(r"^ \*   (E[A-Z]+) +(\S+)", table, re.M)
    device = {errno for errno, word in rows if word != "netlink:"}
    page = set(re.findall(r"^\.It Er (\w+)", text_of("userspace/man/vrseq.4"), re.M))
    sentences = re.findall(r"^\t\{ (E\w+),", text_of("userspace/libvrseq/vrseq.c"), re.M)
    if len(rows) < 20:
        return [f"found only {rows} in the header"]
    return missing("vrseq.4", device, page) + missing("vrseq.h", page, device) + \
        missing("vrseq_strerror", {errno for errno, _ in rows}, sentences)


def page_example():
    """The program of vrseq(4) compiles with nothing but the header, and is short."""
    page = text_of("userspace/man/vrseq.4")
    source = re.search(r"^\.Bd -literal\n(#include.*?)^\.Ed", page, re.S | re.M)[1]
    source = source.replace("\\e", "\\")
    lines = len([line for line in source.split("\n") if line.strip()])
    wrong = compiles("cc", "c", source)
    return wrong + ([f"{lines} lines"] if lines > 20 else [])


def page_ioctls():
    names = re.findall(r"#define (VRSEQ_IOC_\w+)\s+_IO", text_of("uapi/linux/vrseq.h"))
    return missing("vrseq.4", names, re.findall(r"VRSEQ_IOC_\w+", text_of("userspace/man/vrseq.4")))


def page_names():
    """All that a program of the device can name is in vrseq(4): enums and fields."""
    header = re.sub(r"/\*.*?\*/", "", text_of("uapi/linux/vrseq.h"), flags=re.S)
    enums = re.findall(r"^\t(VRSEQ_[A-Z_]+)\s*=", header, re.M)
    fields = set()
    for body in re.findall(r"^struct vrseq_\w+ \{(.*?)^\};", header, re.S | re.M):
        fields |= set(re.findall(r"(\w+)(?:\[\w+\])?;$", body, re.M))
    fields = {name for name in fields if not name.startswith("reserved")} - {"hdr"}
    if len(enums) < 15 or len(fields) < 40:
        return [f"found only {enums} {fields} in the header"]
    page = set(re.findall(r"\w+", text_of("userspace/man/vrseq.4")))
    return missing("vrseq.4", enums, page) + missing("vrseq.4", fields, page)


def page_json():
    """The keys that the tool prints, and the states, are the ones that vrseq(8) promises."""
    page = text_of("userspace/man/vrseq.8").split(".Sh JSON")[1].split(".Sh")[0]
    wrong = []
    for name, file, source in (("counter next", "counter", "print_next"),
                               ("counter get", "counter", "print_get"),
                               ("bench", "bench", "print_json"),
                               ("record show", "record", "print_json"),
                               ("status", "status", "print_status_json"),
                               ("doctor", "doctor", "print_finding_json")):
        body = re.search(r"^static \w+ %s\(.*?^\}" % source, text_of(f"userspace/vrseq/{file}.c"),
                         re.S | re.M)
        keys = re.findall(r'json_\w+\(&?json, "(\w+)"', body[0])
        listed = re.search(r"^\.It Cm %s\n([^;.]*)" % name, page, re.M)[1]
        listed = listed.replace("\n", " ").strip().split(", ")
        if keys != listed or not keys:
            wrong.append(f"{name}: tool {keys}, vrseq.8 {listed}")
    states = re.search(r"state_name\(.*?\};", text_of("userspace/vrseq/show.c"), re.S)[0]
    states = re.findall(r'= "([a-z-]+)"', states)
    known = re.findall(r"VRSEQ_STATE_\w+", text_of("uapi/linux/vrseq.h"))
    if len(states) != len(set(known)):
        wrong.append(f"show.c names {states} of {known}")
    return wrong + missing("vrseq.8", states, re.findall(r"^\.Dq ([a-z-]+)", page, re.M))


def words(tool, path):
    """The words of the usage of an object or command, without placeholders."""
    usage = run([tool, *path, "help"]).stdout
    usage = "\n".join(line for line in usage.split("\n")
                      if line.startswith("vrseq ") or line.startswith("        "))
    return set(re.findall(r"(?<![\w(])-?[a-z][a-z-]*(?![\w(])", usage)) - {"vrseq", "has", "more"}


def tool_words():
    """Each word of the grammar is in vrseq(8) and in the completion."""
    page = text_of("userspace/man/vrseq.8").replace("\\-", "-")
    page = set(re.findall(r"[\w-]+", page)) | {"-f", "-j"}
    completion = set(re.findall(r"[\w-]+", text_of("userspace/completion/vrseq.bash")))
    wrong = []
    for name in OBJECTS:
        grammar = words(sys.argv[1], [name])
        if name not in grammar:
            wrong.append(f"no usage of {name}")
        wrong += missing(f"vrseq.8 ({name})", grammar, page)
        wrong += missing(f"completion ({name})", grammar, completion)
    return wrong


def page_exit_codes():
    codes = re.findall(r"EXIT_\w+\s*= (\d)", text_of("userspace/vrseq/tool.h"))
    section = text_of("userspace/man/vrseq.8").split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    page = re.findall(r"^\.It (\d)", section, re.M)
    return [] if codes == page and codes else [f"tool {codes}, vrseq.8 {page}"]


def library_symbols():
    """What the header declares is what the library exports."""
    header = re.sub(r"/\*.*?\*/", "", text_of("userspace/libvrseq/vrseq.h"), flags=re.S)
    declared = set(re.findall(r"\b(vrseq_\w+)\(", header))
    exported = set(re.findall(r"^\t(vrseq_\w+);", text_of("userspace/libvrseq/libvrseq.map"), re.M))
    return missing("libvrseq.map", declared, exported) + missing("vrseq.h", exported, declared)


def literals(path):
    """The displays of a page, as they are read."""
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", text_of(path), re.S | re.M)
    return [block.replace("\\e", "\\") for block in blocks]


FENCE_MAIN = """
#include <fcntl.h>
static int acted(void) { return 0; }
int main(int argc, char **argv)
{
	int file = open(argv[1], O_RDWR | O_CREAT, 0600), i;

	for (i = 2; i < argc; i++)
		printf(" %d", !request(file, strtoull(argv[i], NULL, 10), acted));
	return 0;
}
"""


def fence_file():
    """The program of vrseq_fence(3) remembers its largest token from one process to the next."""
    source = next(text for text in literals("userspace/man/vrseq_fence.3") if "pwrite" in text)
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "fence")
        built = run(["cc", "-x", "c", "-Wall", "-Wextra", "-Werror", *INCLUDES, "-o", program, "-"],
                    input=source + FENCE_MAIN)
        if built.returncode:
            return built.stderr.splitlines()
        said = [run([program, os.path.join(directory, "largest"), *tokens]).stdout
                for tokens in (["5", "4", "5", "9"], ["8", "9", "0"], ["10"], ["9"])]
    wanted = [" 1 0 1 1", " 0 1 0", " 1", " 0"]
    return [] if said == wanted else [f"admitted {said}, not {wanted}"]


def fence_sql():
    """So does the SQL: a stale token changes no row."""
    tables, request = [text for text in literals("userspace/man/vrseq_fence.3")
                       if text.startswith(("CREATE", "BEGIN"))]
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(tables + "CREATE TABLE done (job TEXT);")
    begin, update, insert, commit = [part.strip() for part in request.split(";")[:4]]
    wrong = []
    for token, admitted in ((5, 1), (4, 0), (5, 1), (1 << 62, 1), (6, 0)):
        database.execute(begin)
        changed = database.execute(update, {"token": token}).rowcount
        database.execute(insert, {"job": f"job {token}"})
        database.execute(commit if changed else "ROLLBACK")
        if changed != admitted:
            wrong.append(f"token {token}: {changed} rows")
    jobs = [row[0] for row in database.execute("SELECT job FROM done")]
    if jobs != ["job 5", "job 5", f"job {1 << 62}"]:
        wrong.append(f"done: {jobs}")
    return wrong


def fence_header():
    """The fence compiles alone, in C and C++, old and new."""
    use = "#include <vrseq_fence.h>\nstruct vrseq_fence fence = VRSEQ_FENCE_INIT;\n" \
        "int f(void) { return vrseq_fence_admit(&fence, 1) && vrseq_fence_check(&fence, 1); }\n"
    wrong = compiles("cc", "c", use, ["-std=c99", "-pedantic"]) + \
        compiles("cc", "c", use, ["-std=gnu11", "-m64"])
    if shutil.which("c++"):
        wrong += compiles("c++", "c++", use, ["-std=c++98", "-pedantic", "-Wno-long-long"]) + \
            compiles("c++", "c++", use, ["-std=c++17", "-pedantic"])
    return wrong


def prototypes():
    """What the header declares, by name, each on one line."""
    header = re.sub(r"/\*.*?\*/", "", text_of("userspace/libvrseq/vrseq.h"), flags=re.S)
    found = re.findall(r"^(?=\w)([^;{}#]*\b(vrseq_\w+)\([^;{]*\));", header, re.M)
    return {name: re.sub(r"\* ", "*", " ".join(text.split())) for text, name in found}


def synopses(page):
    """The prototypes in the synopsis of a page, by name, each on one line."""
    found = {}
    for kind, name, arguments in re.findall(
            r'^\.Ft "?(.*?)"?\n\.Fo (\w+)\n((?:\.Fa .*\n)+)\.Fc', page, re.M):
        arguments = ", ".join(re.findall(r'^\.Fa "?(.*?)"?$', arguments, re.M))
        found[name] = re.sub(r"\* ", "*", f"{kind} {name}({arguments})")
    return found


def library_page(function):
    """The page of a function: its own, or that of the noun it belongs to; "" if there is none."""
    pages = [name for name in sorted(os.listdir(os.path.join(TOP, "userspace/man")))
             if name.endswith(".3") and f".Fo {function}\n" in text_of("userspace/man/" + name)]
    return f"{function}.3" if f"{function}.3" in pages else next(iter(pages), "")


def library_pages():
    """Each function of the library has a page, which declares it as the header does."""
    wrong = []
    declared = prototypes()
    sentences = re.findall(r"^\t\{ (E\w+),", text_of("userspace/libvrseq/vrseq.c"), re.M)
    overview = text_of("userspace/man/libvrseq.3")
    if len(declared) < 16:
        return [f"found only {declared} in the header"]
    for name, prototype in sorted(declared.items()):
        file = library_page(name)
        if not file:
            wrong.append(f"{name} has no page")
            continue
        page = text_of("userspace/man/" + file)
        synopsis = synopses(page.split(".Sh SYNOPSIS")[1].split(".Sh")[0])
        if synopsis.get(name) != prototype:
            wrong.append(f"{file}: {synopsis.get(name)}, vrseq.h: {prototype}")
        headers = re.findall(r"^\.In (\S+)", page, re.M)
        wrong += compiles("cc", "c", "".join(f"#include <{header}>\n" for header in headers) +
                          "".join(text + ";\n" for text in synopsis.values()))
        errors = re.findall(r"^\.It Er (E\w+)", page, re.M)
        wrong += missing(f"vrseq_strerror ({file})", errors, sentences)
        if not errors and "There are no errors" not in page and not prototype.startswith("void"):
            wrong.append(f"{file} says nothing of errors")
        wrong += missing("libvrseq.3", [file[:-2]], re.findall(r"^\.It Xr (\w+) 3", overview, re.M))
    return wrong


def page_links():
    """What a page refers to of ours is there, and no page is of a function that is not."""
    pages = [name for name in os.listdir(os.path.join(TOP, "userspace/man"))
             if re.search(r"\.[1-9]$", name)]
    wrong = []
    for page in pages:
        links = re.findall(r"\.Xr (\S*vrseq\S*) (\d)", text_of("userspace/man/" + page))
        wrong += missing(page, {f"{name}.{section}" for name, section in links}, pages)
    for page in set(pages) - {"vrseq_fence.3"}:
        functions = re.findall(r"^\.Fo (\w+)", text_of("userspace/man/" + page), re.M)
        wrong += missing("vrseq.h", functions, prototypes())
        if page.startswith("vrseq_") and not functions:
            wrong.append(f"{page} is of no function")
    return wrong


def library_example():
    return [line for text in literals("userspace/man/libvrseq.3") if "main(" in text
            for line in compiles("cc", "c", text)]


HEADER_USE = "#include <vrseq.h>\n#include <linux/vrseq_netlink.h>\n" \
    "int main(void) { struct vrseq_result r; return vrseq_next(0, 0, 1, 0, &r); }\n"


def header_in_c():
    return compiles("cc", "c", HEADER_USE) + \
        compiles("cc", "c", HEADER_USE, ["-std=c99", "-pedantic"])


def header_in_cxx():
    if not shutil.which("c++"):
        raise Skip("no C++ compiler")
    return compiles("c++", "c++", HEADER_USE)


def main():
    tests = (errnos, page_example, page_ioctls, page_names, page_json, tool_words, page_exit_codes,
             library_symbols, header_in_c, header_in_cxx, library_pages, page_links,
             library_example, fence_file, fence_sql, fence_header)
    failed = 0
    print("TAP version 13")
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        wrong, skip = [], ""
        try:
            wrong = test()
        except Skip as reason:
            skip = f" # SKIP {reason}"
        except Exception as error:      # a file that cannot be understood is a failed test
            wrong = [f"{type(error).__name__}: {error}"]
        for line in wrong:
            print("# " + line)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - documents: {test.__name__}{skip}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
