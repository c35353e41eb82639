/** What the machine lets a fault run have: namespaces of its own, and a kernel that delays and loses. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** How the kernel makes a link bad: netem where it has it, else a narrow link with a short queue. */
export type Shaper = "netem" | "tbf" | "none";

export type Ground =
  | { readonly type: "namespaces"; readonly wrap: readonly string[]; readonly shaper: Shaper }
  | { readonly type: "processes"; readonly wrap: readonly string[]; readonly why: string };

const run = promisify(execFile);
const UNSHARE = ["--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
/** The process ends with the one that started it. */
const WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"];
const PROBE_MAX_MS = 10_000;

/** Run inside: the names of namespaces are in a folder that is nobody else's either. Then what the run needs is tried. */
export const PREPARE: string = `
set -e
mount -t tmpfs tmpfs /run/netns 2>/dev/null || { mount -t tmpfs tmpfs /run && mkdir /run/netns; }
`;
const PROBE = `${PREPARE}
ip netns add probe
ip link add probe0 type veth peer name eth0 netns probe
ip link add probe1 type bridge
nsenter --net=/run/netns/probe true
tc qdisc add dev probe0 root netem delay 1ms 2>/dev/null && echo netem && exit
tc qdisc add dev probe0 root tbf rate 1mbit burst 8kb latency 50ms 2>/dev/null && echo tbf && exit
echo none
`;

/** `wanted` of "auto" takes namespaces where they are to be had. */
export async function findGround(wanted: "auto" | "namespaces" | "proxies"): Promise<Ground> {
  let why = "asked for";
  if (wanted !== "proxies") {
    for (const wrap of [
      ["unshare", ...UNSHARE],
      ["unshare", "--user", "--map-root-user", ...UNSHARE],
    ]) {
      try {
        const [file = "", ...args] = [...wrap, "sh", "-c", PROBE];
        const { stdout } = await run(file, args, { timeout: PROBE_MAX_MS, killSignal: "SIGKILL" });
        return { type: "namespaces", wrap: [...WITH_PARENT, ...wrap], shaper: shaperOf(stdout) };
      } catch (error) {
        why = (error instanceof Error ? error.message : String(error)).trim().split("\n").slice(-1).join("");
      }
    }
    if (wanted === "namespaces") throw new Error(`namespaces cannot be had here: ${why}`);
  }
  const [file = "", ...args] = [...WITH_PARENT, "true"];
  const canFollow = await run(file, args).then(
    () => true,
    () => false,
  );
  return { type: "processes", wrap: canFollow ? WITH_PARENT : [], why };
}

function shaperOf(output: string): Shaper {
  const word = output.trim();
  return word === "netem" || word === "tbf" ? word : "none";
}
