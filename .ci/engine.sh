# Sourced by .ci/run: a Docker engine for the container suites, used as it is where one answers, else installed and
# started with everything it writes in a folder of ours. What the suites need to know is in the environment:
# DOCKER_HOST, DOCKER_CONFIG (with the compose plugin), or WEFT_NO_ENGINE with the reason why there is none.

engine_folder=""
engine_pid=""
engine_bridges_before=""

engine_answers() {
  timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null
}

engine_start() {
  # The reaper of testcontainers is an image that would have to be pulled; each suite removes what it made.
  export TESTCONTAINERS_RYUK_DISABLED=true
  engine_folder=$1
  mkdir -p "$engine_folder/docker"
  local version reason
  if version=$(engine_answers); then
    echo "A Docker engine answers: $version"
  elif reason=$(engine_install) && engine_spawn; then
    echo "A Docker engine was started: $(engine_answers)"
  else
    export WEFT_NO_ENGINE="${reason:-dockerd did not start: $(tail -n 1 "$engine_folder/dockerd.log" | cut -c 1-300)}"
    echo "The container suites are skipped: $WEFT_NO_ENGINE"
    return 0
  fi
  compose_find
}

# Prints why it could not.
engine_install() {
  command -v dockerd >/dev/null && return 0
  command -v apt-get >/dev/null || { echo "no Docker engine answers, and there is no apt-get to install one"; return 1; }
  [ "$(id -u)" = 0 ] || { echo "no Docker engine answers, and only root could install one"; return 1; }
  # With a runlevel of 1 Debian's packages do not start the services that they bring.
  if ! (apt-get update -q && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends docker.io) \
    >"$engine_folder/install.log" 2>&1; then
    echo "docker.io could not be installed: $(tail -n 1 "$engine_folder/install.log")"
    return 1
  fi
}

engine_spawn() {
  engine_bridges_before=$(engine_bridges)
  # Ports are published on the loopback address only, whatever a suite asks for. Containers talk to each other and to
  # this machine, to nobody else: that needs no rule of the machine's firewall, and none would be taken back.
  dockerd --host "unix://$engine_folder/engine.sock" --pidfile "$engine_folder/dockerd.pid" --ip 127.0.0.1 \
    --iptables=false --ip6tables=false --ip-forward=false \
    --data-root "$engine_folder/data" --exec-root "$engine_folder/exec" --log-level warn \
    </dev/null >"$engine_folder/dockerd.log" 2>&1 &
  engine_pid=$!
  export DOCKER_HOST="unix://$engine_folder/engine.sock"
  # Where testcontainers takes this machine for a container, it would look for them at the bridge's address.
  export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
  local deadline=$((SECONDS + 60))
  while [ $SECONDS -lt $deadline ]; do
    engine_answers >/dev/null && return 0
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.2
  done
  engine_stop
  unset DOCKER_HOST TESTCONTAINERS_HOST_OVERRIDE
  return 1
}

engine_stop() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null
  wait "$engine_pid" 2>/dev/null
  engine_pid=""
  # An engine leaves its bridges behind, and a mount that keeps its folder from being removed.
  umount "$engine_folder"/exec/netns/* 2>/dev/null
  local bridge
  for bridge in $(engine_bridges); do
    grep -qxF "$bridge" <<<"$engine_bridges_before" || ip link delete "$bridge" 2>/dev/null
  done
}

engine_bridges() {
  ls /sys/class/net | grep -E '^(docker0|br-[0-9a-f]{12})$'
}

# Debian 12 has no compose plugin. The one of the next release runs there as it is: it is unpacked, not installed.
compose_find() {
  docker compose version 2>/dev/null && return 0
  local plugins="$engine_folder/docker/cli-plugins"
  mkdir -p "$plugins"
  if ! compose_unpack "$engine_folder/compose" >"$engine_folder/compose.log" 2>&1; then
    echo "There is no compose plugin: $(tail -n 1 "$engine_folder/compose.log")"
    return 0
  fi
  ln -s "$engine_folder/compose/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$plugins/docker-compose"
  export DOCKER_CONFIG="$engine_folder/docker"
  docker compose version
}

compose_unpack() {
  local folder=$1 url
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  url=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' |
    awk '$3 == "Debian" && $2 !~ /[-\/]/ { print $1; exit }')
  [ -n "$url" ] || { echo "apt knows no archive of Debian"; return 1; }
  mkdir -p "$folder/lists/partial" "$folder/archives/partial"
  : >"$folder/status"
  printf '%s\n' "Types: deb" "URIs: $url" "Suites: trixie" "Components: main" "Signed-By: $keyring" \
    "Targets: Packages" "Languages: none" >"$folder/compose.sources"
  printf '%s\n' "#clear APT::Update::Pre-Invoke;" "#clear APT::Update::Post-Invoke;" \
    "#clear APT::Update::Post-Invoke-Success;" "Dir::State \"$folder\";" "Dir::State::status \"$folder/status\";" \
    "Dir::Cache \"$folder\";" "Dir::Etc::SourceList \"$folder/compose.sources\";" \
    'Dir::Etc::SourceParts "/dev/null";' 'APT::Sandbox::User "root";' >"$folder/apt.conf"
  apt-get update -q -c "$folder/apt.conf" &&
    (cd "$folder" && apt-get download -q -c "$folder/apt.conf" docker-compose) &&
    dpkg-deb -x "$folder"/docker-compose_*.deb "$folder/unpacked"
}
