import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chooseSource, parseTargets, parseUris, unpackAptPackage } from "../src/nats-server/apt-package.ts";
import { inspectBinary } from "../src/nats-server/binary.ts";
import { fakeServerBody, makePath, temporaryFolder } from "./nats-server-support.ts";

const mirror = "http://mirror.example/debian/";

/** Does what the real one does with the files that it is given, and keeps a record of them. */
function fakeApt(record: string): string {
  return `
    echo "$PWD: $*" >> ${record}/calls
    case "$*" in
      indextargets*) printf '${mirror}\\tbookworm\\tDebian\\n' ;;
      *update*)
        cp "$3" ${record}/apt.conf
        cp "$(dirname "$3")/apt/nats-server.sources" ${record}/sources ;;
      *download*) echo package > nats-server_2.15.1-1_amd64.deb ;;
      *) exit 64 ;;
    esac`;
}

function fakeDpkg(binaryPath: string): string {
  return `
    [ "$1" = -x ] && [ -s "$2" ] || exit 64
    mkdir -p "$(dirname "$3/${binaryPath}")"
    printf '#!/bin/sh\\n%s\\n' '${fakeServerBody("2.15.1")}' > "$3/${binaryPath}"
    chmod +x "$3/${binaryPath}"`;
}

const tools = ["sh", "cp", "dirname", "mkdir", "chmod"];

function keyrings(...names: readonly string[]): string {
  const folder = temporaryFolder();
  for (const name of names) writeFileSync(join(folder, name), "");
  return folder;
}

describe("the package of a newer suite", () => {
  test("is unpacked without touching what belongs to the system", async () => {
    const record = temporaryFolder();
    const folder = temporaryFolder();
    const scripts = { "apt-get": fakeApt(record), "dpkg-deb": fakeDpkg("usr/sbin/nats-server") };
    const env = { PATH: makePath(tools, scripts) };
    const keyringFolder = keyrings("debian-archive-keyring.gpg");

    const binary = await unpackAptPackage(folder, env, keyringFolder);

    expect(await inspectBinary(binary, env)).toMatchObject({ version: { major: 2, minor: 15, patch: 1 } });
    expect(readFileSync(join(record, "sources"), "utf8").split("\n")).toEqual(
      expect.arrayContaining([
        `URIs: ${mirror}`,
        "Suites: forky",
        "Components: main",
        `Signed-By: ${join(keyringFolder, "debian-archive-keyring.gpg")}`,
      ]),
    );
    const config = readFileSync(join(record, "apt.conf"), "utf8");
    const folders = config.split("\n").filter((line) => line.startsWith("Dir::"));
    expect(folders.length).toBeGreaterThan(5);
    for (const line of folders) expect(line).toMatch(new RegExp(` "(${folder}/apt.*|/dev/null)";$`));
    expect(config).toContain("#clear APT::Update::Post-Invoke;");
    expect(config.includes('APT::Sandbox::User "root";')).toBe(process.getuid?.() === 0);
    const calls = readFileSync(join(record, "calls"), "utf8").trim().split("\n");
    expect(calls.slice(1)).toEqual([
      expect.stringMatching(new RegExp(`: update -c ${folder}/apt.conf$`)),
      expect.stringMatching(new RegExp(`^${folder}/packages: download nats-server -c ${folder}/apt.conf$`)),
    ]);
  });

  test("may hold the binary in usr/bin as well", async () => {
    const scripts = { "apt-get": fakeApt(temporaryFolder()), "dpkg-deb": fakeDpkg("usr/bin/nats-server") };
    const folder = temporaryFolder();
    const env = { PATH: makePath(tools, scripts) };
    expect(existsSync(await unpackAptPackage(folder, env, keyrings("debian-archive-keyring.pgp")))).toBe(
      true,
    );
  });

  test("is not taken without the keyring that its signature is checked with", async () => {
    const scripts = { "apt-get": fakeApt(temporaryFolder()), "dpkg-deb": fakeDpkg("usr/sbin/nats-server") };
    const attempt = unpackAptPackage(temporaryFolder(), { PATH: makePath(tools, scripts) }, keyrings());
    await expect(attempt).rejects.toThrow("no debian-archive-keyring.pgp or debian-archive-keyring.gpg in");
  });

  test("that holds no server, or cannot be downloaded, says so", async () => {
    const apt = fakeApt(temporaryFolder());
    const attempt = (scripts: Record<string, string>): Promise<string> =>
      unpackAptPackage(
        temporaryFolder(),
        { PATH: makePath(tools, scripts) },
        keyrings("debian-archive-keyring.gpg"),
      );
    await expect(attempt({ "apt-get": apt, "dpkg-deb": fakeDpkg("usr/share/doc") })).rejects.toThrow(
      "nats-server_2.15.1-1_amd64.deb holds no nats-server",
    );
    const failing = apt.replace("echo package", "echo 'E: Unable to locate package' >&2; exit 100; echo");
    await expect(
      attempt({ "apt-get": failing, "dpkg-deb": fakeDpkg("usr/sbin/nats-server") }),
    ).rejects.toThrow("apt-get download exited with 100: E: Unable to locate package");
    await expect(attempt({ "apt-get": apt })).rejects.toThrow("no dpkg-deb on the PATH");
  });
});

