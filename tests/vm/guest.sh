# shellcheck shell=bash
# A Debian 12 with its ordinary kernel, as a virtual machine under software emulation (no KVM needed).  Sourced by tests/vm/run.
# Needs root, mmdebstrap, qemu-system-x86, e2fsprogs and openssh-client.  Packages come from where this machine's apt gets them.
#
#   guest_make DIR         its root file system DIR/root, once; a DIR that has one of the same packages is used again
#   guest_boot DIR         starts it with an empty second disk; what it changes is forgotten.  Whoever calls it traps guest_halt
#   guest_run COMMAND…     in it, as root
#   guest_put FILE… DEST   copied into its folder DEST
#   guest_halt             ends it and removes its disks

guest_packages=linux-image-cloud-amd64,linux-headers-cloud-amd64,bpfcc-tools,libbpf-tools,bpftrace,python3,openssl,jq,procps,kmod,udev
guest_packages+=,iproute2,e2fsprogs,util-linux,openssh-server
# What our programs are linked with.
guest_packages+=,libnng1,libprotobuf-c1,libssl3,libsqlite3-0,libjansson4,libinih1,libsmartcols1,libcap-ng0,libseccomp2,libbpf1,zlib1g
guest_packages+=,libmicrohttpd12
guest_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest_boot_s=120 # it takes 10 s on an idle machine

guest_needs() {
    local program
    [ "$(id -u)" -eq 0 ] || { echo "needs root: a root file system is made" >&2; return 1; }
    for program in mmdebstrap qemu-system-x86_64 mkfs.ext4 ssh; do
        command -v "$program" >/dev/null || { echo "needs $program: deploy/packages guest" >&2; return 1; }
    done
}

guest_make() {
    local dir=$1
    [ "$(cat "$dir/root.made" 2>/dev/null)" != "$guest_packages" ] || return 0
    mkdir -p "$dir"
    rm -rf --one-file-system "${dir:?}/root"
    apt-config dump Acquire >"$dir/apt.conf" # a proxy, say
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        grep -E ' bookworm(-security|-updates)? ' | sort -u >"$dir/sources.list"
    [ -s "$dir/sources.list" ] || { echo "apt has no lists of Debian 12: apt-get update" >&2; return 1; }
    mmdebstrap --mode=root --variant=minbase --aptopt="$dir/apt.conf" --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --include="$guest_packages" bookworm "$dir/root" "$dir/sources.list" >"$dir/root.log" 2>&1 ||
        { tail -n 5 "$dir/root.log" >&2; return 1; }
    echo "$guest_packages" >"$dir/root.made"
}

# What is ours in the root: who starts it, and the key that opens it.
guest_furnish() {
    install -m 0755 "$guest_here/init" "$guest_dir/root/sbin/trawl-init"
    [ -e "$guest_dir/key" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$guest_dir/key"
    install -D -m 0600 "$guest_dir/key.pub" "$guest_dir/root/root/.ssh/authorized_keys"
    echo guest >"$guest_dir/root/etc/hostname"
    echo "127.0.0.1 localhost guest" >"$guest_dir/root/etc/hosts"
    : >"$guest_dir/root/etc/resolv.conf"
}

guest_is_up() { grep -qs GUEST-UP "$guest_dir/console.log" && guest_run true 2>/dev/null; }

guest_boot() {
    local kernel tries
    guest_dir=$1
    guest_furnish
    kernel=$(basename "$guest_dir"/root/boot/vmlinuz-*)
    kernel=${kernel#vmlinuz-}
    rm -f "$guest_dir"/{system,data}.img "$guest_dir/console.log"
    truncate -s 4G "$guest_dir/system.img"
    truncate -s 512M "$guest_dir/data.img"
    mkfs.ext4 -q -F -d "$guest_dir/root" "$guest_dir/system.img"
    mkfs.ext4 -q -F "$guest_dir/data.img"
    guest_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    qemu-system-x86_64 -accel tcg,thread=multi,tb-size=1024 -cpu max -m 4096 -smp 2 -nodefaults -display none -no-reboot \
        -kernel "$guest_dir/root/boot/vmlinuz-$kernel" -initrd "$guest_dir/root/boot/initrd.img-$kernel" \
        -append "root=/dev/vda rw console=ttyS0 init=/sbin/trawl-init panic=-1 net.ifnames=0 quiet" \
        -drive "file=$guest_dir/system.img,if=virtio,format=raw,cache=unsafe,discard=unmap" \
        -drive "file=$guest_dir/data.img,if=virtio,format=raw,cache=unsafe,discard=unmap" \
        -netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$guest_port-:22" -device virtio-net-pci,netdev=n0 -device virtio-rng-pci \
        -serial "file:$guest_dir/console.log" >"$guest_dir/qemu.log" 2>&1 </dev/null &
    guest_pid=$!
    for ((tries = guest_boot_s * 5; tries > 0; tries--)); do
        ! guest_is_up || return 0
        kill -0 "$guest_pid" 2>/dev/null || break
        sleep 0.2
    done
    echo "the guest did not come up:" >&2
    tail -n 5 "$guest_dir/qemu.log" "$guest_dir/console.log" >&2
    return 1
}

guest_ssh_options() {
    printf '%s\n' -q -i "$guest_dir/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20 -o LogLevel=ERROR
}
guest_run() {
    local options
    mapfile -t options < <(guest_ssh_options)
    ssh "${options[@]}" -p "$guest_port" root@127.0.0.1 "$@"
}
guest_put() {
    local files=("${@:1:$#-1}") to=${*: -1}
    tar -C / -cf - --transform='s,.*/,,' "${files[@]#/}" | guest_run "mkdir -p '$to' && tar -C '$to' -xf - --no-same-owner"
}

guest_halt() {
    [ -n "${guest_pid:-}" ] || return 0
    kill "$guest_pid" 2>/dev/null || true
    wait "$guest_pid" 2>/dev/null || true
    guest_pid=''
    rm -f "$guest_dir"/{system,data}.img
}
