# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Fencing tokens and an ordered log from a replicated group in the kernel.

    import vrseq

    with vrseq.Session() as session:
        token = session.next("backups").first
        session.append(f"backup {token} begins")

A thin layer over libvrseq by ctypes, with nothing else to install. Calls release
the interpreter's lock, so threads may share a session. A signal handler runs
while a call waits; if it raises, the call ends, and otherwise it goes on with the
same operation. libvrseq(3) and vrseq(7) say what all of it means.
"""
import ctypes
import enum
import errno
import os
import select
import threading
import typing

__all__ = ["Error", "Fence", "Lost", "Mode", "Outcome", "Record", "Result", "Session", "State",
           "Status"]

_GROUP_NAME_BYTES = 32
_STATUS_TEXT_BYTES = 256
_MEMBERS_MAX = 7
_READ_BYTES = 256 * 1024
_NS_PER_SECOND = 1_000_000_000


class Outcome(enum.IntEnum):
    """What became of an operation."""
    UNKNOWN = 0         # it may be applied, now or later
    APPLIED = 1         # exactly once
    NOT_APPLIED = 2     # and it never will be


class Mode(enum.IntEnum):
    """How get() finds its answer; all but LOCAL are linearizable."""
    LOG = 0
    INDEX = 1
    LEASE = 2
    LOCAL = 3


class State(enum.IntEnum):
    """What a member does."""
    BLANK = 0
    FORMING = 1
    NORMAL = 2
    VIEW_CHANGE = 3
    RECOVERING = 4
    HALTED = 5
    AMNESIA = 6


class _Result(ctypes.Structure):
    _fields_ = [("first", ctypes.c_uint64), ("last", ctypes.c_uint64), ("index", ctypes.c_uint64),
                ("view", ctypes.c_uint64), ("op_id", ctypes.c_uint64), ("age_ns", ctypes.c_uint64),
                ("outcome", ctypes.c_uint32), ("kind", ctypes.c_uint32), ("error", ctypes.c_int32),
                ("reserved", ctypes.c_uint32)]


class _Reader(ctypes.Structure):
    _fields_ = [("buffer", ctypes.c_void_p), ("bytes", ctypes.c_size_t),
                ("filled", ctypes.c_size_t), ("offset", ctypes.c_size_t)]


class _Record(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("type", ctypes.c_uint16),
                ("member_id", ctypes.c_uint16), ("index", ctypes.c_uint64),
                ("sequence", ctypes.c_uint64), ("view", ctypes.c_uint64),
                ("session", ctypes.c_uint64), ("bytes", ctypes.c_uint32),
                ("topic", ctypes.c_uint32)]


class _StatusMember(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint16), ("state", ctypes.c_uint8), ("flags", ctypes.c_uint8),
                ("reserved", ctypes.c_uint32), ("heard_age_ns", ctypes.c_uint64)]


class _Status(ctypes.Structure):
    _fields_ = [("state", ctypes.c_uint8), ("has_quorum", ctypes.c_uint8),
                ("member_count", ctypes.c_uint8), ("quorum_count", ctypes.c_uint8),
                ("self_id", ctypes.c_uint16), ("primary_id", ctypes.c_uint16)] + \
        [(name, ctypes.c_uint64) for name in (
            "view", "last_normal_view", "op", "commit", "commit_hash", "sequence_first",
            "sequence_last", "read_next", "lost_first", "lost_last", "session", "incarnation",
            "checkpoint_op")] + \
        [("reserved", ctypes.c_uint64 * 2), ("members", _StatusMember * _MEMBERS_MAX),
         ("text", ctypes.c_char * _STATUS_TEXT_BYTES)]


# What the tests hold against the C headers.
STRUCTURES = {"vrseq_result": _Result, "vrseq_reader": _Reader, "vrseq_record": _Record,
              "vrseq_status_member": _StatusMember, "vrseq_status": _Status}


class Result(typing.NamedTuple):
    """What became of an operation; see struct vrseq_result in libvrseq(3)."""
    first: int          # first number; the value; the sequence
    last: int           # last number of a range, otherwise as first
    index: int          # place in the group's total order
    view: int
    op_id: int          # to join it; 0 = it was never begun
    age_ns: int         # of a read with Mode.LOCAL, at most
    outcome: Outcome
    error: int          # of result(): the errno it ended with, 0 = none


class Record(typing.NamedTuple):
    """A message of the log."""
    sequence: int       # 1, 2, 3 without a hole
    index: int
    view: int
    member_id: int      # where it was appended
    session: int        # that appended it
    message: bytes
    topic: int = 0      # as it was appended with


class Status(typing.NamedTuple):
    """What this member knows at one moment, in part; text says the rest."""
    state: State
    has_quorum: bool
    self_id: int
    primary_id: int     # 0 = none known
    view: int
    commit: int
    sequence_first: int
    sequence_last: int
    text: str


class Error(OSError):
    """An operation failed. errno is positive; outcome says whether it may have been applied."""

    def __init__(self, number, sentence, outcome=Outcome.NOT_APPLIED, op_id=0):
        super().__init__(number, sentence)
        self.outcome = outcome
        self.op_id = op_id


class Lost(Exception):
    """Messages first to last were overwritten before they were read; reading goes on after them."""

    def __init__(self, first, last):
        super().__init__(f"messages {first} to {last} were lost")
        self.first = first
        self.last = last


def _load():
    library = ctypes.CDLL(os.environ.get("VRSEQ_LIBRARY", "libvrseq.so.0"))
    handle, deadline, result = ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(_Result)
    for name, kind, *arguments in (
            ("open", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(handle)),
            ("close", None, handle),
            ("fd", ctypes.c_int, handle),
            ("group", ctypes.c_char_p, handle),
            ("status", ctypes.c_int, handle, ctypes.POINTER(_Status)),
            ("next", ctypes.c_int, handle, ctypes.c_char_p, ctypes.c_uint64, deadline, result),
            ("next_join", ctypes.c_int, handle, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_uint64,
             deadline, result),
            ("get", ctypes.c_int, handle, ctypes.c_char_p, ctypes.c_uint32, deadline, result),
            ("barrier", ctypes.c_int, handle, deadline, result),
            ("append", ctypes.c_int, handle, ctypes.c_char_p, ctypes.c_size_t, deadline, result),
            ("append_join", ctypes.c_int, handle, ctypes.c_uint64, ctypes.c_char_p,
             ctypes.c_size_t, deadline, result),
            ("result", ctypes.c_int, handle, ctypes.c_uint64, deadline, result),
            ("read", ctypes.c_int, handle, ctypes.POINTER(_Reader), ctypes.POINTER(_Record),
             ctypes.POINTER(ctypes.c_void_p)),
            ("wait", ctypes.c_int, handle, ctypes.c_short, deadline),
            ("deadline", ctypes.c_uint64, ctypes.c_uint64),
            ("strerror", ctypes.c_char_p, ctypes.c_int)):
        function = getattr(library, "vrseq_" + name)
        function.restype = kind
        function.argtypes = arguments
    return library


_lib = _load()


def _sentence(error):
    return _lib.vrseq_strerror(error).decode()


def _deadline(timeout):
    """Seconds, or None for no deadline, as the library wants it."""
    return 0 if timeout is None else _lib.vrseq_deadline(max(0, int(timeout * _NS_PER_SECOND)))


def _bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)


class Session:
    """An open file of /dev/vrseq: a session of a group. group may be None if there is but one.

    timeout is in seconds everywhere, None = wait as long as it takes. What fails raises Error.
    """

    def __init__(self, group=None):
        self._handle = ctypes.c_void_p()
        error = _lib.vrseq_open(None if group is None else _bytes(group), os.O_CLOEXEC,
                                ctypes.byref(self._handle))
        if error:
            raise Error(-error, _sentence(error))
        self._buffer = ctypes.create_string_buffer(_READ_BYTES)
        self._reader = _Reader(ctypes.addressof(self._buffer), _READ_BYTES, 0, 0)
        self._reading = threading.Lock()

    def close(self):
        """End the session. No other thread may be in a call."""
        if self._handle:
            _lib.vrseq_close(self._handle)
            self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_handle", None):
            self.close()

    def _open(self):
        if not self._handle:
            raise ValueError("the session is closed")
        return self._handle

    def fileno(self):
        """The descriptor, for select and the like."""
        return _lib.vrseq_fd(self._open())

    @property
    def group(self):
        """The name of the group."""
        return _lib.vrseq_group(self._open()).decode()

    def status(self):
        """One look at this member. Never waits."""
        status = _Status()
        error = _lib.vrseq_status(self._open(), ctypes.byref(status))
        if error:
            raise Error(-error, _sentence(error))
        return Status(State(status.state), bool(status.has_quorum), status.self_id,
                      status.primary_id, status.view, status.commit, status.sequence_first,
                      status.sequence_last, status.text.decode(errors="replace"))

    def _operate(self, begin, join, op_id, arguments, timeout):
        """Begin an operation, or join op_id; a signal whose handler returns joins again."""
        deadline, result = _deadline(timeout), _Result()
        handle = self._open()
        while True:
            if op_id:
                error = join(handle, op_id, *arguments, deadline, ctypes.byref(result))
            else:
                error = begin(handle, *arguments, deadline, ctypes.byref(result))
            if error != -errno.EINTR:
                break
            op_id = result.op_id
        if error:
            raise Error(-error, _sentence(error), Outcome(result.outcome), result.op_id)
        return self._result(result)

    @staticmethod
    def _result(result):
        return Result(result.first, result.last, result.index, result.view, result.op_id,
                      result.age_ns, Outcome(result.outcome), -result.error)

    def next(self, counter="", count=1, timeout=None, op_id=0):
        """Draw count numbers nobody else ever gets. op_id: join that operation instead."""
        return self._operate(_lib.vrseq_next, _lib.vrseq_next_join, op_id,
                             (_bytes(counter), count), timeout)

    def append(self, message, timeout=None, op_id=0):
        """Append a message, bytes or str. op_id: join that operation instead."""
        message = _bytes(message)
        return self._operate(_lib.vrseq_append, _lib.vrseq_append_join, op_id,
                             (message, len(message)), timeout)

    def get(self, counter="", mode=Mode.LOG, timeout=None):
        """The newest number drawn, in .first; 0 if none was."""
        def get(handle, *arguments):
            return _lib.vrseq_get(handle, _bytes(counter), mode, *arguments)
        # a read may be asked again: what a join would be
        return self._operate(get, lambda handle, _, *arguments: get(handle, *arguments), 0, (),
                             timeout)

    def barrier(self, timeout=None):
        """Wait until all that was committed is readable here; the newest message, in .first."""
        return self._operate(_lib.vrseq_barrier,
                             lambda handle, _, *arguments: _lib.vrseq_barrier(handle, *arguments),
                             0, (), timeout)

    def result(self, op_id, timeout=None):
        """Settle what became of an operation of this open file."""
        def result(handle, *arguments):
            return _lib.vrseq_result(handle, op_id, *arguments)
        return self._operate(result, lambda handle, _, *arguments: result(handle, *arguments), 0,
                             (), timeout)

    def _wait(self, deadline):
        while True:
            events = _lib.vrseq_wait(self._open(), select.POLLIN, deadline)
            if events != -errno.EINTR:
                break
        if events < 0:
            raise Error(-events, _sentence(events))

    def read(self, timeout=None):
        """The next message of the log, as a Record. One session, one cursor."""
        deadline, record, message = _deadline(timeout), _Record(), ctypes.c_void_p()
        with self._reading:
            while True:
                if deadline and self._reader.offset >= self._reader.filled:
                    self._wait(deadline)
                error = _lib.vrseq_read(self._open(), ctypes.byref(self._reader),
                                        ctypes.byref(record), ctypes.byref(message))
                if not error and record.type == 1:
                    return Record(record.sequence, record.index, record.view, record.member_id,
                                  record.session, ctypes.string_at(message, record.bytes),
                                  record.topic)
                if error == -errno.EPIPE:
                    status = _Status()
                    _lib.vrseq_status(self._open(), ctypes.byref(status))
                    raise Lost(status.lost_first, status.lost_last)
                if error not in (0, -errno.EINTR):
                    raise Error(-error, _sentence(error))

    def __iter__(self):
        """All messages from the oldest kept, and then those to come."""
        while True:
            yield self.read()


class Fence:
    """The resource's side of a token: admits one that is not smaller than the largest it saw.

    A resource that outlives its memory begins with the largest it stored, and stores a new one
    before it acts; vrseq_fence(3) has more. Here act within the fence:

        with fence:
            if fence.admit(token):
                ...
    """

    def __init__(self, largest=0):
        self.largest = largest
        self._lock = threading.RLock()

    def __enter__(self):
        self._lock.acquire()
        return self

    def __exit__(self, *_):
        self._lock.release()

    def admit(self, token):
        """May a request with this token act?"""
        with self._lock:
            if token <= 0 or token < self.largest:
                return False
            self.largest = token
            return True