describe("the archive to take the package from", () => {
  const targets = (...rows: readonly (readonly string[])[]): string =>
    rows.map((row) => `${row.join("\t")}\n`).join("");

  test("is the main one of Debian, not its security archive nor somebody else's", () => {
    const listed = targets(
      ["http://apt.example/tools/", "stable", "Tools"],
      ["http://mirror.example/debian-security/", "bookworm-security", "Debian"],
      ["http://old.example/debian-security/", "buster/updates", "Debian"],
      ["http://updates.example/debian/", "bookworm-updates", "Debian"],
      ["http://other.example/debian/", "bookworm", "Other"],
      ["http://proxy.example/deb-remote/", "bookworm", "Debian"],
    );
    expect(chooseSource(parseTargets(listed))).toMatchObject({
      url: "http://proxy.example/deb-remote/",
      distribution: { origin: "Debian", suite: "forky", component: "main" },
    });
  });

  test("is told by its address where apt has not fetched anything yet", async () => {
    const uris = [
      "'http://mirror.example/debian-security/dists/bookworm-security/InRelease' mirror.example_a_InRelease 0 ",
      "'http://mirror.example/tools/dists/stable/InRelease' mirror.example_b_InRelease 0 ",
      "'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_c_InRelease 0 ",
      "'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' mirror.example_d_Packages 0 ",
    ].join("\n");
    expect(chooseSource(parseUris(uris))).toMatchObject({ url: "http://mirror.example/debian" });

    const record = temporaryFolder();
    writeFileSync(join(record, "uris"), uris);
    const apt = fakeApt(record)
      .replace(/indextargets\*\).*;;/, "indextargets*) ;;")
      .replace("*update*)", `*--print-uris*) cat ${record}/uris ;;\n*update*)`);
    const scripts = { "apt-get": apt, "dpkg-deb": fakeDpkg("usr/sbin/nats-server") };
    const env = { PATH: makePath([...tools, "cat"], scripts) };
    await unpackAptPackage(temporaryFolder(), env, keyrings("debian-archive-keyring.gpg"));
    expect(readFileSync(join(record, "sources"), "utf8")).toContain("URIs: http://mirror.example/debian\n");
  });

  test("is Ubuntu's on Ubuntu", () => {
    const listed = targets(["http://mirror.example/ubuntu/", "noble", "Ubuntu"]);
    expect(chooseSource(parseTargets(listed))).toMatchObject({
      distribution: { suite: "devel", component: "universe" },
    });
  });

  test("is none where apt has no such archive", () => {
    expect(chooseSource(parseTargets(""))).toBeUndefined();
    expect(chooseSource(parseUris(""))).toBeUndefined();
    expect(
      chooseSource(parseTargets(targets(["http://apt.example/tools/", "stable", "Tools"]))),
    ).toBeUndefined();
  });
});
