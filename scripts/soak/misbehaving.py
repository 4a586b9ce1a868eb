"""Seventy ways in which a model misbehaves: the body of its function, and what its row says where it fails.

``FAILS``: the utterance at which it misbehaves fails with that text. ``WORKS``: its rows are as of a good one.
``EITHER``: it may fail or not, since what it does is seen late or never; the command and the other model go on.
"""

from __future__ import annotations

HEAD = """
import atexit, builtins, ctypes, faulthandler, gc, json, logging, multiprocessing, os, resource, signal, socket
import subprocess, sys, threading, time, warnings
import numpy as np
from srbench.upscaler import upscaler

def number(low):  # the corpus marks its utterances by their first sample
    return round(100 * low[0])

def forever():
    while True:
        pass

def forked(what):
    if os.fork() == 0:
        what()
        os._exit(0)

def daemon(what):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            what()
        os._exit(0)

class Odd(Exception):
    def __str__(self):
        return 1 / 0

class Odder(BaseException):
    def __str__(self):
        sys.exit(5)

class Liar(np.ndarray):
    def __array__(self, *_, **__):
        raise KeyboardInterrupt

def spoil(array):
    while True:
        array[:] = 0
"""
FAILS = {
    # every kind of exception
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise SystemExit(0)": "SystemExit",
    "sys.exit('all done')": "SystemExit",
    "raise GeneratorExit": "GeneratorExit",
    "raise StopIteration": "StopIteration",
    "raise BaseException('all')": "BaseException",
    "raise Odd": "Odd",
    "raise Odder": "Odder",
    "raise MemoryError": "MemoryError",
    "raise RecursionError": "RecursionError",
    "raise type('Group', (BaseException,), {})('x' * 10**7)": "Group",
    "raise RuntimeError('a\\x1b[31m\\nb\\u202e')": "RuntimeError",
    'exec(\'raise UnicodeEncodeError("utf-8", "\\\\ud800", 0, 1, "odd")\')': "UnicodeEncodeError",
    # the end of its process
    "os._exit(0)": "exit status 0",
    "os._exit(130)": "exit status 130",
    "os.abort()": "SIGABRT",
    "ctypes.string_at(0)": "SIGSEGV",
    "os.kill(os.getpid(), signal.SIGKILL)": "SIGKILL",
    "os.kill(os.getpid(), signal.SIGTERM)": "SIGTERM",
    "os.killpg(0, signal.SIGKILL)": "SIGKILL",
    "signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(9)": "SIGALRM",
    "resource.setrlimit(resource.RLIMIT_CPU, (1, 1)); forever()": "SIG",
    "resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); np.ones(1 << 30)": "MemoryError",
    "sys.setrecursionlimit(30); (lambda f: f(f))(lambda f: f(f))": "RecursionError",
    "os.execv('/bin/true', ['true'])": "exit status 0",
    # what never ends
    "forever()": "took longer",
    "time.sleep(1000)": "took longer",
    "ctypes.PyDLL(None).sleep(1000)": "took longer",
    "os.kill(os.getpid(), signal.SIGSTOP)": "took longer",
    "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 13, 14, 15)]; time.sleep(1000)": "took longer",
    "threading.Lock().acquire() and (lambda lock: (lock.acquire(), lock.acquire()))(threading.Lock())": "took longer",
    # its descriptors
    "os.closerange(0, 256)": "connection",
    "[os.write(n, b'x' * 100) for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{n}') "
    "and 'pipe' in os.readlink(f'/proc/self/fd/{n}')]": "",
    # what it returns
    "return None": "NoneType",
    "return low": "shape",
    "return np.full(4 * len(low), np.nan)": "NaN",
    "return np.zeros((2, 4 * len(low)))": "shape",
    "return np.zeros(10**8)": "shape",
    "return 'a' * 10**7": "",
    "return low.repeat(4).astype(complex) + 1j": "",
    "return low.repeat(4).astype(object) + [object()]": "",
    "return low.repeat(4).view(Liar)": "",
}
WORKS = {
    "os.fork()": "a fork that comes back",
    "forked(lambda: time.sleep(1000))": "a fork that stays",
    "daemon(lambda: time.sleep(1000))": "a double fork that stays",
    "daemon(lambda: (os.environ.clear(), time.sleep(1000)))": "a double fork without an environment",
    "subprocess.Popen(['sleep', '1000'], start_new_session=True)": "a program that stays",
    "threading.Thread(target=forever).start()": "a thread that never ends",
    "threading.Thread(target=spoil, args=(low,), daemon=True).start()": "",
    "atexit.register(lambda: time.sleep(1000))": "a hook that never ends",
    "atexit.register(os.abort)": "a hook that aborts",
    "print('{\"models\": []}' * 1000); os.write(1, b'{}'); sys.stdout.close()": "stdout",
    "sys.stdout = sys.stderr = None": "no stdout",
    "os.system('echo {}; echo {} >&2')": "a program that prints",
    "np.sum = np.mean = np.square = np.log10 = np.asarray(0)": "a patched NumPy",
    "import srbench.metrics as a, srbench.run.measuring as m; m.measure = a.measure_all = None": "a patched srbench",
    "os.chdir('/'); os.umask(0o777); os.environ.clear()": "folder, mask, environment",
    "warnings.simplefilter('error'); np.seterr(all='raise'); gc.disable()": "filters and switches",
    "np.random.seed(0); __import__('random').seed(0)": "seeds",
    "builtins.open = builtins.len = None; builtins.print = 3": "",
    "logging.disable(); logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))": "logging",
    "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))": "no more descriptors",
    "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))": "no more bytes of files",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGCHLD, signal.SIG_IGN)": "signals",
    "os.getpid() == os.getpgid(0) or os.setpgid(0, 0)": "group",
    "ctypes.CDLL(None).prctl(1, 0)": "its parent may die",
    "open('/proc/self/comm', 'w').write('innocent')": "another name",
    "faulthandler.enable(); threading.excepthook = None": "hooks",
    "sys.modules.clear()": "",
    "sys.setprofile(lambda *_: 1 / 0)": "",
    "os.kill(os.getppid(), signal.SIGINT)": "an interrupt for who started it",
    "os.kill(os.getppid(), signal.SIGKILL)": "the end of who started it",
    "os.nice(15)": "slow",
}
# what it does may be seen late or never: that it costs its own rows only is what counts
EITHER = {
    "resource.setrlimit(resource.RLIMIT_CPU, (1, 1)); forever()",
    "return low.repeat(4).view(Liar)",
    "os.kill(os.getppid(), signal.SIGKILL)",
    "threading.Thread(target=spoil, args=(low,), daemon=True).start()",
    "builtins.open = builtins.len = None; builtins.print = 3",
    "np.sum = np.mean = np.square = np.log10 = np.asarray(0)",
    "warnings.simplefilter('error'); np.seterr(all='raise'); gc.disable()",
    "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
    "sys.modules.clear()",
    "sys.setprofile(lambda *_: 1 / 0)",
    "sys.stdout = sys.stderr = None",
    "[os.write(n, b'x' * 100) for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{n}') "
    "and 'pipe' in os.readlink(f'/proc/self/fd/{n}')]",
}
ALL = [way for pair in zip([*FAILS], [*WORKS, *[""] * len(FAILS)], strict=False) for way in pair if way]
