"""A real Slurm of two nodes for tests, both on this computer, with its own folder, ports and key.

It stops exactly the processes that it started. Needs root and the Debian packages slurmctld, slurmd, slurm-client and
munge. Where they are missing, tests fail, unless RATEMLX_TEST_SLURM=0 says that they shall be left out.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

DAEMONS = ("munged", "slurmctld", "slurmd")
PACKAGES = "munge slurmctld slurmd slurm-client"
SWITCH = "RATEMLX_TEST_SLURM"
NODES = ("one", "two")
GPUS = 2
CPUS = 4
"""GPUs and cores of a node, whatever there really is."""
START_SECONDS = 30.0
STOP_SECONDS = 10.0
PATIENCE = 0.1
"""Seconds between two looks at something that takes a while."""

CONFIGURATION = """\
ClusterName=ratemlx
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller_port}
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits for so many seconds before it may start again.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
# Nothing here needs control groups, which containers rarely let one make.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=10000,bf_interval=1
SlurmdParameters=config_overrides
# MPICH names its shared memory by the job: what killed ranks of an earlier job of the same number left would be found.
FirstJobId={first_job}
GresTypes=gpu
MpiDefault=none
ReturnToService=2
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MessageTimeout=30
{nodes}
PartitionName=test Nodes=ALL Default=YES MaxTime=10 PriorityTier=1 State=UP
PartitionName=urgent Nodes=ALL MaxTime=10 PriorityTier=2 PreemptMode=OFF State=UP
"""

NODE = "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=1000 Gres=gpu:{gpus}"


@dataclass(frozen=True)
class Slurm:
    """A running Slurm: the environment that makes its commands speak to it."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str | Path, cwd: Path | None = None, seconds: float = 60.0) -> str:
        """What a command such as `sbatch` prints; a failure shows all it said."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def submit(self, script: Path, *options: str) -> int:
        """The number of a job that runs a script in the script's folder."""
        return int(self.run("sbatch", "--parsable", *options, script, cwd=script.parent))

    def state(self, job: int) -> dict[str, str]:
        """What Slurm says of a job: JobState, ExitCode, Restarts, ..."""
        shown = self.run("scontrol", "--oneliner", "show", "job", str(job)).splitlines()[0]
        return dict(word.split("=", 1) for word in shown.split() if "=" in word)

    def array_states(self, job: int) -> list[str]:
        """The states of all elements of a job array."""
        lines = self.run("scontrol", "--oneliner", "show", "job", str(job)).splitlines()
        return [word.removeprefix("JobState=") for line in lines for word in line.split() if "JobState=" in word]

    def wait(self, job: int, seconds: float = 60.0) -> list[str]:
        """The states of a job, and of all elements of an array, once they have ended."""
        ended = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "DEADLINE")
        states: list[str] = []
        for _ in until(seconds):
            states = self.array_states(job)
            if all(state in ended for state in states):
                return states
        raise AssertionError(f"job {job} is still {states} after {seconds} s: {self.state(job)}\n{self.logs()}")

    def logs(self) -> str:
        """The last lines of what the daemons wrote."""
        return "\n".join(
            f"{path.name}:\n" + "\n".join(path.read_text(errors="replace").splitlines()[-20:])
            for path in sorted(self.folder.glob("*.log"))
        )


@contextmanager
def slurm() -> Iterator[Slurm]:
    """Start a Slurm, and stop it with all its jobs in the end."""
    _check_tools()
    # Not pytest's folder: the name of a socket has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    try:
        environment = _configure(folder)
        with ExitStack() as daemons:
            for name, *options in _commands(folder):
                daemons.enter_context(_daemon(name, options, folder, environment))
                if name == "munged":
                    _await_file(folder / "munge.socket")
            running = Slurm(folder, environment)
            _await_nodes(running)
            daemons.callback(_cancel_all, running)
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_tools() -> None:
    if os.environ.get(SWITCH) == "0":
        pytest.skip(f"{SWITCH}=0")
    otherwise = f"or leave these tests out by {SWITCH}=0"
    missing = [name for name in (*DAEMONS, "sbatch", "srun") if _program(name) is None]
    if missing:
        pytest.fail(f"no {', '.join(missing)}: apt-get install {PACKAGES}, {otherwise}", pytrace=False)
    if os.geteuid() != 0:
        pytest.fail(f"only root may start a Slurm of the tests' own: run them as root, {otherwise}", pytrace=False)


def _commands(folder: Path) -> Iterator[tuple[str, ...]]:
    munge = ("--foreground", "--force", "--num-threads=1")
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid", "seed-file": "munge.seed"}
    yield ("munged", *munge, *(f"--{option}={folder / name}" for option, name in files.items()))
    yield ("slurmctld", "-D", "-c", "-f", f"{folder}/slurm.conf")
    for node in NODES:
        yield ("slurmd", "-D", "-c", "-f", f"{folder}/slurm.conf", "-N", node)


def _configure(folder: Path) -> dict[str, str]:
    for name in ("state", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    for gpu in range(GPUS):
        # Slurm wants a device, and any will do: nobody opens it.
        (folder / f"gpu{gpu}").symlink_to("/dev/null")
    host = socket.gethostname().split(".")[0]
    controller_port, *ports = _free_ports(1 + len(NODES))
    nodes = "\n".join(
        NODE.format(node=node, host=host, port=port, cpus=CPUS, gpus=GPUS)
        for node, port in zip(NODES, ports, strict=True)
    )
    first_job = 1000 + secrets.randbelow(10**6)
    text = CONFIGURATION.format(
        host=host, folder=folder, controller_port=controller_port, nodes=nodes, first_job=first_job
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-{GPUS - 1}]\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH", "CUDA"))}
    return clean | {"SLURM_CONF": f"{folder}/slurm.conf"}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as sockets:
        bound = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]


def _program(name: str) -> str | None:
    """Daemons are in /usr/sbin, which is not on everybody's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin")


@contextmanager
def _daemon(name: str, options: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    program = _program(name)
    assert program is not None
    with (folder / f"{name}.out.log").open("ab") as output:
        process = subprocess.Popen(
            [program, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C at the tests is not for the daemons: they are stopped in order.
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_file(path: Path) -> None:
    for _ in until(START_SECONDS):
        if path.exists():
            return
    raise AssertionError(f"{path.name} did not appear within {START_SECONDS} s")


def _await_nodes(running: Slurm) -> None:
    command = ["sinfo", "--Node", "--noheader", "--partition=test", "--format=%T"]
    said = ""
    for _ in until(START_SECONDS):
        done = subprocess.run(command, env=running.environment, capture_output=True, text=True, timeout=60)
        said = done.stdout.strip() or done.stderr.strip()
        if said.split() == ["idle"] * len(NODES):
            return
    raise AssertionError(f"the nodes were not ready within {START_SECONDS} s: {said}\n{running.logs()}")


def _cancel_all(running: Slurm) -> None:
    """End all jobs, as their processes would outlive the daemon that started them."""
    running.run("scancel", "--user=root")
    for _ in until(STOP_SECONDS):
        if not running.run("squeue", "--noheader").strip():
            return
    running.run("scancel", "--user=root", "--signal=KILL")


def until(seconds: float) -> Iterator[None]:
    """A moment every tenth of a second, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(PATIENCE)
