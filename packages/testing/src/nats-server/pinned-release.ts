/** A release of nats-server and the SHA-256 of its archives, by file name. */
export type PinnedRelease = {
  readonly version: string;
  readonly sha256: Readonly<Record<string, string>>;
};

/**
 * The release that is downloaded when the machine has no nats-server of its own.
 *
 * The Linux and windows-amd64 sums are those which the official container image of this release verifies, the other
 * Windows ones those of its Scoop manifest. No independent source was found for other platforms (macOS, FreeBSD): an
 * archive without a sum here is verified against the release's own SHA256SUMS, fetched over HTTPS.
 */
export const pinnedRelease: PinnedRelease = {
  version: "2.14.7",
  sha256: {
    "nats-server-v2.14.7-linux-amd64.tar.gz":
      "e5c20b1cb2c0566b54c544312e91e011f9e130c5c80f16a14f4cf28ef30b8be2",
    "nats-server-v2.14.7-linux-arm64.tar.gz":
      "50e0258a1b7290f3fe2e4f17506b74a90ffb1dd77867ae3a402eb0c9e2b0d40f",
    "nats-server-v2.14.7-linux-arm6.tar.gz":
      "f50c6351e03c238ea93f5d6c8fcea8c95179c6f8fd67858dc23acdce95b5b131",
    "nats-server-v2.14.7-linux-arm7.tar.gz":
      "820339a81ac3321a47ed1ebd2aabeebfb23544da13d6ec2c5fda115b5af8948d",
    "nats-server-v2.14.7-linux-386.tar.gz":
      "7c2b34da982d10fd5c6e51ad38035efe659fb4050b5f0873977297eb0a75a866",
    "nats-server-v2.14.7-linux-s390x.tar.gz":
      "81634eac81dce5ffdcd74d6786f55e97db8af474b1a3c863bdcd2a73ad2e4c16",
    "nats-server-v2.14.7-linux-ppc64le.tar.gz":
      "7db5df67900443ee4dc93fb0bb134c68ee7c09501956dbcf12e4e9ec05c32913",
    "nats-server-v2.14.7-linux-loong64.tar.gz":
      "f37e3c23053c52b1295da78e2318aa4dbc83e5fecfb4f3fb1b3cb219b5f0b5af",
    "nats-server-v2.14.7-windows-amd64.zip":
      "ef6b4604cc84cd37192e6407ce1bb975f380a5293dccfdb126eaf11311c58ac6",
    "nats-server-v2.14.7-windows-386.zip": "a4fabb6f65991c3ebb68dc6a2c7fa392be576075f849a00c1006e50eee951cfe",
    "nats-server-v2.14.7-windows-arm64.zip":
      "783903719e550953d2993620c2f932fbb00c25ca238a7a19b77a5855374d11c9",
  },
};
