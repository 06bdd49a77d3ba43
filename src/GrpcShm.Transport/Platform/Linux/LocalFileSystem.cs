namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Tells the file systems that only one kernel uses from all others.</summary>
/// <remarks>
/// Several kernels, of machines or of sandboxes, may share a file system: NFS, CIFS, sshfs, 9p, virtiofs. There a lock
/// may be each kernel's own, as it is with <c>nolock</c> and <c>nobrl</c>, and a Unix socket always is: the socket of a
/// server that lives on another machine refuses each connection, just like a dead server's. A file system that is not
/// known here counts as shared.
/// </remarks>
internal static class LocalFileSystem
{
    // The values of f_type in the kernel's linux/magic.h. Of ZFS, which is no part of the kernel, in its own sources.
    private static ReadOnlySpan<uint> Types =>
    [
        0x01021994, // tmpfs
        0xEF53, // ext2, ext3, ext4
        0x58465342, // xfs
        0x9123683E, // btrfs
        0x2FC12FC1, // zfs
        0x794C7630, // overlayfs
    ];

    /// <summary>True if an open file is on a file system that only this kernel uses.</summary>
    public static bool Holds(SafeFileDescriptor file) => Libc.GetFileSystemType(file) is { } type && IsLocal(type);

    /// <summary>True if only one kernel uses the file systems of a type.</summary>
    public static bool IsLocal(long type) => type is >= 0 and <= uint.MaxValue && Types.Contains((uint)type);
}
