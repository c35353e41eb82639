import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

// A server must not outlive the process that started it, not even one that is killed with SIGKILL and can clean up
// nothing. So each server has a small guard process whose input is a pipe that only the parent holds: however the
// parent ends, the kernel closes the pipe, and the guard stops the server and removes its temporary folder.
//
// What the guard is told, one line each:
//   1st line  the server has ended; its process id may belong to another process soon and must not be killed
//   2nd line  the folder is none of the guard's business any more
//   end       the parent is gone: do what is still to be done
//
// The shell forks the guard first and then becomes the server itself. Hence the child that the parent sees is the
// server, with its real process id, signals and exit status, and no moment exists in which it runs unguarded.

const guardScript = `
folder=$1
shift

running() {
  kill -0 $$ || return 1
  # A process that has ended stays visible until init takes notice, which some containers' init never does.
  state=
  read -r state </proc/$$/stat
  case $state in *") Z "*) return 1 ;; esac
}

wait_up_to() {
  tries=0
  while running && [ "$tries" -lt "$1" ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
}

(
  alive=yes
  read -r _ && alive= && read -r _ && exit 0
  if [ -n "$alive" ]; then
    kill -TERM $$
    kill -CONT $$
    wait_up_to 60
    kill -KILL $$
    wait_up_to 20
  fi
  if [ -n "$folder" ]; then rm -rf -- "$folder"; fi
) <&3 >/dev/null 2>&1 &
exec "$@" 3<&-
`;

/** The same for systems without a shell. Its guard starts after the server, which leaves a moment unguarded. */
const nodeGuardScript = `
const [, pid, folder] = process.argv;
let lines = 0;
process.stdin.on("data", (chunk) => { lines += chunk.length; });
process.stdin.on("end", () => {
  if (lines === 0) try { process.kill(Number(pid), "SIGKILL"); } catch {}
  if (lines < 2 && folder !== "") {
    require("node:fs").rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
});
`;

export type GuardedChild = {
  readonly child: ChildProcess;
  /** Ends the guard of a server that has ended; what becomes of its folder is up to the caller. */
  readonly release: () => void;
};

export type GuardOptions = {
  /** Removed when this process ends without a release; empty for none. */
  readonly folder: string;
  /** @default this platform */
  readonly platform?: NodeJS.Platform;
};

/** Starts a program that ends with this process, however this process ends. */
export function spawnGuarded(file: string, args: readonly string[], options: GuardOptions): GuardedChild {
  const platform = options.platform ?? process.platform;
  const guarded =
    platform === "win32" ? withNode(file, args, options.folder) : withShell(file, args, options.folder);
  // A guard that somebody killed leaves a broken pipe; there is nothing left to tell it.
  guarded.guard?.on("error", () => undefined);
  guarded.child.once("exit", () => guarded.guard?.write("\n"));
  return { child: guarded.child, release: () => guarded.guard?.end("\n") };
}

type Guarded = { readonly child: ChildProcess; readonly guard: Writable | undefined };

function withShell(file: string, args: readonly string[], folder: string): Guarded {
  const child = spawn("/bin/sh", ["-c", guardScript, "nats-server-guard", folder, file, ...args], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    // A session of its own: Ctrl-C in a terminal reaches the parent only, which then stops things in its own order.
    detached: true,
  });
  const guard = child.stdio[3];
  return { child, guard: guard !== null && guard !== undefined && "write" in guard ? guard : undefined };
}

function withNode(file: string, args: readonly string[], folder: string): Guarded {
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"], windowsHide: true });
  if (child.pid === undefined) return { child, guard: undefined };
  const guard = spawn(process.execPath, ["-e", nodeGuardScript, String(child.pid), folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    windowsHide: true,
  });
  guard.on("error", () => undefined);
  return { child, guard: guard.stdin };
}
