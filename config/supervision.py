"""The process manager behind `serve`: which processes there are, in which order they start, how they are watched."""

import os
import shutil
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

from config.services.processes import Service, ServiceFailed, wait_until, write_private

# The kernel's limit for the address of a Unix socket, less what supervisord appends while it binds.
SOCKET_PATH_LIMIT = 95
# Told to startProcess: do not wait until it runs.
AT_ONCE = False
HEAD = """\
[unix_http_server]
file={folder}/supervisor.sock
chmod=0700

[supervisord]
nodaemon=true
silent=true
umask=077
directory={directory}
logfile={folder}/log/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={folder}/supervisord.pid
childlogdir={folder}/log

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command={command}
directory={directory}
priority={priority}
autostart=false
autorestart=true
startsecs=1
startretries=5
stopwaitsecs={stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={folder}/log/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class Program:
    """One process to keep running. Those that come later may rely on those before being ready."""

    name: str
    command: list[str]
    directory: Path
    is_ready: Callable[[], bool] = lambda: True
    start_seconds: float = 60.0
    stop_seconds: int = 20

    @classmethod
    def of(cls, service: Service) -> "Program":
        return cls(
            name=service.name,
            command=service.command(),
            directory=service.folder,
            is_ready=service.is_ready,
            start_seconds=service.start_seconds,
        )


@dataclass(frozen=True)
class State:
    """What the process manager knows of a program. `running` only after it stayed up for a second."""

    name: str
    state: str
    pid: int
    spoken: str

    @property
    def is_running(self) -> bool:
        return self.state == "RUNNING"

    @property
    def was_given_up(self) -> bool:
        return self.state == "FATAL"


class Supervisor:
    """supervisord as a child of this process. It ends, and ends all its programs, when this process ends."""

    def __init__(self, folder: Path, directory: Path, environment: dict[str, str]) -> None:
        self.folder = folder.resolve()
        self.directory = directory
        self.environment = environment
        self.programs: list[Program] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "supervisor.sock"

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    def start(self, programs: list[Program]) -> None:
        """Start the manager itself, with no program running yet. Raises ServiceFailed."""
        if len(str(self.socket)) > SOCKET_PATH_LIMIT:
            raise ServiceFailed("the path of the data folder is too long; choose a shorter TONGBAN_DATA_DIR")
        self.programs = programs
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        configuration = self.folder / "supervisord.conf"
        write_private(configuration, self._configuration())
        # Its own session: Ctrl-C at the terminal reaches only us, and we stop the programs in order.
        self._process = subprocess.Popen(
            [*_dies_with_parent(), sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(self._answers, seconds=20, alive=self.is_alive)
        except TimeoutError:
            self.stop()
            raise ServiceFailed(f"the process manager did not start; see {self.logs}") from None

    def bring_up(self, program: Program) -> None:
        """Start a program and wait until it is ready. Raises ServiceFailed."""
        self._server().supervisor.startProcess(program.name, AT_ONCE)
        try:
            wait_until(
                lambda: self.state(program.name).is_running and program.is_ready(),
                seconds=program.start_seconds,
                alive=lambda: self.is_alive() and not self.state(program.name).was_given_up,
                pause=0.1,
            )
        except TimeoutError:
            raise ServiceFailed(f"{program.name} did not start; see {self.logs / program.name}.log") from None

    def try_again(self, name: str) -> None:
        """Start a program that was given up."""
        self._server().supervisor.startProcess(name, AT_ONCE)

    def state(self, name: str) -> State:
        return next(state for state in self.states() if state.name == name)

    def states(self) -> list[State]:
        """Raises ServiceFailed when the manager does not answer."""
        try:
            answer = self._server().supervisor.getAllProcessInfo()
        except (OSError, xmlrpc.client.Error) as fault:
            raise ServiceFailed("the process manager does not answer") from fault
        assert isinstance(answer, list)
        return [
            State(str(row["name"]), str(row["statename"]), int(row["pid"]), str(row["spawnerr"]))
            for row in answer
        ]

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop every program, the last started first, and then the manager. Waits as long as they need."""
        if self._process is None:
            return
        if self.is_alive():
            self._process.terminate()
        self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            return bool(self._server().supervisor.getState())
        except (OSError, xmlrpc.client.Error):
            return False

    def _server(self) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy(
            "http://127.0.0.1", transport=SupervisorTransport(serverurl=f"unix://{self.socket}")
        )

    def _configuration(self) -> str:
        parts = [HEAD.format(folder=_escaped(self.folder), directory=_escaped(self.directory))]
        for number, program in enumerate(self.programs):
            parts.append(
                PROGRAM.format(
                    name=program.name,
                    command=" ".join(_quoted(word) for word in [*_dies_with_parent(), *program.command]),
                    directory=_escaped(program.directory),
                    priority=100 + number,
                    stop_seconds=program.stop_seconds,
                    folder=_escaped(self.folder),
                )
            )
        return "".join(parts)


def follow(supervisor: Supervisor, tell: Callable[[str], None], over: Callable[[float], bool]) -> None:
    """Say what changes until `over(seconds)` answers True; start again what was given up, twice a minute."""
    known = {state.name: state for state in supervisor.states()}
    last_try: dict[str, float] = {}
    while not over(1.0):
        for state in supervisor.states():
            before = known.get(state.name)
            if before and state.is_running and state.pid != before.pid:
                tell(f"{state.name} had ended and was started again")
            if state.was_given_up and time.monotonic() - last_try.get(state.name, 0.0) > 30:
                last_try[state.name] = time.monotonic()
                tell(f"{state.name} does not stay up; see {supervisor.logs / state.name}.log")
                supervisor.try_again(state.name)
            if state.is_running:
                known[state.name] = state


def _dies_with_parent() -> list[str]:
    """A killed parent must not leave processes behind that hold ports and files (util-linux, part of Debian's base)."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def _quoted(word: str) -> str:
    """As supervisord's configuration and its shell-like splitting want it."""
    escaped = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if not word or set(word) & set(" ;\"'\\") else escaped
