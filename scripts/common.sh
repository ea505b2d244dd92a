# Shared by run, test and bench: read with `.`, after `set -euo pipefail`.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(dirname "$here")
cd "$checkout"

# Virtual readers live in namespaces, and those need root.
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "This needs root (or sudo) for private namespaces." >&2; exit 1; }
    status=0
    sudo --preserve-env=ONCE,http_proxy,https_proxy,no_proxy env "PATH=$PATH" "$here/$(basename "$0")" "$@" || status=$?
    # What was built is the user's again, so that a plain `swift build` works next.
    sudo chown -R "$(id -u):$(id -g)" .build Package.resolved 2>/dev/null || true
    exit $status
fi
# Tied to whoever started it (make): if that goes, even by kill -9, this goes too, and the kernel ends what hangs on it.
if [ -z "${KMSD_TIED:-}" ] && command -v setpriv >/dev/null; then
    KMSD_TIED=1 exec setpriv --pdeathsig KILL "$here/$(basename "$0")" "$@"
fi
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/opt/swift/usr/bin"
umask 022
mkdir -p var/log

# Packages first, then the compiler, which is not a Debian package.
prepare() {
    "$here/install-packages" "$@"
    if ! command -v swift >/dev/null; then
        echo "Swift 6.3 or later is not in PATH. Get it from https://www.swift.org/install/linux/ and run this again." >&2
        exit 1
    fi
}

# The program as it is delivered, with the Swift library in it: a server needs no compiler's package, and calls within one file are
# the shorter ones. Its path is in $kmsd afterwards.
build_release() {
    swift build -c release --static-swift-stdlib --product kmsd
    # shellcheck disable=SC2034 # for those who read this file
    kmsd=$(swift build -c release --static-swift-stdlib --show-bin-path)/kmsd
}

# A namespace around a command: when this script goes, even by kill -9, the kernel ends all that the command started. The
# shell is the namespace's first process, so that somebody takes in the children of processes that died.
together() {
    setpriv --pdeathsig KILL unshare --mount --pid --mount-proc --fork --kill-child=SIGKILL \
        bash -c '"$@"; status=$?; exit $status' together "$@"
}

heading() { printf '\n── %s (%d min %02d s since the start)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }
