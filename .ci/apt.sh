# Sourced: apt_install PACKAGE…; false where apt is missing or has no such package. What apt says is shown if it fails.

apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=() said
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || return 1
        as_root=(sudo)
    fi
    echo "Installing $* with apt-get (it is missing here) ..." >&2
    if [ -z "${APT_UPDATED:-}" ]; then
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
        APT_UPDATED=yes
    fi
    said=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" 2>&1) && return
    printf '%s\n' "$said" >&2
    return 1
}
