#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: spec_test.py - does the YAML specification say what the C header says?

Names, numbers and types of all attributes, commands and enums; the attributes of each command
against the header's head comment; the JSON keys of the vrseq tool against both. Prints TAP.
Reads the subset of YAML that specifications are written in, and knows nothing of the kernel.
"""
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SPEC = "Documentation/netlink/specs/vrseq.yaml"
HEADER = "uapi/linux/vrseq_netlink.h"
DEVICE_HEADER = "uapi/linux/vrseq.h"
TOOL = "userspace/vrseq/show.c"
MODULE = "kmod/netlink.c"


def text_of(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


# --- YAML: maps, lists, "- " alone or with a scalar, [ flow lists ], >- text, &anchor, *alias ---

class Yaml:
    def __init__(self, text):
        self.lines = []
        for line in text.split("\n"):
            if line.strip() and not line.strip().startswith("#"):
                self.lines.append((len(line) - len(line.lstrip()), line.strip()))
        self.at = 0
        self.anchors = {}

    def indent(self):
        return self.lines[self.at][0] if self.at < len(self.lines) else -1

    def parse(self, indent=0):
        return self.list(indent) if self.lines[self.at][1].startswith("-") else self.map(indent)

    def list(self, indent):
        items = []
        while self.indent() == indent and self.lines[self.at][1].startswith("-"):
            item = self.lines[self.at][1][1:].strip()
            self.at += 1
            items.append(item if item else self.parse(self.indent()))
        return items

    def map(self, indent):
        result = {}
        while self.indent() == indent:
            key, colon, value = self.lines[self.at][1].partition(":")
            if not colon:
                raise ValueError(f"not a key: {self.lines[self.at][1]}")
            if key in result:
                raise ValueError(f"{key} twice")
            self.at += 1
            result[key] = self.value(value.strip(), indent)
        if self.indent() > indent:
            raise ValueError(f"indent: {self.lines[self.at][1]}")
        return result

    def value(self, value, indent):
        if value.startswith("*"):
            return self.anchors[value[1:]]
        if value.startswith("["):
            return [item.strip() for item in value.strip("[]").split(",")]
        if value == ">-":
            words = []
            while self.indent() > indent:
                words.append(self.lines[self.at][1])
                self.at += 1
            return " ".join(words)
        if value and not value.startswith("&"):
            return value
        nested = self.parse(self.indent())
        if value:
            self.anchors[value[1:]] = nested
        return nested


# --- C ---

def c_enum(header, name):
    """{NAME: (number, comment)} of an enum, but for what begins with two underscores."""
    body = re.search(r"enum %s \{(.*?)\n\};" % name, header, re.S)[1]
    names, number = {}, 0
    for member, value, comment in re.findall(
            r"^\t(\w+)(?:\s*=\s*(\d+))?,[ \t]*(?:/\* (.*?) \*/)?", body, re.M):
        number = int(value) if value else number
        if not member.startswith("__"):
            names[member] = (number, comment)
        number += 1
    return names


def c_commands(header):
    """{COMMAND: (request names, reply names)} of the head comment."""
    comment = header[:header.index("#ifndef")]
    comment = re.sub(r"^ \*", "", comment, flags=re.M)
    commands = {}
    for match in re.finditer(r"^   ([A-Z]+_[A-Z]+) +(.*?)(?=^   [A-Z]+_[A-Z]+ |^ All )", comment,
                             re.S | re.M):
        text = re.sub(r"(?<=\S) {3,}.*$", "", match[2], flags=re.M)     # remarks
        text = re.sub(r"\{.*?\}|\(.*?\)", "", text, flags=re.S)
        commands[match[1]] = tuple(re.findall(r"\b[A-Z][A-Z0-9_]+\b", part)
                                   for part in text.partition("reply has")[::2])
    return commands


def upper(name):
    return name.upper().replace("-", "_")


# --- tests ---

spec = Yaml(text_of(SPEC)).parse()
header = text_of(HEADER)
sets = {entry["name"]: entry for entry in spec["attribute-sets"]}
operations = spec["operations"]["list"]


def same(what, left, right, path=HEADER):
    if left == right:
        return []
    return [f"{what}: {SPEC} says {left}, {path} says {right}"]


def family():
    defines = dict(re.findall(r'#define (\w+)\s+"?([\w]+)"?$', header, re.M))
    return same("name", spec["name"], defines["VRSEQ_GENL_NAME"]) + \
        same("version", "1", defines["VRSEQ_GENL_VERSION"]) + \
        same("header", "uapi/" + spec["uapi-header"], HEADER)


def enums():
    wrong = []
    for entry in spec["definitions"]:
        name = entry["name"]
        source = text_of(DEVICE_HEADER) if entry.get("header") == "linux/vrseq.h" else header
        ours = {f"VRSEQ_{upper(name)}_{upper(item['name'])}": number
                for number, item in enumerate(entry["entries"])}
        theirs = {key: number for key, (number, _) in c_enum(source, "vrseq_" + name).items()}
        wrong += same(name, ours, theirs)
    return wrong


def numbers(attribute_set):
    """The attributes of the set: {C NAME: (number, attribute)}; a number is its place from 1."""
    prefix = upper(attribute_set["name-prefix"])
    return {prefix + upper(attribute["name"]): (number, attribute)
            for number, attribute in enumerate(attribute_set["attributes"], 1)}


def attributes():
    wrong = []
    for entry in sets.values():
        theirs = c_enum(header, entry["enum-name"].replace("-", "_"))
        ours = {name: number for name, (number, _) in numbers(entry).items()}
        theirs = {name: number for name, (number, _) in theirs.items()
                  if not name.endswith("_UNSPEC")}
        wrong += same(entry["name"], ours, theirs)
    return wrong


def types():
    """The header tells the type in the comment of the attribute."""
    wrong = []
    for entry in sets.values():
        theirs = c_enum(header, entry["enum-name"].replace("-", "_"))
        for name, (_, attribute) in numbers(entry).items():
            if name.endswith("_PAD"):
                wrong += same(name, attribute["type"], "pad")
                continue
            comment = theirs[name][1]
            their = re.match(r"\w+", comment)[0]
            if their == "be32":
                wrong += same(name, (attribute["type"], attribute["byte-order"]),
                              ("u32", "big-endian"))
            else:
                wrong += same(name, attribute["type"], their)
            if their == "nest":
                nested = sets[attribute["nested-attributes"]]["name-prefix"]
                wrong += same(name, upper(nested) + "*", re.search(r"VRSEQ_A_\w+\*", comment)[0])
            enum = re.search(r"enum vrseq_(\w+)", comment)
            wrong += same(name + " enum", attribute.get("enum"), enum[1] if enum else None)
    return wrong


def commands():
    ours = {f"VRSEQ_CMD_{upper(operation['name'])}": number
            for number, operation in enumerate(operations, 1)}
    theirs = {name: number for name, (number, _) in c_enum(header, "vrseq_cmd").items()
              if number}
    return same("commands", ours, theirs)


def command_attributes():
    wrong = []
    theirs = c_commands(header)
    wrong += same("commands", sorted(upper(operation["name"]) for operation in operations),
                  sorted(theirs))
    for operation in operations:
        name = upper(operation["name"])
        if name not in theirs:
            continue
        request, reply = theirs[name]
        do = operation["do"]
        wrong += same(name + " request", [upper(item) for item in do["request"]["attributes"]],
                      request)
        wrong += same(name + " reply",
                      [upper(item) for item in do.get("reply", {}).get("attributes", [])], reply)
        wrong += same(name + " dump", "dump" in operation, name.endswith("_GET"))
        wrong += same(name + " permission", "flags" in operation, not name.endswith("_GET"))
        known = {attribute["name"] for attribute in sets[operation["attribute-set"]]["attributes"]}
        unknown = set(do["request"]["attributes"]) - known
        if unknown:
            wrong.append(f"{name}: no attributes {unknown}")
    return wrong


def json_keys():
    """The tables of the tool: each attribute that is answered, under its name in lower case.

    An address has one key, whichever of its two attributes it came in."""
    wrong = []
    source = text_of(TOOL)
    answered = next(operation for operation in operations if operation["name"] == "group-get")
    answered = [item for item in answered["do"]["reply"]["attributes"] if item != "member"]
    member = [attribute["name"] for attribute in sets["member"]["attributes"]
              if attribute["type"] != "pad"]
    for table, prefix, names in (("group_fields", "VRSEQ_A_", answered),
                                 ("member_fields", "VRSEQ_A_MEMBER_", member)):
        body = re.search(r"%s\[\] = \{(.*?)\n\};" % table, source, re.S)[1]
        rows = re.findall(r'\{ (\w+), FIELD_\w+, "(\w+)" \}', body)
        expected = [(prefix + upper(name),
                     "address" if name == "address-ipv4" else name.replace("-", "_"))
                    for name in names if name != "address-ipv6"]
        if rows != expected:
            wrong.append(f"{TOOL}: {table} is {rows}, {SPEC} wants {expected}")
    return wrong


def permission():
    """What the module asks of the caller, where its source is at hand."""
    flags = {"uns-admin-perm": "GENL_UNS_ADMIN_PERM", "admin-perm": "GENL_ADMIN_PERM"}
    source = text_of(MODULE)
    wrong = []
    for operation in operations:
        name = "VRSEQ_CMD_" + upper(operation["name"])
        body = re.search(r"\.cmd\s*=\s*%s,(.*?)\}" % name, source, re.S)
        if not body:
            wrong.append(f"{MODULE}: no operation {name}")
            continue
        theirs = re.findall(r"\bGENL_\w*ADMIN_PERM\b", body[1])
        ours = [flags[flag] for flag in operation.get("flags", [])]
        wrong += same(name, ours, theirs, MODULE)
    return wrong


def main():
    tests = (family, enums, attributes, types, commands, command_attributes, json_keys, permission)
    failed = 0
    print("TAP version 13")
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            wrong = test()
        except Exception as error:      # a file that cannot be understood is a failed test
            wrong = [f"{type(error).__name__}: {error}"]
        for line in wrong:
            print("# " + line)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - specification: {test.__name__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
