# shellcheck shell=bash
# A Debian 12 that has nothing but the base system: a root of our own making (debootstrap) with an empty package cache.  Sourced by
# the tests of this folder.  Needs root and debootstrap.  Packages come from where this machine's apt gets them.
#
#   root_make [mount]    makes it and sets $root; whoever calls it traps root_remove.  A bare chroot, or, as a host's, a mount of its own
#   root_run COMMAND     in it, by sh, with a literal environment
#   root_boot            starts systemd in it, as process 1 of namespaces of its own (network and hardware stay this machine's);
#                        from then on root_run runs in there.  77: this machine has no cgroup2
#   root_remove          ends what runs and removes everything

# The first Debian archive among apt's sources, whichever form they are written in.
root_mirror() {
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
        awk '/^URIs:/ && $2 ~ /debian\/?$/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /^https?:.*debian\/?$/) { print $i; exit } }'
}

root_make() {
    local mirror began=$SECONDS
    [ "$(id -u)" -eq 0 ] || { echo "$0: needs root (chroot and mounts)" >&2; return 1; }
    mirror=$(root_mirror)
    [ -n "$mirror" ] || { echo "$0: no Debian archive among apt's sources" >&2; return 1; }
    root=$(mktemp -d /var/lib/trawl-fresh.XXXXXX)
    chmod 0755 "$root"
    echo "== debootstrap" >&2
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 5 "$root.log" >&2; rm -f "$root.log"; return 1; }
    rm -f "$root.log"
    echo "   $((SECONDS - began)) s" >&2
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    rm -f "$root/etc/apt/sources.list"
    cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/"
    find "$root/etc/apt/" \( -name '*.list' -o -name '*.sources' \) ! -name 'debian.*' -delete # only Debian's own
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    if [ "${1:-}" = mount ]; then
        mount --bind "$root" "$root"
        mount --make-private "$root"
    fi
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --make-rslave "$root/sys"
    mount --rbind /dev "$root/dev"
    mount --make-rslave "$root/dev"
}

root_unmount() {
    local m
    for m in sys/kernel/tracing sys proc dev/pts dev .; do
        while mountpoint -q "$root/$m"; do umount -R "$root/$m" || umount -l "$root/$m"; done
    done
}

root_run() {
    local enter=(chroot "$root")
    if [ -n "${root_init:-}" ]; then enter=(nsenter --target "$root_init" --mount --pid --uts --ipc --cgroup --root --wd); fi
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" "${enter[@]}" /bin/sh -c "$1"
}

# What stands between new namespaces and systemd: its file systems, and the root as /.
# shellcheck disable=SC2016  # expanded there
root_boot_inside='set -e
    cd "$1"
    mount --make-rprivate /
    mount --bind . .
    cd "$1"
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount -t tracefs tracefs sys/kernel/tracing
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs tmpfs run
    mount -t tmpfs -o mode=0755 tmpfs dev
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 0666 "dev/${node%:*}" c 1 "${node#*:}"; done
    mkdir -p .outside
    pivot_root . .outside
    umount -l /.outside
    rmdir /.outside
    exec env -i container=trawl PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd'

root_boot() {
    local unified unit tries=300
    unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$unified" ] || return 77
    root_run 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends systemd systemd-sysv' >"$root/var/log/boot" 2>&1
    for unit in systemd-sysctl systemd-modules-load systemd-udevd; do ln -sf /dev/null "$root/etc/systemd/system/$unit.service"; done # this machine's
    root_unmount
    root_cgroup=$unified/trawl-fresh.$$
    mkdir "$root_cgroup"
    # shellcheck disable=SC2016
    setsid bash -c 'echo $$ >"$1/cgroup.procs"; exec unshare --mount --pid --fork --uts --ipc --cgroup bash -c "$2" inside "$3"' \
        outside "$root_cgroup" "$root_boot_inside" "$root" >>"$root/var/log/boot" 2>&1 </dev/null &
    root_outer=$!
    until root_init=$(pgrep -P "$root_outer" -x systemd) && root_run 'systemctl is-system-running' 2>/dev/null | grep -qE 'running|degraded'; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { tail -n 5 "$root/var/log/boot" >&2; return 1; }
        sleep 0.1
    done
}

root_halt() {
    local init
    [ -n "${root_outer:-}" ] || return 0
    init=$(pgrep -P "$root_outer") && kill -KILL $init 2>/dev/null # the namespace ends with it
    wait "$root_outer" 2>/dev/null || true
    find "$root_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
    root_outer='' root_init=''
}

root_remove() {
    [ -n "${root:-}" ] || return 0
    root_halt
    root_unmount
    if grep -q " $root" /proc/mounts; then
        echo "$0: $root is still mounted on; it stays" >&2
    else
        rm -rf --one-file-system "$root"
    fi
}
